"""Which running jobs are yet to be shown as running: those that run for a while, and those that write themselves."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson

from jobcore.errors import StaleClaimError
from jobcore_pgboss.runs import Run
from jobcore_pgboss.statements import statement
from jobcore_postgres.background.link import Connection, rows_of


class StatusWriter:
    """Collects the starts of jobs for the settler to write, so that the `jobs` table has one writer.

    A job that ends within `delay` seconds of its start is never written as running: its end says it all.
    """

    def __init__(self, worker_id: UUID, delay: float, wake: Callable[[], None]) -> None:
        self.worker_id = worker_id
        self._delay = delay
        self._wake = wake
        self._started: deque[Run] = deque()
        self._urgent: list[Run] = []

    def started(self, run: Run) -> None:
        """A handler begins."""
        if not self._started:
            self._wake()  # the settler may be waiting without end
        self._started.append(run)

    async def ensure_recorded(self, run: Run) -> None:
        """Return once the job's row shows this claim, which fenced writes need. Raises `StaleClaimError`."""
        run.settles_itself = False  # whoever writes on has rolled back what it had settled
        if not run.recorded and run.lost is None:
            if run.recording is None:
                run.recording = asyncio.get_running_loop().create_future()
                self._urgent.append(run)
                self._wake()
            await asyncio.shield(run.recording)
        if run.lost is not None:
            raise StaleClaimError(
                f"Job {run.claim.job_id} is no longer this worker's: {run.lost}. Nothing was written."
            )

    def seconds_to_next(self) -> float | None:
        """How long until there is something to write; `None` if no job runs that is not written."""
        self._drop_ended()
        if self._urgent:
            return 0.0
        if not self._started:
            return None
        return max(0.0, _start_of(self._started[0]) + self._delay - asyncio.get_running_loop().time())

    async def write_due(self, connection: Connection) -> None:
        """Write those that are due, in one statement. What PostgreSQL refuses stays due. Raises `psycopg.Error`."""
        runs = self._due()
        if not runs:
            return
        leases = orjson.dumps([_lease(run) for run in runs]).decode()
        answers = await rows_of(connection, statement("claim"), leases, self.worker_id)
        self._urgent = [run for run in self._urgent if run not in set(runs)]
        for run, (granted, cancel_requested) in zip(runs, answers, strict=True):
            _take_answer(run, granted, cancel_requested)

    def _due(self) -> Sequence[Run]:
        latest = asyncio.get_running_loop().time() - self._delay
        while self._started and (self._started[0].ended or _start_of(self._started[0]) <= latest):
            run = self._started.popleft()
            if not run.ended and not run.recorded and run.recording is None:
                run.recording = asyncio.get_running_loop().create_future()
                self._urgent.append(run)
        self._urgent = [run for run in self._urgent if not _is_settled(run)]
        return tuple(self._urgent)

    def _drop_ended(self) -> None:
        while self._started and (self._started[0].ended or self._started[0].recorded):
            self._started.popleft()


def _take_answer(run: Run, granted: bool, cancel_requested: Mapping[str, Any] | None) -> None:
    if granted:
        run.recorded = True
    else:
        run.lose("another worker has claimed it, or it has ended")
    if cancel_requested is not None:
        run.cancel(cancel_requested)
    if run.recording is not None and not run.recording.done():
        run.recording.set_result(None)


def _is_settled(run: Run) -> bool:
    """Whether nothing is left to write. The row of a job that settles itself is locked by its handler's transaction:
    writing to it would hold up everybody else's ends."""
    settled = run.ended or run.settles_itself
    if settled and run.recording is not None:
        if not run.recording.done():
            run.recording.set_result(None)
        run.recording = None
    return settled


def _lease(run: Run) -> dict[str, Any]:
    lease = run.claim.lease
    return {"tenant": lease.tenant, "job_id": lease.job_id, "attempt": lease.attempt, "token": lease.token}


def _start_of(run: Run) -> float:
    return run.started_at or run.fetched_at
