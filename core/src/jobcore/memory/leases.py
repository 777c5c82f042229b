"""What a worker writes under its lease, in memory (the `LeasedWrites` part of the store)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from jobcore.memory import moves
from jobcore.memory.tables import Tables
from jobcore.models import Lease
from jobcore.ports.store import LeasedWrites

STEP_PREFIX = "step:"
"""What tells a durable step from a detail that the handler named itself."""


class MemoryLeasedWrites(LeasedWrites):
    """Every write asks first whether the lease is still the job's."""

    tables: Tables

    async def claim(self, leases: Sequence[Lease], *, worker_id: UUID) -> Sequence[bool]:  # noqa: ARG002 - the port's
        return [moves.claim(self.tables, lease) for lease in leases]

    async def write_progress(self, lease: Lease, percent: float, message: str | None) -> None:
        row = moves.owned(self.tables, lease)
        row.progress = percent
        row.progress_message = row.progress_message if message is None else message
        row.updated_at = self.tables.clock.now()
        self.tables.bell.ring()

    async def write_detail(
        self,
        lease: Lease,
        step_name: str,
        status: str,
        result: bytes | None,
        metadata: Mapping[str, object] | None,
    ) -> UUID:
        row = moves.owned(self.tables, lease)
        return moves.write_detail(self.tables, row, step_name, status, result=result, metadata=metadata)

    async def load_steps(self, lease: Lease) -> Mapping[str, bytes]:
        row = moves.owned(self.tables, lease)
        return {
            name.removeprefix(STEP_PREFIX): detail.result or b"null"
            for name, detail in self.tables.details.get(row.key, {}).items()
            if name.startswith(STEP_PREFIX)
        }

    async def save_step(self, lease: Lease, key: str, result: bytes) -> bytes:
        row = moves.owned(self.tables, lease)
        name = STEP_PREFIX + key
        known = self.tables.details.get(row.key, {}).get(name)
        if known is not None:
            return known.result or b"null"
        moves.write_detail(self.tables, row, name, "completed", result=result)
        return result
