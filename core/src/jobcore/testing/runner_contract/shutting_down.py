"""Workers that are told to stop."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from jobcore.ports.context import JobContext
from jobcore.states import JobState
from jobcore.testing.runner_contract.harness import RunnerHarness
from jobcore.testing.runner_contract.site import Anything, handler, opened
from jobcore.testing.runner_contract.waiting import always


async def test_a_stop_waits_for_the_running_jobs_within_its_grace(harness: RunnerHarness) -> None:
    finish = asyncio.Event()

    @handler()
    async def finishes(ctx: JobContext, data: Anything) -> bool:
        await finish.wait()
        return ctx.signal.aborted

    async with opened(harness, finishes) as site, site.working() as worker:
        job = await site.enqueue(finishes)
        await site.started(job)
        stopping = asyncio.create_task(worker.stop(timedelta(seconds=harness.patience)))
        await always(lambda: not stopping.done(), "the stop waits", 0.2)
        finish.set()
        await stopping
        record = await site.record(job)
        assert (record.status, record.result) == (JobState.COMPLETED, False)
        assert list(worker.running()) == []
        late = await site.enqueue(finishes)
        await always(lambda: not site.runs_of(late), "nothing starts after the stop", 0.2)
        assert (await site.record(late)).status is JobState.QUEUED


async def test_what_is_left_at_a_stop_is_told_and_handed_back_without_costing_an_attempt(
    harness: RunnerHarness,
) -> None:
    heard: list[str | None] = []
    attempts: list[int] = []

    @handler(abort_grace=timedelta(seconds=30))
    async def holds(ctx: JobContext, data: Anything) -> str:
        attempts.append(ctx.attempt)
        if len(attempts) == 1:
            await ctx.signal.wait()
            heard.append(ctx.signal.reason)
            ctx.signal.raise_if_aborted()
        return "in the end"

    async with opened(harness, holds) as site:
        job = await site.enqueue(holds, max_attempts=1)
        async with site.working() as worker:
            await site.started(job)
            await worker.stop(timedelta(milliseconds=50))
            assert len(heard) == 1
            assert (await site.record(job)).status is JobState.QUEUED
        async with site.working():
            record = await site.ended(job)
        assert (record.result, record.attempt) == ("in the end", 1)
        assert attempts == [1, 1]
        assert await site.details(job) == []


async def test_a_handler_that_does_not_listen_does_not_hold_up_a_stop(harness: RunnerHarness) -> None:
    @handler()
    async def deaf(ctx: JobContext, data: Anything) -> str:
        if len(site.runs) == 1:
            await asyncio.sleep(60)
        return "in the end"

    async with opened(harness, deaf) as site:
        job = await site.enqueue(deaf)
        async with site.working() as worker:
            await site.started(job)
            async with asyncio.timeout(harness.patience):
                await worker.stop(timedelta())
        async with site.working():
            assert (await site.ended(job)).result == "in the end"


async def test_a_drain_waits_for_the_running_jobs_and_takes_no_more(harness: RunnerHarness) -> None:
    finish = asyncio.Event()

    @handler()
    async def finishes(ctx: JobContext, data: Anything) -> None:
        await finish.wait()

    async with opened(harness, finishes) as site, site.working(concurrency=4) as worker:
        jobs = [await site.enqueue(finishes) for _ in range(2)]
        for job in jobs:
            await site.started(job)
        draining = asyncio.create_task(worker.drain())

        async def told() -> bool:
            live = await site.app.store.live_workers()
            return any(one.stopping for one in live if finishes.name in one.handlers)

        await site.until(told, "the worker tells that it is stopping")
        late = await site.enqueue(finishes)
        await always(lambda: not site.runs_of(late) and not draining.done(), "nothing more is taken", 0.3)
        finish.set()
        await draining
        assert [(await site.record(job)).status for job in jobs] == [JobState.COMPLETED] * 2
        assert site.runs_of(late) == []


async def test_a_worker_may_be_stopped_twice(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site, site.working() as worker:
        await site.ended(await site.enqueue(plain))
        await worker.stop()
        await worker.stop()
        await worker.wait_closed()


async def test_jobs_wait_for_the_next_worker(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        async with site.working():
            await site.ended(await site.enqueue(plain))
        jobs = [await site.enqueue(plain) for _ in range(5)]
        async with site.working():
            await site.all_ended(jobs)
        assert len(site.runs) == 6


async def test_workers_share_the_jobs_of_a_queue_and_run_each_once(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None:
        await asyncio.sleep(0.005)

    async with opened(harness, plain) as site, opened(harness, plain) as other:
        async with site.working(concurrency=4), other.working(concurrency=4):
            jobs = await site.app.enqueue_many(plain, [{"n": n} for n in range(80)], tenant=site.tenant)
            await site.all_ended(jobs)
        ran = [run.job_id for run in (*site.runs, *other.runs)]
        assert sorted(ran) == sorted(job.job_id for job in jobs)


async def test_a_waiting_job_starts_soon_after_a_worker_that_idles(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site, site.working():
        for _ in range(3):
            async with asyncio.timeout(harness.lateness):
                await site.ended(await site.enqueue(plain))
