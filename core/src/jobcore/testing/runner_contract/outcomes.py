"""What a handler may say beside "done" and "failed"."""

from __future__ import annotations

from datetime import timedelta

from jobcore.execution import Cancel, Retry, Snooze
from jobcore.ports.context import JobContext
from jobcore.states import JobState
from jobcore.testing.runner_contract.harness import RunnerHarness
from jobcore.testing.runner_contract.site import SLACK, Anything, Stumble, handler, working


async def test_a_snooze_costs_no_attempt(harness: RunnerHarness) -> None:
    attempts: list[int] = []

    @handler()
    async def snoozes(ctx: JobContext, data: Anything) -> None:
        attempts.append(ctx.attempt)
        if len(attempts) < 4:
            raise Snooze(timedelta(milliseconds=50))

    async with working(harness, snoozes) as site:
        record = await site.ended(await site.enqueue(snoozes, max_attempts=1))
        assert attempts == [1, 1, 1, 1]
        assert (record.attempt, record.max_attempts) == (1, 1)


async def test_a_snoozed_job_runs_again_when_its_time_is_over(harness: RunnerHarness) -> None:
    @handler()
    async def snoozes(ctx: JobContext, data: Anything) -> None:
        if len(site.runs) == 1:
            raise Snooze(timedelta(milliseconds=400))

    async with working(harness, snoozes) as site:
        job = await site.enqueue(snoozes)
        await site.ended(job)
        first, second = site.runs_of(job)
        assert 0.4 - SLACK <= second.began - (first.ended or 0) <= 0.4 + harness.lateness


async def test_a_snooze_is_recorded_neither_as_an_error_nor_as_an_attempt(harness: RunnerHarness) -> None:
    @handler()
    async def snoozes(ctx: JobContext, data: Anything) -> None:
        raise Snooze(timedelta(hours=1))

    async with working(harness, snoozes) as site:
        job = await site.enqueue(snoozes)
        record = await site.put_off(job)
        assert (record.attempt, record.error) == (0, None)
        assert record.run_at - record.created_at > timedelta(minutes=59)
        assert await site.details(job) == []


async def test_a_snoozed_job_can_be_cancelled(harness: RunnerHarness) -> None:
    @handler()
    async def snoozes(ctx: JobContext, data: Anything) -> None:
        raise Snooze(timedelta(hours=1))

    async with working(harness, snoozes) as site:
        job = await site.enqueue(snoozes)
        await site.put_off(job)
        assert await job.cancel("overslept")
        record = await site.record(job)
        assert (record.status, record.as_status.error) == (JobState.CANCELLED, "overslept")


async def test_failures_are_counted_across_snoozes(harness: RunnerHarness) -> None:
    attempts: list[int] = []

    @handler()
    async def both(ctx: JobContext, data: Anything) -> None:
        attempts.append(ctx.attempt)
        if len(attempts) % 2:
            raise Snooze(timedelta(milliseconds=20))
        raise Stumble

    async with working(harness, both) as site:
        await site.ended(await site.enqueue(both), JobState.FAILED)
        assert attempts == [1, 1, 2, 2, 3, 3]


async def test_a_handler_may_cancel_its_own_job_with_a_reason(harness: RunnerHarness) -> None:
    @handler()
    async def gives_up(ctx: JobContext, data: Anything) -> None:
        raise Cancel("nobody wants it any more")

    async with working(harness, gives_up) as site:
        job = await site.enqueue(gives_up)
        record = await site.ended(job, JobState.CANCELLED)
        assert record.error is not None
        assert record.error["reason"] == "nobody wants it any more"
        assert len(site.runs_of(job)) == 1


async def test_an_outcome_may_be_returned_as_well_as_raised(harness: RunnerHarness) -> None:
    @handler()
    async def returns(ctx: JobContext, data: Anything) -> Retry | Snooze | Cancel:
        if len(site.runs) == 1:
            return Snooze(timedelta(milliseconds=20))
        return Retry(after=timedelta()) if ctx.attempt == 1 else Cancel("enough")

    async with working(harness, returns) as site:
        job = await site.enqueue(returns)
        assert (await site.ended(job, JobState.CANCELLED)).attempt == 2
        assert len(site.runs_of(job)) == 3
