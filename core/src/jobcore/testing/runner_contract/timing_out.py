"""Time-outs."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from jobcore.policies.retry import RetryPolicy
from jobcore.ports.context import JobContext
from jobcore.states import JobState
from jobcore.testing.runner_contract.behaviour import needs
from jobcore.testing.runner_contract.harness import RunnerHarness
from jobcore.testing.runner_contract.site import SLACK, Anything, handler, working

ONCE = RetryPolicy(max_attempts=1)
QUICK = timedelta(milliseconds=300)


async def test_a_handler_that_runs_past_its_time_out_has_failed(harness: RunnerHarness) -> None:
    @handler(timeout=QUICK, retry=ONCE)
    async def dawdles(ctx: JobContext, data: Anything) -> None:
        await asyncio.sleep(60)

    async with working(harness, dawdles) as site:
        job = await site.enqueue(dawdles)
        record = await site.ended(job, JobState.FAILED)
        assert record.error is not None
        assert record.error["type"].endswith("JobTimeoutError")
        [run] = site.runs_of(job)
        assert run.ended is not None
        assert 0.3 - SLACK <= run.ended - run.began <= 0.3 + harness.lateness


async def test_a_time_out_is_a_failed_attempt_and_is_retried(harness: RunnerHarness) -> None:
    @handler(timeout=QUICK)
    async def dawdles(ctx: JobContext, data: Anything) -> str:
        if ctx.attempt == 1:
            await asyncio.sleep(60)
        return "in time"

    async with working(harness, dawdles) as site:
        job = await site.enqueue(dawdles)
        record = await site.ended(job)
        assert (record.attempt, record.result) == (2, "in time")
        [row] = await site.attempts(job)
        assert row.result["type"].endswith("JobTimeoutError")


async def test_a_handler_cleans_up_when_its_time_is_over(harness: RunnerHarness) -> None:
    cleaned: list[str] = []

    @handler(timeout=QUICK, retry=ONCE)
    async def dawdles(ctx: JobContext, data: Anything) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cleaned.append(str(ctx.signal.aborted))

    async with working(harness, dawdles) as site:
        await site.ended(await site.enqueue(dawdles), JobState.FAILED)
        assert len(cleaned) == 1


async def test_a_handler_that_ends_in_time_is_not_disturbed(harness: RunnerHarness) -> None:
    @handler(timeout=timedelta(seconds=5))
    async def brisk(ctx: JobContext, data: Anything) -> bool:
        await asyncio.sleep(0.1)
        return ctx.signal.aborted

    async with working(harness, brisk) as site:
        record = await site.ended(await site.enqueue(brisk))
        assert (record.attempt, record.result) == (1, False)


@needs("thread")
async def test_a_handler_in_a_thread_that_runs_past_its_time_out_has_failed(harness: RunnerHarness) -> None:
    @handler(timeout=QUICK, retry=ONCE)
    def dawdles(ctx: JobContext, data: Anything) -> None:
        while not ctx.signal.wait_blocking(0.05):
            pass
        ctx.signal.raise_if_aborted()

    async with working(harness, dawdles) as site:
        record = await site.ended(await site.enqueue(dawdles), JobState.FAILED)
        assert record.error is not None
        assert record.error["type"].endswith("JobTimeoutError")
