"""What a handler may ask of the store while its claim runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from jobcore.errors import StaleClaimError
from jobcore.models import Enqueued, NewJob, Settlement
from jobcore.ports.context import TenantDatabase
from jobcore.ports.store import JobStore
from jobcore_postgres.outbox_wire import settle_on
from jobcore_temporal.runs import Run

Submit = Callable[[Sequence[NewJob], Any], Awaitable[Sequence[Enqueued]]]


class Session:
    """The `ClaimSession` of one run. Each write raises `StaleClaimError` once the claim is lost."""

    __slots__ = ("_run", "_store", "_submit")

    def __init__(self, run: Run, store: JobStore, submit: Submit) -> None:
        self._run = run
        self._store = store
        self._submit = submit

    async def progress(self, percent: float, message: str | None) -> None:
        self._go_on()
        await self._store.write_progress(self._run.claim.lease, percent, message)

    async def heartbeat(self) -> None:
        """Nothing to do: as long as this worker lives, Temporal is told so."""
        self._go_on()

    async def write_detail(
        self, step_name: str, status: str, result: bytes | None, metadata: Mapping[str, Any] | None
    ) -> UUID:
        self._go_on()
        return await self._store.write_detail(self._run.claim.lease, step_name, status, result, metadata)

    async def load_steps(self) -> Mapping[str, bytes]:
        self._go_on()
        return await self._store.load_steps(self._run.claim.lease)

    async def save_step(self, key: str, result: bytes) -> bytes:
        self._go_on()
        return await self._store.save_step(self._run.claim.lease, key, result)

    async def settle_in(self, connection: Any, settlement: Settlement) -> None:
        self._run.settles_itself = True  # from here on a missing lease may be the handler's own commit
        await settle_on(connection, settlement, self._run.entry.epoch)

    async def enqueue_in(self, connection: Any, jobs: Sequence[NewJob]) -> Sequence[Enqueued]:
        return await self._submit(jobs, connection)

    @property
    def database(self) -> TenantDatabase | None:
        return self._store.tenant_database(self._run.claim.tenant)

    def _go_on(self) -> None:
        """Raise `StaleClaimError` if the claim is gone. Whoever writes on has rolled back what it had settled."""
        self._run.settles_itself = False
        if self._run.lost is not None:
            raise StaleClaimError(
                f"Job {self._run.claim.job_id} is no longer this worker's: {self._run.lost}. Nothing was written."
            )
