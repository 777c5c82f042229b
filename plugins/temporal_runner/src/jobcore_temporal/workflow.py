"""The workflow that runs one job: an activity by the job's own name, and what has to be done where that cannot speak.

Not sandboxed: it reads no clock and no chance of its own, and recorded histories are replayed against it. What writes a
cancellation or a progress is a local activity: jobs may hold every seat of the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError, is_cancelled_exception

from jobcore_temporal.messages import (
    ASK_TO_STOP,
    FOR_EVER,
    GENERIC_WORKFLOW,
    SHOW_PROGRESS,
    UPDATE_STATUS,
    CancelJob,
    JobInput,
    JobResult,
    JobStateView,
    Progress,
    Receipt,
    StatusUpdate,
    Stop,
    UpdateProgress,
)

RECORDING = timedelta(seconds=30)
FIRST = Priority(priority_key=1)
"""What writes an end goes before jobs, which may hold every seat for hours."""
ASKING = timedelta(seconds=10)
CANCELLED = "JobCancelled"
"""The type of the failure of a job that was cancelled otherwise than by Temporal."""


@workflow.defn(name=GENERIC_WORKFLOW, sandboxed=False)
class GenericJobWorkflow:
    """Runs a handler as an activity and returns how that ended (T02)."""

    @workflow.init
    def __init__(self, job: JobInput) -> None:
        self._job = job
        self._state = JobStateView()
        self._wish: CancelJob | None = None
        self._is_cancelled = False
        """Whether Temporal itself was asked to cancel this workflow."""
        self._untold: CancelJob | None = None
        """The wish that the job's row has not heard of: the database was away."""

    @workflow.run
    async def run(self, job: JobInput) -> JobResult:
        self._state.step = "running"
        self._state.startedAt = workflow.now().isoformat()
        try:
            receipt = await self._run_handler(job)
        except ActivityError as error:
            self._state.step = "cancelled" if is_cancelled_exception(error) else "failed"
            self._state.error = str(error.cause or error)
            if self._untold is not None and is_cancelled_exception(error):
                await _unbroken(self._record(job, _cancelled(job, self._untold)))
            raise
        if not receipt.recorded:
            await _unbroken(self._record(job, receipt))
        return self._ended(job, receipt)

    @workflow.signal(name="cancelJob")
    def cancel_job(self, wish: CancelJob) -> None:
        """Cancel the job, waiting or running (T03)."""
        self._wish = self._wish or wish

    @workflow.signal(name="updateProgress")
    async def update_progress(self, update: UpdateProgress) -> None:
        """Show how far the job is, here and in its row (T04)."""
        self._state.progress, self._state.message = update.progress, update.message
        await workflow.execute_local_activity(
            SHOW_PROGRESS,
            Progress(self._job.jobId, self._job.tenantId, update.progress, update.message),
            start_to_close_timeout=ASKING,
            retry_policy=RetryPolicy(maximum_attempts=3),
        )

    @workflow.query(name="getJobState")
    def get_job_state(self) -> JobStateView:
        """Say how the job is (T05)."""
        return self._state

    async def _run_handler(self, job: JobInput) -> Receipt:
        running = workflow.start_activity(
            job.jobName,
            job,
            result_type=Receipt,
            start_to_close_timeout=timedelta(seconds=job.timeout_seconds),
            heartbeat_timeout=timedelta(seconds=job.heartbeat_seconds),
            retry_policy=FOR_EVER,
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            summary=job.jobId,
        )
        wished = asyncio.create_task(workflow.wait_condition(lambda: self._wish is not None))
        try:
            await workflow.wait([running, wished], return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._is_cancelled = True
            wish = CancelJob(workflow.cancellation_reason() or "cancelled in Temporal", "temporal")
            await asyncio.shield(self._stop(job, wish))
            running.cancel()
        else:
            if self._wish is not None and not running.done():
                await self._stop(job, self._wish)
                running.cancel()
        finally:
            wished.cancel()
        return await running

    async def _stop(self, job: JobInput, wish: CancelJob) -> None:
        """Have the job cancelled in its row, which tells a running handler at once why, and by whom."""
        self._state.step = "cancelling"
        try:
            await workflow.execute_local_activity(
                ASK_TO_STOP,
                Stop(job.jobId, job.tenantId, job.epoch, wish.reason, wish.cancelledBy),
                schedule_to_close_timeout=ASKING,
            )
        except ActivityError:
            self._untold = wish
            workflow.logger.warning("The database did not take the cancellation of job %s in time.", job.jobId)

    async def _record(self, job: JobInput, receipt: Receipt) -> None:
        """Write the job's end: the database was away when it came."""
        self._state.step = "recording"
        await workflow.execute_activity(
            UPDATE_STATUS,
            StatusUpdate(job.jobId, job.tenantId, receipt.status, receipt.error, settlement=receipt.settlement),
            start_to_close_timeout=RECORDING,
            retry_policy=FOR_EVER,
            priority=FIRST,
        )

    def _ended(self, job: JobInput, receipt: Receipt) -> JobResult:
        self._state.step, self._state.error = receipt.status, receipt.error
        self._state.completedAt = workflow.now().isoformat()
        if receipt.status == "failed":
            raise ApplicationError(receipt.error or "The job failed.", type="JobFailed", non_retryable=True)
        if receipt.status == "cancelled" and self._is_cancelled:
            raise CancelledError(receipt.error or "The job was cancelled.")
        if receipt.status == "cancelled":
            raise ApplicationError(receipt.error or "The job was cancelled.", type=CANCELLED, non_retryable=True)
        if receipt.status == "completed":
            self._state.progress = 100.0
        return JobResult(
            success=receipt.status == "completed",
            jobId=job.jobId,
            status=receipt.status,
            error=receipt.error,
            result=receipt.result,
            completedAt=self._state.completedAt,
        )


def _cancelled(job: JobInput, wish: CancelJob) -> Receipt:
    """Return what is to be recorded of a job that waited when it was cancelled, so that no handler could."""
    error = {"reason": wish.reason, "cancelled_by": wish.cancelledBy}
    entry = {"tenant": job.tenantId, "job_id": job.jobId, "epoch": job.epoch}
    settlement = {**entry, "outcome": "cancelled", "error": error}
    return Receipt("cancelled", recorded=False, error=wish.reason, settlement=settlement)


async def _unbroken(work: Coroutine[Any, Any, None]) -> None:
    """Await what has to be done also if the workflow is cancelled meanwhile: what a handler did is to be on record."""
    working = asyncio.create_task(work)
    while not working.done():
        try:
            await asyncio.shield(working)
        except asyncio.CancelledError:
            if working.done():
                raise
    working.result()
