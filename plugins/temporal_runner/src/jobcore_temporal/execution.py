"""Runs a job for Temporal: claims it in its row, runs the handler, writes how it ended, and says so to the workflow."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import psycopg
from psycopg import errors as pg
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory, CancelledError

from jobcore.errors import StorageError
from jobcore.models import Outcome, Settlement
from jobcore.ports.runner import WorkerHost
from jobcore.ports.store import JobStore
from jobcore_postgres.background import logs as background
from jobcore_postgres.background.endings import limited
from jobcore_postgres.outbox import Answer, Entry, Outbox, Verdict, Written
from jobcore_postgres.outbox_wire import encode_settlement
from jobcore_temporal import logs
from jobcore_temporal.heartbeats import heartbeats
from jobcore_temporal.messages import LARGEST_RESULT, LATEST, JobInput, Receipt
from jobcore_temporal.places import Places
from jobcore_temporal.runs import Run, Runs
from jobcore_temporal.session import Session

REFUSALS = (psycopg.DataError, psycopg.IntegrityError, pg.ProgramLimitExceeded)
"""What PostgreSQL says to a settlement that it will never take."""
AWAY = (psycopg.Error, StorageError, OSError)
PAUSE = 0.5
"""Seconds between two tries to write an end."""
SOON = timedelta(milliseconds=100)
LATER = timedelta(seconds=2)
ENDS = {Outcome.COMPLETED: "completed", Outcome.FAILED: "failed", Outcome.CANCELLED: "cancelled"}


class _Attempt:
    """What Temporal tells an activity, passed on to the handler's run as soon as there is one."""

    def __init__(self) -> None:
        self._run: Run | None = None
        self._interrupted = False

    def began(self, run: Run) -> None:
        self._run = run
        if self._interrupted:
            self.interrupt()

    def interrupt(self) -> None:
        """Temporal has cancelled the activity: see why, and tell the handler."""
        self._interrupted = True
        run, details = self._run, activity.cancellation_details()
        if run is None:
            return
        if activity.is_worker_shutdown() or (details is not None and details.worker_shutdown):
            run.abort.abort("the worker shuts down", kind="shutdown")
        elif details is not None and (details.timed_out or details.not_found):
            run.lose("Temporal has given it up")
        elif details is not None and (details.paused or details.reset):
            run.abort.abort("the activity was paused or reset in Temporal", kind="shutdown")
        else:
            run.abort.abort("cancelled in Temporal", by="temporal", kind="cancelled")


class Execution:
    """Runs claims of one worker.

    Args:
        patience: how long the database may be away when a job ends, in seconds, before its workflow has to write that.
    """

    def __init__(
        self,
        outbox: Outbox,
        store: JobStore,
        host: WorkerHost,
        runs: Runs,
        *,
        places: Places,
        worker_id: UUID,
        patience: float,
    ) -> None:
        self._outbox = outbox
        self._store = store
        self._host = host
        self._runs = runs
        self._places = places
        self._worker_id = worker_id
        self._patience = patience

    async def run(self, job: JobInput) -> Receipt:
        """Run the handler of a job, and return how it ended.

        Raises:
            ApplicationError: retryable, if the job is to run again; its delay says when. Otherwise it has failed.
            CancelledError: if Temporal asked for its cancellation, and the job is cancelled.
        """
        if job.queue is not None and job.queue not in self._host.queues:
            raise _again(f"This worker does not serve the queue {job.queue!r}.", "NotServed", _patience())
        if not await self._places.wait_to_begin():
            raise _again("This worker runs as many jobs as it may.", "NoPlace", SOON)
        attempt = _Attempt()
        working = asyncio.ensure_future(self._work(job, attempt))
        while True:
            try:
                return await asyncio.shield(working)
            except asyncio.CancelledError:
                if working.done():
                    raise
                attempt.interrupt()

    async def _work(self, job: JobInput, attempt: _Attempt) -> Receipt:
        """Claim the job, run its handler, settle it: nothing interrupts this but the handler's abort."""
        entry = Entry(UUID(job.tenantId), UUID(job.jobId), job.epoch)
        answer = await self._claim(entry)
        if answer.took_over:
            self._host.observe.jobs_rescued(self._outbox.runner_type, [job.jobId])
        if answer.claim is None:
            return _told(job, answer)
        run = Run(claim=answer.claim, abort=self._host.new_abort(), entry=entry)
        if answer.stop is not None:
            run.cancel(answer.stop)
        self._runs.add(run)
        try:
            async with heartbeats():
                attempt.began(run)
                session = Session(run, self._store, self._host.submit)
                settlement = await self._host.executor.execute(run.claim, session, run.abort)
                run.ended = True
                return await self._settle(run, settlement)
        finally:
            self._runs.remove(run)

    async def _claim(self, entry: Entry) -> Answer:
        info = activity.info()
        run_id = info.workflow_run_id or info.activity_run_id or info.activity_id
        try:
            return await self._outbox.claim(entry, run_id, info.attempt, self._worker_id)
        except AWAY as error:
            raise _again(f"The database is away: {error}", type(error).__name__, LATER) from error

    async def _settle(self, run: Run, settlement: Settlement) -> Receipt:
        if settlement.settled or run.lost is not None:
            return self._settled_already(run, settlement)
        try:
            # Without a workflow nobody else would write it.
            patience = self._patience if activity.info().workflow_id else None
            written = await limited(self._write(settlement, run.entry), patience)
        except (TimeoutError, *AWAY) as error:
            return _left_to_the_workflow(run, settlement, error)
        self._host.observe.job_settled(settlement, written.applied)
        if not written.applied:
            # Perhaps it had been written, and the reply was lost: the next claim tells how the job is.
            background.settlement_stale(settlement)
            raise _again("The end had been written, or the claim is gone.", "Stale", settlement.retry_in or SOON)
        return _receipt(settlement, written)

    async def _write(self, settlement: Settlement, entry: Entry) -> Written:
        """Write a settlement, again and again while the database is away; one that it refuses fails the job instead."""
        while True:
            try:
                return await self._outbox.settle(settlement, entry.epoch, self._worker_id)
            except REFUSALS as error:
                background.settlement_refused(settlement, error)
                settlement = _refused(settlement, error)
            except AWAY as error:
                logs.settlement_delayed(settlement, error)
                await asyncio.sleep(PAUSE)

    def _settled_already(self, run: Run, settlement: Settlement) -> Receipt:
        """There is nothing to write: the handler committed it, or else the claim was lost."""
        lost = run.lost is not None or settlement.outcome is Outcome.RELEASED
        if lost and run.lost is None:
            background.settlement_stale(settlement)
        self._host.observe.job_settled(settlement, not lost)
        return Receipt("moved") if lost else _receipt(settlement, Written(True, ENDS.get(settlement.outcome)))


def _patience() -> timedelta:
    """How long a job waits that came to a worker which does not serve it: each time longer."""
    return min(SOON * 2 ** min(activity.info().attempt - 1, 8), LATEST)


def _told(job: JobInput, answer: Answer) -> Receipt:
    """Return what a run says that got no claim."""
    logs.run_is_over(UUID(job.jobId), job.jobName, answer.verdict)
    if answer.verdict is Verdict.UNKNOWN:
        raise ApplicationError(
            f"There is no job {job.jobId} of tenant {job.tenantId} in this database.",
            type="JobNotFound",
            non_retryable=True,
        )
    if answer.verdict is Verdict.MOVED or answer.status is None:
        return Receipt("moved")
    if activity.cancellation_details() is not None and answer.status == "cancelled":
        raise CancelledError("The job was cancelled.")
    return Receipt(answer.status, result=_small(answer.result), error=_message(answer.error))


def _receipt(settlement: Settlement, written: Written) -> Receipt:
    """Return, or raise, what the workflow is to do now."""
    error = _message(settlement.error)
    match written.follow:
        case "completed":
            return Receipt("completed", result=_small(settlement.result))
        case "cancelled":
            return Receipt("cancelled", error=error)
        case "failed":
            kind = str((settlement.error or {}).get("type") or "JobFailed")
            raise ApplicationError(
                error or "The job failed.", type=kind, non_retryable=True, category=ApplicationErrorCategory.BENIGN
            )
        case "queued":
            raise _again(error or f"The job was {settlement.outcome}.", settlement.outcome, written.wait)
        case _:
            return Receipt("moved")


def _left_to_the_workflow(run: Run, settlement: Settlement, error: BaseException) -> Receipt:
    """Let the workflow write the end. An attempt that is to be repeated is: its next claim finds this one lost."""
    logs.settlement_left(settlement, error)
    status = ENDS.get(settlement.outcome)
    if status is None:
        raise _again(f"The database was away when the job was {settlement.outcome}.", type(error).__name__, LATER)
    document = orjson.loads(orjson.dumps(encode_settlement(settlement, run.entry.epoch)))
    return Receipt(status, recorded=False, error=_message(settlement.error), settlement=document)


def refusal(error: BaseException) -> dict[str, str]:
    """Return what a job's row says whose end PostgreSQL does not take."""
    return {"type": type(error).__name__, "message": "PostgreSQL refused to store how this attempt ended."}


def _refused(settlement: Settlement, error: BaseException) -> Settlement:
    return replace(settlement, outcome=Outcome.FAILED, result=None, error=refusal(error))


def _again(message: str, kind: str, wait: timedelta) -> ApplicationError:
    """Return what makes Temporal try again. It is benign: what went wrong is told where it went wrong."""
    return ApplicationError(
        message,
        type=kind,
        next_retry_delay=max(wait, timedelta(milliseconds=1)),
        category=ApplicationErrorCategory.BENIGN,
    )


def _message(error: Any) -> str | None:
    if not error:
        return None
    return str(error.get("message") or error.get("reason") or error.get("type") or error)


def _small(result: bytes | None) -> Any:
    """Return a result for the workflow; a large one stands in the job's row only."""
    if result is None or len(result) > LARGEST_RESULT:
        return None
    return orjson.loads(result)
