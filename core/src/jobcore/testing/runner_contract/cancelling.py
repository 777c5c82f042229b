"""Cancellation."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from uuid import uuid4

from jobcore.models import JobRecord
from jobcore.ports.context import JobContext
from jobcore.states import JobState
from jobcore.testing.runner_contract.behaviour import needs
from jobcore.testing.runner_contract.harness import RunnerHarness
from jobcore.testing.runner_contract.site import LONG, Anything, Handle, Site, Stumble, handler, opened, working

SCHEDULING = 0.25
"""Seconds that a busy machine may add to a declared latency."""


def _assert_told(record: JobRecord) -> None:
    """Assert that the row says why the job was cancelled, and by whom."""
    assert record.error is not None
    assert (record.error["reason"], record.error["cancelled_by"]) == ("not wanted", "Ada")
    assert record.completed_at is not None


async def _cancel(site: Site, job: Handle) -> bool:
    return await site.app.cancel(job.tenant, job.job_id, reason="not wanted", cancelled_by="Ada")


async def test_a_waiting_job_is_cancelled_at_once_and_never_runs(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        job = await site.enqueue(plain)
        assert await _cancel(site, job)
        record = await site.record(job)
        assert record.status is JobState.CANCELLED
        _assert_told(record)
        async with site.working():
            await site.ended(await site.enqueue(plain))
            assert site.runs_of(job) == []


@needs("delayed")
async def test_a_delayed_job_is_cancelled_at_once_and_never_runs(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with working(harness, plain) as site:
        job = await site.enqueue(plain, delay=0.3)
        assert await _cancel(site, job)
        assert (await site.record(job)).status is JobState.CANCELLED
        await site.ended(await site.enqueue(plain, delay=0.4))
        assert site.runs_of(job) == []


async def test_a_job_that_waits_for_its_retry_is_cancelled_at_once(harness: RunnerHarness) -> None:
    @handler(retry=LONG)
    async def stumbles(ctx: JobContext, data: Anything) -> None:
        raise Stumble

    async with working(harness, stumbles) as site:
        job = await site.enqueue(stumbles)
        await site.put_off(job)
        assert await _cancel(site, job)
        record = await site.record(job)
        assert record.status is JobState.CANCELLED
        _assert_told(record)


@needs("cancel_running")
async def test_a_running_handler_hears_of_its_cancellation_in_time(harness: RunnerHarness) -> None:
    heard: list[tuple[str | None, str | None, float]] = []

    @handler(abort_grace=timedelta(seconds=30))
    async def listens(ctx: JobContext, data: Anything) -> None:
        await ctx.signal.wait()
        heard.append((ctx.signal.reason, ctx.signal.aborted_by, time.monotonic()))
        ctx.signal.raise_if_aborted()

    async with working(harness, listens) as site:
        job = await site.enqueue(listens)
        await site.started(job)
        await site.becomes(job, JobState.PROCESSING)
        asked = time.monotonic()
        assert await _cancel(site, job)
        record = await site.ended(job, JobState.CANCELLED)
        _assert_told(record)
    [(reason, by, at)] = heard
    assert (reason, by) == ("not wanted", "Ada")
    assert at - asked <= harness.capabilities.cancel_latency.total_seconds() + SCHEDULING


@needs("cancel_running")
async def test_the_row_of_a_running_job_tells_that_its_cancellation_is_asked_for(harness: RunnerHarness) -> None:
    finish = asyncio.Event()

    @handler(abort_grace=timedelta(seconds=30))
    async def finishes(ctx: JobContext, data: Anything) -> None:
        await finish.wait()
        await ctx.signal.wait()
        ctx.signal.raise_if_aborted()

    async with working(harness, finishes) as site:
        job = await site.enqueue(finishes)
        await site.started(job)
        assert await _cancel(site, job)
        asked = (await site.record(job)).cancel_requested
        assert asked is not None
        assert (asked["reason"], asked["cancelled_by"]) == ("not wanted", "Ada")
        finish.set()
        await site.ended(job, JobState.CANCELLED)


@needs("cancel_running")
async def test_a_handler_that_does_not_listen_is_interrupted_after_its_grace(harness: RunnerHarness) -> None:
    interrupted: list[str] = []

    @handler()
    async def deaf(ctx: JobContext, data: Anything) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            interrupted.append("cancelled")
            raise

    async with working(harness, deaf) as site:
        job = await site.enqueue(deaf)
        await site.started(job)
        assert await _cancel(site, job)
        _assert_told(await site.ended(job, JobState.CANCELLED))
    assert interrupted == ["cancelled"]


@needs("cancel_running", "thread")
async def test_a_handler_in_a_thread_hears_of_its_cancellation(harness: RunnerHarness) -> None:
    @handler(abort_grace=timedelta(seconds=30))
    def listens(ctx: JobContext, data: Anything) -> None:
        ctx.signal.wait_blocking(harness.patience)
        ctx.signal.raise_if_aborted()

    async with working(harness, listens) as site:
        job = await site.enqueue(listens)
        await site.started(job)
        asked = time.monotonic()
        assert await _cancel(site, job)
        _assert_told(await site.ended(job, JobState.CANCELLED))
        latency = harness.capabilities.cancel_latency.total_seconds()
        assert time.monotonic() - asked <= latency + harness.lateness


@needs("cancel_running")
async def test_a_cancelled_job_is_not_tried_again(harness: RunnerHarness) -> None:
    @handler()
    async def stumbles(ctx: JobContext, data: Anything) -> None:
        await ctx.signal.wait()
        raise Stumble

    async with working(harness, stumbles) as site:
        job = await site.enqueue(stumbles)
        await site.started(job)
        assert await _cancel(site, job)
        await site.ended(job, JobState.CANCELLED)
        assert (await site.app.queue_sizes([stumbles.queue]))[stumbles.queue] == 0
        assert len(site.runs_of(job)) == 1


@needs("cancel_running")
async def test_a_handler_that_finished_its_work_all_the_same_has_completed(harness: RunnerHarness) -> None:
    finish = asyncio.Event()

    @handler(abort_grace=timedelta(seconds=30))
    async def finishes(ctx: JobContext, data: Anything) -> str:
        await finish.wait()
        return "done"

    async with working(harness, finishes) as site:
        job = await site.enqueue(finishes)
        await site.started(job)
        assert await _cancel(site, job)
        finish.set()
        assert (await site.ended(job)).result == "done"


async def test_a_job_that_has_ended_cannot_be_cancelled(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with working(harness, plain) as site:
        job = await site.enqueue(plain)
        await site.ended(job)
        assert not await _cancel(site, job)
        assert (await site.record(job)).status is JobState.COMPLETED


async def test_a_job_is_cancelled_once(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        job = await site.enqueue(plain)
        assert await _cancel(site, job)
        assert not await job.cancel("another reason")
        _assert_told(await site.record(job))


async def test_a_job_that_does_not_exist_cannot_be_cancelled(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        assert not await site.app.cancel(site.tenant, uuid4())
        runner = await site.app.runner()
        assert not await runner.cancel(site.tenant, uuid4())


@needs("cancel_running")
async def test_a_cancellation_reaches_one_job_and_no_other(harness: RunnerHarness) -> None:
    finish = asyncio.Event()

    @handler(abort_grace=timedelta(seconds=30))
    async def either(ctx: JobContext, data: Anything) -> str:
        waits = [asyncio.ensure_future(finish.wait()), asyncio.ensure_future(ctx.signal.wait())]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        ctx.signal.raise_if_aborted()
        return "done"

    async with working(harness, either) as site:
        jobs = [await site.enqueue(either) for _ in range(3)]
        for job in jobs:
            await site.started(job)
        assert await _cancel(site, jobs[1])
        await site.ended(jobs[1], JobState.CANCELLED)
        finish.set()
        await site.all_ended([jobs[0], jobs[2]])
