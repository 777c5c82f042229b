"""The store port: where jobs, their details, schedules and workers are recorded.

`tenant=None` means every tenant, for operators; an application that serves tenants always names one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from jobcore.errors import CapabilityError
from jobcore.models import (
    DetailRecord,
    Enqueued,
    JobFilter,
    JobMetrics,
    JobRecord,
    Lease,
    NewJob,
    PayloadSchema,
    Schedule,
    WaitingPayload,
    WorkerRecord,
)
from jobcore.ports.admission import AdmissionStore
from jobcore.ports.context import TenantDatabase
from jobcore.ports.moving import MovingStore
from jobcore.ports.quotas import QuotaStore
from jobcore.ports.reload import Reloadable
from jobcore.states import JobState


class Watch(Protocol):
    """Hears when one job may have changed."""

    async def changed(self, timeout: float) -> None:
        """Return once something was told of the job since the last call, or after `timeout` seconds."""
        ...


class JobRecords(ABC):
    """Jobs and their details (S05, S06)."""

    @abstractmethod
    async def create_job(self, job: NewJob, *, connection: Any = None) -> Enqueued:
        """Record a job without giving it to an engine; it stays `pending`."""

    @abstractmethod
    async def update_job_status(
        self,
        tenant: UUID,
        job_id: UUID,
        status: JobState,
        *,
        error: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Move a job to `status` and merge `metadata`. Raises `JobNotFoundError`, `IllegalMoveError`."""

    @abstractmethod
    async def create_job_detail(
        self,
        tenant: UUID,
        job_id: UUID,
        step_name: str,
        status: str,
        *,
        result: Any = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> UUID:
        """Add a row of `job_details`, or update the one with this step name; return its id.

        Raises `JobNotFoundError`.
        """

    @abstractmethod
    async def get_job(self, tenant: UUID, job_id: UUID) -> JobRecord:
        """Read a job. Raises `JobNotFoundError`."""

    @abstractmethod
    async def find_jobs(self, tenant: UUID | None, where: JobFilter) -> Sequence[JobRecord]:
        """List jobs, newest first."""

    @abstractmethod
    async def relatives(self, tenant: UUID, job_id: UUID, *, limit: int = 1000) -> Mapping[UUID, tuple[UUID, ...]]:
        """Return the jobs that hang together with one, itself among them, at most `limit`, the nearest first.

        Jobs hang together that enqueued one another, or waited for one another; each comes with the ids of those that
        it was made to wait for. What retention has deleted is not among them.
        """

    @abstractmethod
    async def get_details(self, tenant: UUID, job_id: UUID) -> Sequence[DetailRecord]:
        """List a job's details, oldest first."""

    def watch(self, tenant: UUID, job_id: UUID) -> AbstractAsyncContextManager[Watch | None]:  # noqa: ARG002 - for others
        """Hear of a job's changes within the block; `None`, as here, where nothing is told: one looks now and then."""
        return nullcontext()

    @abstractmethod
    async def metrics(self, tenant: UUID | None = None) -> JobMetrics:
        """Count jobs by state and runner."""


class LeasedWrites(ABC):
    """What a worker writes for a job that it holds; each raises `StaleClaimError` if the lease is not the job's."""

    @abstractmethod
    async def claim(self, leases: Sequence[Lease], *, worker_id: UUID) -> Sequence[bool]:
        """Record that these leases run (`processing`); false where the lease is stale. Safe to repeat."""

    @abstractmethod
    async def write_progress(self, lease: Lease, percent: float, message: str | None) -> None:
        """Record how far the job is; without a message the last one stays."""

    @abstractmethod
    async def write_detail(
        self,
        lease: Lease,
        step_name: str,
        status: str,
        result: bytes | None,
        metadata: Mapping[str, Any] | None,
    ) -> UUID: ...

    @abstractmethod
    async def load_steps(self, lease: Lease) -> Mapping[str, bytes]: ...

    @abstractmethod
    async def save_step(self, lease: Lease, key: str, result: bytes) -> bytes: ...


class ScheduleStore(ABC):
    """The schedules: one source of truth for every engine."""

    @abstractmethod
    async def put_schedule(self, schedule: Schedule) -> Schedule:
        """Make or replace the schedule with this tenant and key; effective at once. Returns it as stored.

        Raises `QuotaExceededError` for a new key beyond the tenant's quota.
        """

    @abstractmethod
    async def get_schedule(self, tenant: UUID, key: str) -> Schedule:
        """Raises `ScheduleNotFoundError`."""

    @abstractmethod
    async def list_schedules(self, tenant: UUID | None = None) -> Sequence[Schedule]: ...

    @abstractmethod
    async def set_schedule_enabled(self, tenant: UUID, key: str, enabled: bool) -> Schedule:
        """Raises `ScheduleNotFoundError`."""

    @abstractmethod
    async def delete_schedule(self, tenant: UUID, key: str) -> bool: ...

    @abstractmethod
    async def fire_due(
        self,
        plan_fire: Callable[[Schedule, datetime], NewJob],
        submit: Callable[[Sequence[NewJob], Any], Awaitable[Sequence[Enqueued]]],
        *,
        limit: int = 1000,
    ) -> int:
        """Take due schedules that nobody else is firing, submit their jobs and advance them, in one transaction.

        Returns how many jobs were made. Any worker may call it at any time. A schedule whose tenant is over its quota
        makes none, and goes on.

        Args:
            limit: the most schedules; once they make so many jobs, the others are left for the next call.
        """

    @abstractmethod
    async def seconds_to_next_fire(self) -> float | None:
        """How long until the next fire, by the database's clock; negative if late, `None` without schedules."""


class WorkerRegistry(ABC):
    """Which workers live, and which handlers they have."""

    @abstractmethod
    async def announce(self, worker: WorkerRecord) -> None:
        """Record that this worker lives now; repeated as its heartbeat."""

    @abstractmethod
    async def retire(self, worker_id: UUID) -> None: ...

    @abstractmethod
    async def live_workers(self) -> Sequence[WorkerRecord]:
        """Workers seen within the last minute."""

    async def call_reload(self, called_by: str | None = None) -> int:  # noqa: ARG002 - for others
        """Call on all workers to read their settings anew; return the number of this call, higher than any before.

        Raises `CapabilityError`, as here, where workers of other processes cannot be called.
        """
        raise CapabilityError(
            "This storage lacks the capability 'reload' (calling on workers of other processes): send them SIGHUP."
        )

    async def last_reload(self) -> int:
        """Return the number of the last such call; 0 if there was none."""
        return 0


class PayloadRecords(ABC):
    """What payloads look like: by version, and those that wait; of all tenants."""

    @abstractmethod
    async def put_payload_schemas(self, schemas: Sequence[PayloadSchema]) -> None:
        """Record the schemas that are new or changed; writes nothing if none is. Safe to repeat."""

    @abstractmethod
    async def payload_schemas(self, handlers: Sequence[str]) -> Sequence[PayloadSchema]:
        """Return every recorded version of these handlers' payloads, the lowest first."""

    @abstractmethod
    async def waiting_payloads(
        self, handlers: Sequence[str], *, after: WaitingPayload | None = None, limit: int = 500
    ) -> Sequence[WaitingPayload]:
        """Return a page of the pending and queued jobs of these handlers, in the order of tenant and job id.

        Args:
            after: the last one of the page before.
        """


class JobStore(
    JobRecords,
    LeasedWrites,
    ScheduleStore,
    AdmissionStore,
    QuotaStore,
    WorkerRegistry,
    PayloadRecords,
    MovingStore,
    Reloadable,
):
    """A storage: all of the above over one database."""

    storage_type: str

    @abstractmethod
    async def open(self) -> None:
        """Connect and check the schema. Raises `StorageUnavailableError`, `SchemaVersionError`."""

    @abstractmethod
    async def close(self) -> None: ...

    @abstractmethod
    async def ping(self) -> float:
        """Return how long a round trip took, in seconds. Raises `StorageUnavailableError`."""

    async def upkeep(self) -> float | None:
        """Do the storage's own housekeeping, if it is due and no other worker does it.

        Every worker calls it, again after the seconds that it returns; `None`, as here: this storage has none to do.
        """
        return None

    @abstractmethod
    def tenant_database(self, tenant: UUID) -> TenantDatabase | None:
        """The application's database as one tenant sees it; `None` if this storage has none."""
