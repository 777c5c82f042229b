"""The activities by name (T06); all others are jobs, by their handlers' names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import orjson
from temporalio import activity
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from jobcore.errors import InputError, JobNotFoundError, StorageError
from jobcore.ports.store import JobStore
from jobcore.states import JobState
from jobcore_postgres.outbox import Entry, Outbox
from jobcore_temporal.execution import REFUSALS, Execution, refusal
from jobcore_temporal.messages import (
    ASK_TO_STOP,
    BEGIN,
    CREATE_DETAIL,
    END,
    EXECUTE,
    SHOW_PROGRESS,
    UPDATE_STATUS,
    Begin,
    Finish,
    JobInput,
    NewDetail,
    Progress,
    Receipt,
    StatusUpdate,
    Stop,
)


class Activities:
    """What the workflows of this worker may ask for."""

    def __init__(self, execution: Execution, outbox: Outbox, store: JobStore, worker_id: UUID) -> None:
        self._execution = execution
        self._worker_id = worker_id
        self._outbox = outbox
        self._store = store

    def all(self) -> list[Callable[..., Any]]:
        """Return them, to be registered."""
        return [
            self.run_named,
            self.execute_job_handler,
            self.update_job_status,
            self.create_job_detail,
            self.request_job_cancellation,
            self.show_job_progress,
            self.begin_job,
            self.end_job,
        ]

    @activity.defn(dynamic=True)
    async def run_named(self, args: Sequence[RawValue]) -> Receipt:
        """Run the job whose handler this activity is named after."""
        return await self._execution.run(activity.payload_converter().from_payload(args[0].payload, JobInput))

    @activity.defn(name=EXECUTE)
    async def execute_job_handler(self, job: JobInput) -> Receipt:
        """Run a job; for workflows of one's own."""
        return await self._execution.run(job)

    @activity.defn(name=UPDATE_STATUS)
    async def update_job_status(self, update: StatusUpdate) -> bool:
        """Write a job's state, or the end of a run; return whether that changed anything."""
        if update.settlement is not None:
            return await self._write_end(update.settlement)
        try:
            await self._store.update_job_status(
                UUID(update.tenantId),
                UUID(update.jobId),
                JobState(update.status),
                error=update.error,
                metadata=update.metadata,
            )
        except (InputError, ValueError, JobNotFoundError) as error:
            raise ApplicationError(str(error), type=type(error).__name__, non_retryable=True) from error
        return True

    async def _write_end(self, settlement: dict[str, Any]) -> bool:
        """Write the end of a run. If PostgreSQL will never take it, the job fails with that, for an operator to see
        and to run again (Q05)."""
        try:
            return await self._outbox.settle_document(orjson.dumps([settlement]).decode())
        except REFUSALS as error:
            refused = {**settlement, "outcome": "failed", "result": None, "error": refusal(error)}
            return await self._outbox.settle_document(orjson.dumps([refused]).decode())

    @activity.defn(name=CREATE_DETAIL)
    async def create_job_detail(self, detail: NewDetail) -> str:
        """Add a row of `job_details`; return its id."""
        try:
            made = await self._store.create_job_detail(
                UUID(detail.tenantId),
                UUID(detail.jobId),
                detail.stepName,
                detail.status,
                result=detail.result,
                metadata=detail.metadata,
            )
        except (InputError, ValueError, JobNotFoundError) as error:
            raise ApplicationError(str(error), type=type(error).__name__, non_retryable=True) from error
        return str(made)

    @activity.defn(name=ASK_TO_STOP)
    async def request_job_cancellation(self, stop: Stop) -> bool:
        """Cancel a job in its row, unless it is another epoch's now; a running handler hears of it at once."""
        entry = Entry(UUID(stop.tenantId), UUID(stop.jobId), stop.epoch)
        return await self._outbox.cancel_epoch(entry, stop.reason, stop.cancelledBy)

    @activity.defn(name=SHOW_PROGRESS)
    async def show_job_progress(self, progress: Progress) -> bool:
        """Write how far a running job is; return whether it runs."""
        try:
            return await self._outbox.show_progress(
                UUID(progress.tenantId), UUID(progress.jobId), progress.progress, progress.message
            )
        except StorageError as error:
            raise ApplicationError(str(error), type=type(error).__name__) from error

    @activity.defn(name=BEGIN)
    async def begin_job(self, begin: Begin) -> str:
        """Claim a job for a workflow of one's own; return the verdict."""
        entry = Entry(UUID(begin.tenantId), UUID(begin.jobId), begin.epoch)
        answer = await self._outbox.claim(entry, begin.run_id, 1, self._worker_id)
        return answer.verdict

    @activity.defn(name=END)
    async def end_job(self, end: Finish) -> bool:
        """Write how a workflow of one's own ended; return whether its claim stood."""
        entry = Entry(UUID(end.tenantId), UUID(end.jobId), end.epoch)
        if end.status != "cancelled":
            return await self._outbox.end_run(entry, end.status, result=end.result, error=end.error)
        if end.error is not None:
            await self._outbox.cancel_epoch(entry, end.error.get("reason"), end.error.get("cancelled_by"))
        return await self._outbox.end_run(entry, end.status)  # with the reason of who asked first
