"""The memory storage: the whole store port over dictionaries, for tests and for trying things out."""

from __future__ import annotations

from uuid import UUID

from jobcore.memory.admission import MemoryAdmission
from jobcore.memory.connection import MemoryConnection, MemoryDatabase
from jobcore.memory.leases import MemoryLeasedWrites
from jobcore.memory.payloads import MemoryPayloadRecords
from jobcore.memory.quotas import MemoryQuotas
from jobcore.memory.records import MemoryJobRecords
from jobcore.memory.roster import MemoryWorkerRegistry
from jobcore.memory.schedules import MemoryScheduleStore
from jobcore.memory.tables import Tables
from jobcore.ports.clock import Clock, SystemClock
from jobcore.ports.context import TenantDatabase
from jobcore.ports.store import JobStore


class MemoryStore(
    MemoryJobRecords,
    MemoryLeasedWrites,
    MemoryScheduleStore,
    MemoryAdmission,
    MemoryQuotas,
    MemoryWorkerRegistry,
    MemoryPayloadRecords,
    JobStore,
):
    """Keeps jobs, details, schedules and workers as long as the object lives; belongs to one event loop.

    Args:
        clock: what it takes for the time: where PostgreSQL would use its own.
    """

    storage_type = "memory"

    def __init__(self, clock: Clock | None = None) -> None:
        self.tables = Tables(clock or SystemClock())

    @property
    def clock(self) -> Clock:
        return self.tables.clock

    def connection(self) -> MemoryConnection:
        """Return a connection for `async with connection.transaction():`, to enqueue in."""
        return MemoryConnection(self.tables)

    async def open(self) -> None:
        """Nothing to connect to."""

    async def close(self) -> None:
        """Nothing to release; what is stored stays, so that a test can look at it."""

    async def ping(self) -> float:
        return 0.0

    def tenant_database(self, tenant: UUID) -> TenantDatabase | None:  # noqa: ARG002 - the port's signature
        return MemoryDatabase(self.tables)
