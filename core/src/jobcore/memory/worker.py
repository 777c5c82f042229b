"""The memory runner's worker: claims due jobs, fires due schedules, and runs as many at once as it may."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from jobcore.ids import uuid7
from jobcore.memory.claims import run_claim, take_next
from jobcore.memory.store import MemoryStore
from jobcore.models import Claim
from jobcore.ports.runner import Worker, WorkerHost


class MemoryWorker(Worker):
    """Serves the host's queues until it is told to stop.

    Args:
        serves: false for a worker of the inline and manual modes, where nothing runs by itself.
    """

    def __init__(self, store: MemoryStore, host: WorkerHost, *, serves: bool = True) -> None:
        self.worker_id: UUID = uuid7()
        self._store = store
        self._host = host
        self._queues = tuple(host.queues)
        self._serves = serves
        self._concurrency = host.concurrency
        self._stopping = False
        self._running: dict[asyncio.Task[None], Claim] = {}
        self._serving: asyncio.Task[None] | None = None
        self._closed = asyncio.Event()
        self._failure: BaseException | None = None

    async def start(self) -> None:
        self._serving = asyncio.create_task(self._serve(), name=f"jobcore-memory-worker-{self.worker_id}")

    async def drain(self) -> None:
        self._stop_claiming()
        await self._wait_running(None)
        await self.wait_closed()

    async def stop(self, grace: timedelta | None = None) -> None:
        self._stop_claiming()
        await self._wait_running(self._host.grace if grace is None else grace)
        for claim in self.running():
            abort = self._store.tables.aborts.get((claim.tenant, claim.job_id))
            if abort is not None:
                abort.abort("the worker shuts down", kind="shutdown")
        await self._wait_running(None)
        await self.wait_closed()

    def running(self) -> Sequence[Claim]:
        return tuple(self._running.values())

    def resize(self, concurrency: int) -> None:
        self._concurrency = concurrency
        self._store.tables.bell.ring()

    async def wait_closed(self) -> None:
        if self._serving is not None:
            await self._closed.wait()
        if self._failure is not None:
            raise self._failure

    def _stop_claiming(self) -> None:
        self._stopping = True
        self._store.tables.bell.ring()

    async def _serve(self) -> None:
        try:
            while not self._stopping:
                if self._serves:
                    await self._store.fire_due(self._host.plan_fire, self._host.submit)
                    self._fill_slots()
                await self._store.tables.bell.wait(self._seconds_to_next())
            await self._wait_running(None)
        except Exception as error:  # noqa: BLE001 - raised by wait_closed, to whoever waits for this worker
            self._failure = error
        finally:
            self._closed.set()

    def _fill_slots(self) -> None:
        while len(self._running) < self._concurrency and not self._stopping:
            claim = take_next(self._store, self._queues)
            if claim is None:
                return
            task = asyncio.create_task(self._run(claim), name=f"jobcore-job-{claim.job_id}")
            self._running[task] = claim
            task.add_done_callback(self._ended)

    async def _run(self, claim: Claim) -> None:
        await run_claim(self._store, self._host, claim)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failure = error
            self._stopping = True
        self._store.tables.bell.ring()

    async def _wait_running(self, grace: timedelta | None) -> None:
        if self._running:
            await asyncio.wait(self._running, timeout=None if grace is None else grace.total_seconds())

    def _seconds_to_next(self) -> float | None:
        """How long nothing will fall due by itself; `None` while only a ring can bring work."""
        if not self._serves:
            return None
        tables, now = self._store.tables, self._store.clock.now()
        due = [self._store.next_fire(), self._store.next_admission()]
        if len(self._running) < self._concurrency:
            due.append(tables.line.next_due(self._queues, now))
        return min((max(0.0, (instant - now).total_seconds()) for instant in due if instant), default=None)
