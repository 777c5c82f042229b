"""What a handler may ask of the queue and the store while its claim runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from jobcore.models import Enqueued, NewJob, Settlement
from jobcore.ports.context import TenantDatabase
from jobcore.ports.store import JobStore
from jobcore_pgboss.callers import settle_on
from jobcore_pgboss.heartbeat import Heartbeat
from jobcore_pgboss.runs import Run
from jobcore_pgboss.status import StatusWriter

Submit = Callable[[Sequence[NewJob], Any], Awaitable[Sequence[Enqueued]]]


class Session:
    """The `ClaimSession` of one run. Each write raises `StaleClaimError` once the claim is lost."""

    __slots__ = ("_heartbeat", "_run", "_status", "_store", "_submit")

    def __init__(self, run: Run, store: JobStore, status: StatusWriter, heartbeat: Heartbeat, submit: Submit) -> None:
        self._run = run
        self._store = store
        self._status = status
        self._heartbeat = heartbeat
        self._submit = submit

    async def progress(self, percent: float, message: str | None) -> None:
        await self._status.ensure_recorded(self._run)
        await self._store.write_progress(self._run.claim.lease, percent, message)

    async def heartbeat(self) -> None:
        await self._heartbeat.extend(self._run)

    async def write_detail(
        self, step_name: str, status: str, result: bytes | None, metadata: Mapping[str, Any] | None
    ) -> UUID:
        await self._status.ensure_recorded(self._run)
        return await self._store.write_detail(self._run.claim.lease, step_name, status, result, metadata)

    async def load_steps(self) -> Mapping[str, bytes]:
        await self._status.ensure_recorded(self._run)
        return await self._store.load_steps(self._run.claim.lease)

    async def save_step(self, key: str, result: bytes) -> bytes:
        await self._status.ensure_recorded(self._run)
        return await self._store.save_step(self._run.claim.lease, key, result)

    async def settle_in(self, connection: Any, settlement: Settlement) -> None:
        self._run.settles_itself = True  # from here on a missing queue row may be the handler's own commit
        await settle_on(connection, self._run, settlement)

    async def enqueue_in(self, connection: Any, jobs: Sequence[NewJob]) -> Sequence[Enqueued]:
        return await self._submit(jobs, connection)

    @property
    def database(self) -> TenantDatabase | None:
        return self._store.tenant_database(self._run.claim.tenant)
