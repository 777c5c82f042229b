"""What a handler that runs on the memory runner may ask the engine for (the `ClaimSession` port)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from jobcore.errors import StaleClaimError
from jobcore.memory import moves
from jobcore.memory.connection import own_connection
from jobcore.models import Claim, Enqueued, NewJob, Settlement
from jobcore.ports.context import TenantDatabase

if TYPE_CHECKING:
    from jobcore.memory.store import MemoryStore

Submit = Callable[[Sequence[NewJob], Any], Awaitable[Sequence[Enqueued]]]


class MemorySession:
    """One claim's session; every write is fenced by the claim's lease."""

    def __init__(self, store: MemoryStore, claim: Claim, submit: Submit) -> None:
        self._store = store
        self._claim = claim
        self._submit = submit

    async def progress(self, percent: float, message: str | None) -> None:
        await self._store.write_progress(self._claim.lease, percent, message)

    async def heartbeat(self) -> None:
        moves.owned(self._store.tables, self._claim.lease)

    async def write_detail(
        self, step_name: str, status: str, result: bytes | None, metadata: Mapping[str, Any] | None
    ) -> UUID:
        return await self._store.write_detail(self._claim.lease, step_name, status, result, metadata)

    async def load_steps(self) -> Mapping[str, bytes]:
        return await self._store.load_steps(self._claim.lease)

    async def save_step(self, key: str, result: bytes) -> bytes:
        return await self._store.save_step(self._claim.lease, key, result)

    async def settle_in(self, connection: Any, settlement: Settlement) -> None:
        tables, lease = self._store.tables, self._claim.lease
        own = own_connection(connection, tables)
        moves.owned(tables, lease)
        own.stage(check=lambda: _still_owned(self._store, self._claim), effect=lambda: _settle(self._store, settlement))

    async def enqueue_in(self, connection: Any, jobs: Sequence[NewJob]) -> Sequence[Enqueued]:
        return await self._submit(jobs, connection)

    @property
    def database(self) -> TenantDatabase | None:
        return self._store.tenant_database(self._claim.tenant)


def _still_owned(store: MemoryStore, claim: Claim) -> None:
    moves.owned(store.tables, claim.lease)


def _settle(store: MemoryStore, settlement: Settlement) -> None:
    if not moves.settle(store.tables, settlement):
        raise StaleClaimError(f"Job {settlement.claim.job_id} was taken from this attempt during its commit.")
