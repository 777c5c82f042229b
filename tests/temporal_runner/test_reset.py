"""A run that somebody resets in Temporal: the new one takes the job from the old one."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client

from contract.temporal_harness import TemporalHarness
from jobcore import JobContext, JobData, job
from jobcore.testing.runner_contract.waiting import eventually
from jobcore_devkit.temporal import TemporalServer


class Note(JobData):
    text: str = ""


async def test_the_run_that_a_reset_begins_takes_the_job_over(
    database_dsn: str, jobcore_temporal: TemporalServer
) -> None:
    runs: list[int] = []
    go_on = asyncio.Event()

    @job("is-reset")
    async def is_reset(ctx: JobContext, data: Note) -> str:
        runs.append(ctx.attempt)
        if len(runs) == 1:
            await ctx.signal.wait()
            return "never"
        await go_on.wait()
        return "by the second run"

    harness = TemporalHarness(database_dsn, jobcore_temporal.address)
    async with harness.application(handlers=[is_reset]) as app:
        worker = app.worker()
        await worker.start()
        tenant = uuid4()
        handle = await app.enqueue(is_reset, Note(), tenant=tenant)
        await eventually(lambda: len(runs) == 1, "the first run begins", 20)
        client = await Client.connect(jobcore_temporal.address)
        name = f"{handle.job_id}.0@{tenant}"
        await client.workflow_service.reset_workflow_execution(
            ResetWorkflowExecutionRequest(
                namespace="default",
                workflow_execution=WorkflowExecution(workflow_id=name),
                reason="try it",
                request_id=str(uuid4()),
                workflow_task_finish_event_id=4,
            )
        )
        await eventually(lambda: len(runs) == 2, "the second run begins", 20)
        go_on.set()
        assert await handle.result(timeout=20) == "by the second run"
        record = await app.get_job(tenant, handle.job_id)
        assert record.rescues == 1
        assert record.external_run_id == (await client.get_workflow_handle(name).describe()).run_id
        await worker.stop()
