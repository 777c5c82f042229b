"""How each scenario ends: the job's row and Temporal's own status agree, within one cycle of the reconciler."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from temporalio.client import WorkflowExecutionStatus as Ended
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ActivityError

from jobcore import JobContext, NonRetryableError
from jobcore.states import JobState
from jobcore.testing.runner_contract.site import LONG, SOON, Anything, Stumble, handler, opened, working
from jobcore_devkit.lane import Lane
from jobcore_devkit.postgres import PostgresServer
from jobcore_postgres.background.endings import GRACE
from jobcore_temporal import workflow as workflow_module
from jobcore_temporal.messages import GENERIC_WORKFLOW, CancelJob, JobInput
from temporal_runner.harness import CYCLE, HAPPY_PATH, Stage, closed, events_of, outbox_of

PATIENCE = 0.5
"""Seconds that a worker tries to write an end."""
MOVE = """
select * from jobcore.job_move(
    jsonb_build_array(jsonb_build_object('tenant', %s::uuid, 'job_id', %s::uuid)), 'pgboss', '{}')
"""


@handler()
async def adds(ctx: JobContext, data: Anything) -> int:
    return 1 + data.get("to", 0)


@handler(retry=SOON)
async def succeeds_at_last(ctx: JobContext, data: Anything) -> int:
    if ctx.attempt < 3:
        raise Stumble(f"attempt {ctx.attempt}")
    return ctx.attempt


@handler(retry=SOON)
async def stumbles(ctx: JobContext, data: Anything) -> None:
    raise Stumble(f"attempt {ctx.attempt}")


@handler()
async def refuses(ctx: JobContext, data: Anything) -> None:
    raise NonRetryableError("never")


@handler(timeout=timedelta(milliseconds=200))
async def dawdles(ctx: JobContext, data: Anything) -> None:
    await asyncio.sleep(60)


@handler(retry=LONG)
async def stumbles_for_long(ctx: JobContext, data: Anything) -> None:
    raise Stumble


@handler(abort_grace=timedelta(seconds=5))
async def listens(ctx: JobContext, data: Anything) -> None:
    await ctx.signal.wait()
    ctx.signal.raise_if_aborted()


class TestTheHandlerDecides:
    async def test_success_is_a_completed_workflow_with_the_result_in_few_events(self, stage: Stage) -> None:
        async with working(stage, adds) as site:
            job = await site.enqueue(adds, {"to": 41})
            record = await site.ended(job)
            assert (record.attempt, record.result, record.progress) == (1, 42, 100)
            workflow = await stage.workflow(job)
            result = await workflow.result()
            assert (result["success"], result["status"], result["result"]) == (True, "completed", 42)
            assert await closed(workflow) is Ended.COMPLETED
            assert len(await events_of(workflow)) <= HAPPY_PATH
            assert await outbox_of(site, job) == []

    async def test_success_at_the_third_attempt_counts_the_attempts_and_costs_no_event(self, stage: Stage) -> None:
        async with working(stage, succeeds_at_last) as site:
            job = await site.enqueue(succeeds_at_last)
            record = await site.ended(job)
            assert (record.attempt, record.result) == (3, 3)
            assert [row.status for row in await site.attempts(job)] == ["failed", "failed"]
            workflow = await stage.workflow(job)
            assert await closed(workflow) is Ended.COMPLETED
            assert len(await events_of(workflow)) <= HAPPY_PATH

    async def test_failure_for_good_is_a_failed_workflow_that_says_why(self, stage: Stage) -> None:
        async with working(stage, stumbles) as site:
            job = await site.enqueue(stumbles)
            record = await site.ended(job, JobState.FAILED)
            assert record.error is not None
            assert (record.attempt, record.error["message"]) == (3, "attempt 3")
            workflow = await stage.workflow(job)
            assert await closed(workflow) is Ended.FAILED
            assert "attempt 3" in await reason_of(workflow)
            assert len(await events_of(workflow)) <= HAPPY_PATH

    async def test_an_error_that_is_not_retried_fails_at_the_first_attempt(self, stage: Stage) -> None:
        async with working(stage, refuses) as site:
            job = await site.enqueue(refuses)
            record = await site.ended(job, JobState.FAILED)
            assert record.error is not None
            assert (record.attempt, record.error["message"]) == (1, "never")
            workflow = await stage.workflow(job)
            assert await closed(workflow) is Ended.FAILED
            assert len(await events_of(workflow)) <= HAPPY_PATH

    async def test_a_time_out_on_every_attempt_is_a_failure_of_its_own_kind(self, stage: Stage) -> None:
        async with working(stage, dawdles) as site:
            job = await site.enqueue(dawdles)
            record = await site.ended(job, JobState.FAILED)
            assert record.error is not None
            assert record.attempt == 3
            assert record.error["type"].endswith("JobTimeoutError")
            workflow = await stage.workflow(job)
            assert await closed(workflow) is Ended.FAILED
            assert len(await events_of(workflow)) <= HAPPY_PATH


async def reason_of(workflow: Any) -> str:
    """What the failure of a workflow says at its root."""
    with pytest.raises(WorkflowFailureError) as caught:
        await workflow.result()
    cause = caught.value.cause
    return str(cause.cause if isinstance(cause, ActivityError) else cause)


class TestTheDatabaseIsAway:
    @pytest.fixture
    def lane(self, postgres_server: PostgresServer) -> Iterator[Lane]:
        with Lane(postgres_server.port) as lane:
            yield lane

    @pytest.fixture
    def stage(self, stage: Stage, postgres_server: PostgresServer, lane: Lane) -> Stage:
        """With a lane between the application and PostgreSQL, and little patience."""
        direct = urlsplit(postgres_server.dsn(urlsplit(stage.dsn).path.lstrip("/"), tcp=True))
        through = direct._replace(netloc=f"{direct.netloc.rpartition(':')[0]}:{lane.port}").geturl()
        return Stage(
            stage.dsn, stage.address, database={"url": through}, temporal={"settle_patience_seconds": PATIENCE}
        )

    @pytest.mark.parametrize("fault", ["refuse", "black_hole"])
    async def test_when_the_handler_completes_the_workflow_writes_that(
        self, stage: Stage, lane: Lane, fault: str
    ) -> None:
        went_dark: list[float] = []

        @handler()
        async def goes_dark(ctx: JobContext, data: Anything) -> str:
            getattr(lane, fault)()
            went_dark.append(time.monotonic())
            return "worth keeping"

        async with working(stage, goes_dark) as site:
            job = await site.enqueue(goes_dark)
            await site.started(job)
            workflow = await stage.workflow(job)

            async def is_recording() -> bool:
                return (await workflow.query("getJobState"))["step"] == "recording"

            await site.until(is_recording, "the workflow takes over")
            assert time.monotonic() - went_dark[0] <= PATIENCE + GRACE + 1
            lane.heal()
            record = await site.ended(job)
            assert (record.attempt, record.result, len(site.runs_of(job))) == (1, "worth keeping", 1)
            assert await closed(workflow) is Ended.COMPLETED
            assert len(await events_of(workflow)) == 17
            assert await outbox_of(site, job) == []

    async def test_when_a_waiting_job_is_cancelled_its_row_hears_of_it_later(
        self, stage: Stage, lane: Lane, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(workflow_module, "ASKING", timedelta(seconds=1))
        async with working(stage, stumbles_for_long) as site:
            job = await site.enqueue(stumbles_for_long)
            await site.put_off(job)
            lane.refuse()
            workflow = await stage.workflow(job)
            await workflow.signal("cancelJob", CancelJob("no longer needed", "Ada"))

            async def is_recording() -> bool:
                return (await workflow.query("getJobState"))["step"] == "recording"

            await site.until(is_recording, "the workflow takes over")
            lane.heal()
            record = await site.ended(job, JobState.CANCELLED)
            assert record.error is not None
            assert (record.error["reason"], record.error["cancelled_by"]) == ("no longer needed", "Ada")
            assert await closed(workflow) in (Ended.FAILED, Ended.CANCELED)
            assert await outbox_of(site, job) == []


class TestSomebodyStopsIt:
    async def test_a_cancelled_workflow_that_runs_cancels_the_job_with_its_reason(self, stage: Stage) -> None:
        async with working(stage, listens) as site:
            job = await site.enqueue(listens)
            await site.started(job)
            workflow = await stage.workflow(job)
            await workflow.cancel(reason="out of stock")
            record = await site.ended(job, JobState.CANCELLED)
            assert record.error is not None
            assert (record.error["reason"], record.error["cancelled_by"]) == ("out of stock", "temporal")
            assert await closed(workflow) is Ended.CANCELED
            assert await outbox_of(site, job) == []

    async def test_a_cancelled_workflow_that_waits_for_a_retry_cancels_the_job_at_once(self, stage: Stage) -> None:
        async with working(stage, stumbles_for_long) as site:
            job = await site.enqueue(stumbles_for_long)
            await site.put_off(job)
            workflow = await stage.workflow(job)
            await workflow.cancel(reason="out of stock")
            record = await site.ended(job, JobState.CANCELLED)
            assert record.error is not None
            assert (record.error["reason"], record.error["cancelled_by"]) == ("out of stock", "temporal")
            assert await closed(workflow) is Ended.CANCELED
            assert len(site.runs_of(job)) == 1

    async def test_the_signal_alone_cancels_a_running_job_and_tells_who_did(self, stage: Stage) -> None:
        async with working(stage, listens) as site:
            job = await site.enqueue(listens)
            await site.started(job)
            workflow = await stage.workflow(job)
            await workflow.signal("cancelJob", CancelJob("no longer needed", "Ada"))
            record = await site.ended(job, JobState.CANCELLED)
            assert record.error is not None
            assert (record.error["reason"], record.error["cancelled_by"]) == ("no longer needed", "Ada")
            assert await closed(workflow) in (Ended.FAILED, Ended.CANCELED)

    async def test_a_terminated_workflow_fails_the_job_with_the_reason(self, stage: Stage) -> None:
        aborted = asyncio.Event()

        @handler()
        async def waits(ctx: JobContext, data: Anything) -> None:
            await ctx.signal.wait()
            aborted.set()

        async with working(stage, waits) as site:
            job = await site.enqueue(waits)
            await site.started(job)
            workflow = await stage.workflow(job)
            await workflow.terminate(reason="by an operator")
            began = time.monotonic()
            record = await site.ended(job, JobState.FAILED)
            assert time.monotonic() - began <= CYCLE + 1
            assert record.error is not None
            assert record.error["type"] == "RunEndedError"
            assert "TERMINATED" in record.error["message"]
            assert "by an operator" in record.error["message"]
            assert await closed(workflow) is Ended.TERMINATED
            await asyncio.wait_for(aborted.wait(), 5)
            assert len(site.runs_of(job)) == 1

    async def test_an_execution_that_times_out_fails_the_job_with_that_reason(self, stage: Stage) -> None:
        """The relay sets no such limit; an operator's tool may have started the workflow of this id first."""
        async with opened(stage, listens) as site:
            job = await site.enqueue(listens)
            workflow = await start_by_hand(stage, job, listens.name, execution_timeout=timedelta(seconds=1.5))
            async with site.working():
                await site.started(job)
                assert await closed(workflow) is Ended.TIMED_OUT
                began = time.monotonic()
                record = await site.ended(job, JobState.FAILED)
                assert time.monotonic() - began <= CYCLE + 1
                assert record.error is not None
                assert record.error["type"] == "RunEndedError"
                assert "TIMED_OUT" in record.error["message"]


async def start_by_hand(stage: Stage, job: Any, name: str, **options: Any) -> Any:
    """Start the workflow that the relay would start."""
    workflow = await stage.workflow(job)
    given = JobInput(str(job.job_id), name, str(job.tenant), {})
    client = await stage.client()
    return await client.start_workflow(GENERIC_WORKFLOW, given, id=workflow.id, task_queue=stage.task_queue, **options)


async def test_a_job_that_was_moved_before_the_claim_is_left_alone(stage: Stage) -> None:
    """As if StartWorkflow had got no answer, and the relay had then given the job to the other engine."""
    async with opened(stage, adds) as site:
        job = await site.enqueue(adds)
        workflow = await start_by_hand(stage, job, adds.name)
        async with stage.transaction(site.app) as connection:
            assert len(await (await connection.execute(MOVE, (job.tenant, job.job_id))).fetchall()) == 1
        before = await row_of(site, job)
        async with site.working():
            result = await workflow.result()
            assert (result["success"], result["status"]) == (False, "moved")
            assert await closed(workflow) is Ended.COMPLETED
            assert await row_of(site, job) == before
            assert before["runner_type"] == "pgboss"
            assert site.runs == ()


async def row_of(site: Any, job: Any) -> dict[str, Any]:
    """The whole row."""
    async with site.harness.transaction(site.app) as connection:
        cursor = await connection.execute("select to_jsonb(j) from jobs j where job_id = %s", (job.job_id,))
        (row,) = await cursor.fetchone()
        return row
