"""Records workflows that handlers bring of their own in the job's row, and their activities as its steps (X01, X02)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from temporalio import activity, workflow
from temporalio.exceptions import CancelledError, FailureError
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    ExecuteWorkflowInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from jobcore.errors import JobcoreError
from jobcore.ports.store import JobStore
from jobcore.redaction import describe_exception
from jobcore_temporal import logs
from jobcore_temporal.identity import job_of
from jobcore_temporal.messages import BEGIN, END, FOR_EVER, GENERIC_WORKFLOW, LARGEST_RESULT, Begin, Finish, JobInput

RECORDING = timedelta(seconds=30)


class RecordingInterceptor(Interceptor):
    """Goes around every workflow and activity of a worker, and lets those of jobcore pass."""

    def __init__(self, store: JobStore) -> None:
        self._store = store

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's
        return _StepRecorder(next, self._store)

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002, ARG002 - the SDK's signature
    ) -> type[WorkflowInboundInterceptor]:
        return _JobRecorder


class _JobRecorder(WorkflowInboundInterceptor):
    """Claims the job before a workflow of one's own begins, and writes its end."""

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:  # noqa: A002 - the SDK's
        if (
            workflow.info().workflow_type == GENERIC_WORKFLOW
            or not input.args
            or not isinstance(input.args[0], JobInput)
        ):
            return await super().execute_workflow(input)
        job = input.args[0]
        if await self._begin(job) != "claimed":
            return None
        try:
            result = await super().execute_workflow(input)
        except (asyncio.CancelledError, CancelledError):
            reason = workflow.cancellation_reason()
            await self._end(job, "cancelled", error={"reason": reason, "cancelled_by": "temporal"} if reason else None)
            raise
        except FailureError as error:
            await self._end(job, "failed", error=dict(describe_exception(error)))
            raise
        await self._end(job, "completed", result=result)
        return result

    async def _begin(self, job: JobInput) -> str:
        run_id = workflow.info().first_execution_run_id
        return await workflow.execute_activity(
            BEGIN,
            Begin(job.jobId, job.tenantId, job.epoch, run_id),
            result_type=str,
            start_to_close_timeout=RECORDING,
            retry_policy=FOR_EVER,
        )

    async def _end(
        self, job: JobInput, status: str, *, result: Any = None, error: dict[str, Any] | None = None
    ) -> None:
        await workflow.execute_activity(
            END,
            Finish(job.jobId, job.tenantId, job.epoch, status, result, error),
            start_to_close_timeout=RECORDING,
            retry_policy=FOR_EVER,
        )


class _StepRecorder(ActivityInboundInterceptor):
    """Adds a row of `job_details` for each activity of a workflow of one's own."""

    def __init__(self, next: ActivityInboundInterceptor, store: JobStore) -> None:  # noqa: A002 - the SDK's
        super().__init__(next)
        self._store = store

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's
        info = activity.info()
        job = job_of(info.workflow_id) if info.workflow_id and info.workflow_type != GENERIC_WORKFLOW else None
        if job is None or info.activity_type in (BEGIN, END):
            return await super().execute_activity(input)
        try:
            result = await super().execute_activity(input)
        except Exception as error:
            await self._record(job, "failed", error=dict(describe_exception(error)))
            raise
        await self._record(job, "completed", result=result)
        return result

    async def _record(
        self, job: tuple[UUID, UUID], status: str, *, result: Any = None, error: dict[str, Any] | None = None
    ) -> None:
        """Write how a step went. The database's absence is no reason to do the step again: it is told in the log."""
        info = activity.info()
        tenant, job_id = job
        name = f"{info.activity_type}#{info.activity_id}"
        try:
            await self._store.create_job_detail(
                tenant, job_id, name, status, result=_small(result), metadata={"attempt": info.attempt, "error": error}
            )
        except JobcoreError as problem:
            logs.step_unrecorded(job_id, name, problem)


def _small(result: Any) -> Any:
    try:
        text = orjson.dumps(result)
    except TypeError:
        return None
    return orjson.loads(text) if len(text) <= LARGEST_RESULT else None
