"""Progress."""

from __future__ import annotations

import asyncio
import time

from jobcore.errors import InputError
from jobcore.policies.retry import RetryPolicy
from jobcore.ports.context import JobContext
from jobcore.states import JobState
from jobcore.testing.runner_contract.behaviour import needs
from jobcore.testing.runner_contract.harness import RunnerHarness
from jobcore.testing.runner_contract.site import Anything, Handle, Site, Stumble, handler, working

ONCE = RetryPolicy(max_attempts=1)


async def _shows(site: Site, job: Handle, percent: float, message: str | None) -> None:
    async def shown() -> bool:
        record = await site.record(job)
        return (record.progress, record.progress_message) == (percent, message)

    await site.until(shown, f"the row shows {percent} percent and {message!r}")


@needs("progress")
async def test_progress_is_seen_while_its_job_runs(harness: RunnerHarness) -> None:
    @handler()
    async def reports(ctx: JobContext, data: Anything) -> None:
        await ctx.progress(40, "two of five")
        await ctx.signal.wait()

    async with working(harness, reports) as site:
        job = await site.enqueue(reports)
        await _shows(site, job, 40, "two of five")
        assert (await site.record(job)).status is JobState.PROCESSING
        assert (await job.status()).progress == 40


@needs("progress")
async def test_progress_is_written_at_most_once_a_second(harness: RunnerHarness) -> None:
    ready = asyncio.Event()

    @handler()
    async def reports(ctx: JobContext, data: Anything) -> None:
        begun = time.monotonic()
        while not ready.is_set():
            await ctx.progress(min(99, 10 * (time.monotonic() - begun)))
            await asyncio.sleep(0.01)

    async with working(harness, reports) as site:
        job = await site.enqueue(reports)
        await site.started(job)
        seen: set[float | None] = set()
        watched_since = time.monotonic()

        async def watched() -> bool:
            seen.add((await site.record(job)).progress)
            return time.monotonic() - watched_since > 1.5

        await site.until(watched, "a second and a half have passed")
        passed = time.monotonic() - watched_since
        ready.set()
        await site.ended(job)
    assert 2 <= len(seen - {None}) <= passed + 2


@needs("progress")
async def test_the_last_progress_of_a_failed_job_is_written(harness: RunnerHarness) -> None:
    @handler(retry=ONCE)
    async def reports(ctx: JobContext, data: Anything) -> None:
        for percent in range(80):
            await ctx.progress(percent, f"at {percent}")
        raise Stumble

    async with working(harness, reports) as site:
        record = await site.ended(await site.enqueue(reports), JobState.FAILED)
        assert (record.progress, record.progress_message) == (79, "at 79")


@needs("progress")
async def test_progress_without_a_message_keeps_the_last_one(harness: RunnerHarness) -> None:
    @handler()
    async def reports(ctx: JobContext, data: Anything) -> None:
        await ctx.progress(40, "two of five")
        await asyncio.sleep(1.1)
        await ctx.progress(60)
        await ctx.signal.wait()

    async with working(harness, reports) as site:
        await _shows(site, await site.enqueue(reports), 60, "two of five")


@needs("progress")
async def test_a_job_that_has_completed_shows_100_percent(harness: RunnerHarness) -> None:
    @handler()
    async def reports(ctx: JobContext, data: Anything) -> None:
        await ctx.progress(10, "begun")

    async with working(harness, reports) as site:
        assert (await site.ended(await site.enqueue(reports))).progress == 100


@needs("progress")
async def test_progress_that_cannot_be_meant_is_refused_in_the_handler(harness: RunnerHarness) -> None:
    @handler()
    async def reports(ctx: JobContext, data: Anything) -> list[str]:
        refused: list[str] = []
        for percent in (-1, 101, float("nan")):
            try:
                await ctx.progress(percent)
            except InputError as error:
                refused.append(str(error))
        return refused

    async with working(harness, reports) as site:
        assert len((await site.ended(await site.enqueue(reports))).result) == 3


@needs("progress", "thread")
async def test_a_handler_in_a_thread_reports_progress(harness: RunnerHarness) -> None:
    @handler()
    def reports(ctx: JobContext, data: Anything) -> None:
        ctx.blocking.progress(30, "from a thread")
        ctx.signal.wait_blocking(harness.patience)

    async with working(harness, reports) as site:
        job = await site.enqueue(reports)
        await _shows(site, job, 30, "from a thread")
