"""A batch of jobs in its handler's hands, until its end is written."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import psycopg

from jobcore.errors import InputError, JobcoreError, JobTimeoutError, StorageError, StorageUnavailableError
from jobcore.execution.abort import LOST, SHUTDOWN, TIMED_OUT
from jobcore_pgboss import logs
from jobcore_pgboss.boss.desk import Desk
from jobcore_pgboss.boss.job_results import settle_each
from jobcore_pgboss.boss.models import Job
from jobcore_pgboss.boss.settling import Settling
from jobcore_postgres.background.endings import end_tasks
from jobcore_postgres.background.perseverance import Perseverance
from jobcore_postgres.background.troubles import Troubles

Handler = Callable[[Any], Awaitable[Any]]
"""Takes the list of jobs, and answers what comes of them."""

TROUBLE = (psycopg.Error, JobcoreError, OSError)
"""What a worker lives through: the database away, its queue deleted."""

_REFUSED = (TypeError, InputError, StorageError, psycopg.Error)
"""What a result raises that is no JSON, or that PostgreSQL does not take."""


class Batch:
    """Runs the handler once, for as long as the most patient of the jobs allows, and keeps them alive meanwhile."""

    def __init__(self, desk: Desk, name: str, jobs: Sequence[Job], handler: Handler) -> None:
        self.jobs = jobs
        self._desk = desk
        self._settling = Settling(desk)
        self._name = name
        self._handler = handler
        self._limit = max(1, *(job.expire_in_seconds for job in jobs))
        self._expires_at = asyncio.get_running_loop().time() + self._limit
        self._handling = asyncio.create_task(self._handle(), name=f"jobcore handler of queue {name}")
        self._given_up = False

    async def run(self, refresh_seconds: float | None, *, per_job_results: bool) -> None:
        """Wait for the handler, and write how its jobs ended; a handler that takes too long is cancelled.

        Raises `StorageUnavailableError` if the database is away until the jobs expire, `psycopg.Error`.
        """
        beating = self._begin_beating(refresh_seconds)
        try:
            await asyncio.wait((self._handling,), timeout=self._limit)
            if not self._given_up:
                await self._settle(per_job_results)
        except asyncio.CancelledError:
            self._stop_handler("its worker was cancelled", SHUTDOWN)
            raise
        finally:
            await end_tasks(beating)

    async def give_up(self) -> None:
        """The worker shuts down: fail the jobs, and stop the handler, even if the database is away."""
        self._given_up = True
        ids = [job.id for job in self.jobs]
        try:
            await self._settling.fail(self._name, self.jobs, "pg-boss shut down while active")
        except TROUBLE as error:
            logs.jobs_not_failed(self._name, ids, error)
        except asyncio.CancelledError:
            logs.jobs_not_failed(self._name, ids, TimeoutError("the database does not answer"))
            raise
        finally:
            self._stop_handler("the worker shuts down", SHUTDOWN)

    async def wait_for_handler(self, stopping: asyncio.Event) -> None:
        """Wait for a handler that goes on though it was cancelled, unless the worker is to stop."""
        if self._handling.done() or self._given_up:
            return
        logs.handler_overrun(self._name, self._limit)
        stopped = asyncio.create_task(stopping.wait())
        try:
            await asyncio.wait((self._handling, stopped), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()

    async def _handle(self) -> Any:
        answer = self._handler(list(self.jobs))
        return await answer if inspect.isawaitable(answer) else answer

    async def _settle(self, per_job_results: bool) -> None:
        if not self._handling.done():
            reason = f"handler execution exceeded {self._limit}s"
            self._stop_handler(reason, TIMED_OUT)
            await self._fail(JobTimeoutError(reason))
        elif self._handling.cancelled():
            await self._fail(asyncio.CancelledError("the handler was cancelled"))
        elif (error := self._handling.exception()) is not None:
            await self._fail(error)
        else:
            await self._complete(self._handling.result(), per_job_results)

    async def _complete(self, result: Any, per_job_results: bool) -> None:
        try:
            if per_job_results:
                await self._surely(lambda: settle_each(self._desk, self._name, self.jobs, result))
            else:
                output = result if len(self.jobs) == 1 else None
                await self._surely(lambda: self._settling.complete(self._name, self.jobs, output))
        except StorageUnavailableError:
            raise
        except _REFUSED as error:
            await self._fail(error)

    async def _fail(self, error: BaseException) -> None:
        await self._surely(lambda: self._settling.fail(self._name, self.jobs, error))

    async def _surely(self, settle: Callable[[], Awaitable[Any]]) -> None:
        """Settle, again and again while the database is away; attempts that are settled already are left alone."""
        perseverance = Perseverance(f"worker of queue {self._name}", Troubles())
        while True:
            try:
                await settle()
            except StorageUnavailableError as error:
                if asyncio.get_running_loop().time() > self._expires_at:
                    raise
                await perseverance.failed(error)
            else:
                perseverance.succeeded()
                return

    def _begin_beating(self, refresh_seconds: float | None) -> list[asyncio.Task[None]]:
        heartbeats = [job.heartbeat_seconds for job in self.jobs if job.heartbeat_seconds]
        if not heartbeats:
            return []
        return [asyncio.create_task(self._beat(refresh_seconds or min(heartbeats) / 2))]

    async def _beat(self, seconds: float) -> None:
        """Renew the heartbeats; tell the handler of jobs that are no longer its own."""
        while held := [job for job in self.jobs if not job.signal.aborted]:
            await asyncio.sleep(seconds)
            try:
                touched = await self._settling.touch(self._name, held)
            except TROUBLE as error:  # which says nothing of the jobs
                logs.worker_troubled(self._name, error)
                continue
            for job in held:
                if job.id not in touched.changed:
                    job.signal.abort("it no longer runs under this worker's claim", kind=LOST)

    def _stop_handler(self, reason: str, kind: str) -> None:
        for job in self.jobs:
            job.signal.abort(reason, kind=kind)
        self._handling.cancel()
        self._handling.add_done_callback(self._note_late_end)

    def _note_late_end(self, handling: asyncio.Task[Any]) -> None:
        if not handling.cancelled() and (error := handling.exception()) is not None:
            logs.handler_failed_late(self._name, error)
