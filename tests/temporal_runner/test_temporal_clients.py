"""What a plain client of Temporal may do with a job's workflow, and what workflows of others may do with ours."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.client import WorkflowExecutionStatus as Ended
from temporalio.common import RetryPolicy
from temporalio.worker import Worker

from jobcore import JobContext
from jobcore.states import JobState
from jobcore.testing.runner_contract.site import Anything, handler, opened, working
from temporal_runner.harness import Stage, closed, is_handed

BRIEF = timedelta(seconds=10)


@handler(abort_grace=timedelta(seconds=5))
async def waits(ctx: JobContext, data: Anything) -> str:
    await ctx.signal.wait()
    ctx.signal.raise_if_aborted()
    return "let go"


@handler()
async def doubles(ctx: JobContext, data: Anything) -> int:
    return 2 * data["number"]


async def test_a_query_tells_how_a_job_is_before_and_after_its_end(stage: Stage) -> None:
    async with working(stage, doubles, waits) as site:
        held = await site.enqueue(waits)
        await site.started(held)
        state = await (await stage.workflow(held)).query("getJobState")
        assert (state["step"], state["progress"], state["error"], state["completedAt"]) == ("running", 0, None, None)
        assert state["startedAt"]
        job = await site.enqueue(doubles, {"number": 21})
        workflow = await stage.workflow(job)
        await site.ended(job)
        await closed(workflow)
        state = await workflow.query("getJobState")
        assert (state["step"], state["progress"], state["error"]) == ("completed", 100, None)
        assert state["startedAt"] < state["completedAt"]


async def test_a_progress_that_is_signalled_is_seen_in_the_query_and_in_the_row(stage: Stage) -> None:
    async with working(stage, waits) as site:
        job = await site.enqueue(waits)
        await site.started(job)
        await site.becomes(job, JobState.PROCESSING)
        workflow = await stage.workflow(job)
        await workflow.signal("updateProgress", {"progress": 40, "message": "counting"})

        async def shown() -> bool:
            record = await site.record(job)
            return (record.progress, record.progress_message) == (40, "counting")

        await site.until(shown, "the row shows the progress")
        state = await workflow.query("getJobState")
        assert (state["progress"], state["message"]) == (40, "counting")


async def test_a_signal_in_plain_words_cancels_a_job_that_waits_though_no_seat_is_free(stage: Stage) -> None:
    """As Temporal's own command line sends it."""
    async with working(stage, waits, doubles, concurrency=1) as site:
        await site.started(await site.enqueue(waits))
        job = await site.enqueue(doubles, {"number": 1})
        workflow = await stage.workflow(job)
        await site.until(lambda: is_handed(site, job), "its workflow begins")
        await workflow.signal("cancelJob", {"reason": "typed wrongly", "cancelledBy": "Grace"})
        record = await site.ended(job, JobState.CANCELLED)
        assert record.error is not None
        assert (record.error["reason"], record.error["cancelled_by"]) == ("typed wrongly", "Grace")
        assert await closed(workflow) in (Ended.FAILED, Ended.CANCELED)
        assert site.runs_of(job) == []


async def test_a_progress_is_shown_though_no_seat_is_free(stage: Stage) -> None:
    async with working(stage, waits, concurrency=1) as site:
        job = await site.enqueue(waits)
        await site.becomes(job, JobState.PROCESSING)
        await (await stage.workflow(job)).signal("updateProgress", {"progress": 7})

        async def shown() -> bool:
            return (await site.record(job)).progress == 7

        await site.until(shown, "the row shows the progress")


@workflow.defn(name="own-workflow", sandboxed=False)
class OwnWorkflow:
    """What a team may write that keeps a job's record in jobcore without our workflow."""

    @workflow.run
    async def run(self, job: dict[str, Any]) -> dict[str, Any]:
        names = {name: job[name] for name in ("jobId", "tenantId")}
        options: dict[str, Any] = {
            "task_queue": job["queue_of_jobs"],
            "start_to_close_timeout": BRIEF,
            "retry_policy": RetryPolicy(maximum_attempts=1),
        }
        detail = {**names, "stepName": "weighed", "status": "completed", "metadata": {"kilos": 3}}
        made = await workflow.execute_activity("createJobDetail", detail, **options)
        receipt = await workflow.execute_activity("executeJobHandler", job, heartbeat_timeout=BRIEF, **options)
        other = {"jobId": job["other"], "tenantId": job["tenantId"], "status": "failed", "error": "out of stock"}
        changed = await workflow.execute_activity("updateJobStatus", other, **options)
        return {"detail": made, "receipt": receipt, "changed": changed}


async def test_the_three_activities_serve_a_workflow_of_ones_own(stage: Stage) -> None:
    async with opened(stage, doubles) as site:
        job = await site.enqueue(doubles, {"number": 21}, delay=3600)
        other = await site.enqueue(doubles, {"number": 1}, delay=3600)
        client = await stage.client()
        given = {
            "jobId": str(job.job_id),
            "jobName": doubles.name,
            "tenantId": str(site.tenant),
            "other": str(other.job_id),
            "queue_of_jobs": stage.task_queue,
        }
        own = Worker(client, task_queue=f"own-{stage.task_queue}", workflows=[OwnWorkflow])
        async with site.working(), own:
            ended = await client.execute_workflow(
                OwnWorkflow.run, given, id=f"own-{job.job_id}", task_queue=own.task_queue, execution_timeout=BRIEF
            )
            assert (ended["receipt"]["status"], ended["receipt"]["result"]) == ("completed", 42)
            assert (await site.record(job)).result == 42
            [detail] = await site.details(job)
            assert (str(detail.detail_id), detail.step_name, detail.metadata) == (
                ended["detail"],
                "weighed",
                {"kilos": 3},
            )
            assert ended["changed"] is True
            failed = await site.record(other)
            assert failed.error is not None
            assert (failed.status, failed.error["message"]) == (JobState.FAILED, "out of stock")
