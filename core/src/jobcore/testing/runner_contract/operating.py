"""Operation: retries by hand, queues, workers and health."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from math import inf
from uuid import uuid4

from jobcore.errors import NonRetryableError
from jobcore.ports.context import JobContext
from jobcore.states import JobState
from jobcore.testing.runner_contract.behaviour import needs
from jobcore.testing.runner_contract.harness import RunnerHarness
from jobcore.testing.runner_contract.site import Anything, Run, Stumble, handler, opened, working


async def test_an_operator_revives_a_failed_job_with_its_attempts_renewed(harness: RunnerHarness) -> None:
    attempts: list[tuple[int, int]] = []
    mended: list[bool] = []

    @handler()
    async def fails(ctx: JobContext, data: Anything) -> str:
        attempts.append((ctx.attempt, ctx.max_attempts))
        if not mended or len(attempts) < 4:
            raise Stumble
        return "mended"

    async with working(harness, fails) as site:
        job = await site.enqueue(fails, max_attempts=2)
        before = await site.ended(job, JobState.FAILED)
        mended.append(True)
        assert await site.app.retry(job.tenant, job.job_id)
        record = await site.ended(job)
        assert (record.result, record.error) == ("mended", None)
        assert record.epoch > before.epoch
    assert len(attempts) == 4
    assert [attempt for attempt, _ in attempts] == sorted(attempt for attempt, _ in attempts)
    assert all(attempt <= most for attempt, most in attempts)


async def test_an_operator_revives_a_cancelled_job(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        job = await site.enqueue(plain)
        assert await job.cancel("by mistake")
        assert await site.app.retry(job.tenant, job.job_id)
        revived = await site.record(job)
        assert (revived.status, revived.error, revived.completed_at) == (JobState.QUEUED, None, None)
        assert revived.cancel_requested is None
        async with site.working():
            await site.ended(job)


@needs("progress")
async def test_a_revived_job_begins_anew(harness: RunnerHarness) -> None:
    @handler()
    async def fails(ctx: JobContext, data: Anything) -> None:
        await ctx.progress(70, "nearly there")
        raise NonRetryableError("no")

    async with opened(harness, fails) as site:
        job = await site.enqueue(fails)
        async with site.working():
            await site.ended(job, JobState.FAILED)
        assert await site.app.retry(job.tenant, job.job_id)
        record = await site.record(job)
        assert (record.status, record.error, record.completed_at) == (JobState.QUEUED, None, None)
        assert (record.progress, record.progress_message, record.rescues) == (None, None, 0)


async def test_a_job_that_has_not_failed_is_not_revived(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        job = await site.enqueue(plain)
        assert not await site.app.retry(job.tenant, job.job_id)
        async with site.working():
            await site.ended(job)
        assert not await site.app.retry(job.tenant, job.job_id)
        assert not await site.app.retry(job.tenant, uuid4())
        assert len(site.runs_of(job)) == 1


async def test_the_history_of_a_revived_job_stays(harness: RunnerHarness) -> None:
    @handler()
    async def fails(ctx: JobContext, data: Anything) -> None:
        if len(site.runs) < 2:
            raise NonRetryableError("once")

    async with working(harness, fails) as site:
        job = await site.enqueue(fails)
        await site.ended(job, JobState.FAILED)
        assert await site.app.retry(job.tenant, job.job_id)
        await site.ended(job)
        assert [row.result["message"] for row in await site.attempts(job)] == ["once"]


async def test_a_worker_that_is_resized_runs_more_or_fewer_jobs_at_a_time(harness: RunnerHarness) -> None:
    enough = asyncio.Event()

    @handler()
    async def holds(ctx: JobContext, data: Anything) -> None:
        await enough.wait()

    @handler()
    async def counts(ctx: JobContext, data: Anything) -> None:
        await asyncio.sleep(0.01)

    async with opened(harness, holds, counts) as site, site.working(concurrency=2) as worker:
        held = [await site.enqueue(holds) for _ in range(6)]
        await site.until(lambda: len(worker.running()) == 2, "two jobs run")
        worker.resize(5)
        await site.until(lambda: len(worker.running()) == 5, "five jobs run")
        worker.resize(1)
        counted = [await site.enqueue(counts) for _ in range(12)]
        enough.set()
        await site.all_ended([*held, *counted])
        released = max(run.ended or 0 for run in site.runs_of(*held[:5]))
        assert most_at_once([run for run in site.runs_of(*counted) if run.began > released]) <= 1
        worker.resize(4)
        again = [await site.enqueue(counts) for _ in range(40)]
        await site.all_ended(again)
        assert most_at_once(site.runs_of(*again)) > 1


def most_at_once(runs: Sequence[Run]) -> int:
    """Return how many of these runs went on at one time at most."""
    return max((sum(other.began <= run.began < (other.ended or inf) for other in runs) for run in runs), default=0)


async def test_a_queues_size_counts_what_waits(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        jobs = [await site.enqueue(plain) for _ in range(3)]
        jobs.append(await site.enqueue(plain, tenant=uuid4()))
        assert await site.app.queue_sizes([plain.queue]) == {plain.queue: 4}
        await jobs[0].cancel()
        assert await site.app.queue_sizes([plain.queue]) == {plain.queue: 3}
        async with site.working():
            await site.all_ended(jobs[1:])
        assert await site.app.queue_sizes([plain.queue]) == {plain.queue: 0}


@needs("delayed")
async def test_a_queues_size_counts_delayed_jobs_too(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        await site.enqueue(plain, delay=3600)
        assert await site.app.queue_sizes([plain.queue]) == {plain.queue: 1}
        assert (await site.app.queue_sizes())[plain.queue] == 1


async def test_a_queue_that_nobody_knows_is_empty(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        assert await site.app.queue_sizes(["no-such-queue"]) == {"no-such-queue": 0}


async def test_a_runner_that_works_is_healthy(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        runner = await site.app.runner()
        before = (await runner.health()).queue_size
        await site.enqueue(plain)
        health = await runner.health()
        assert (health.healthy, health.runner_type) == (True, runner.runner_type)
        assert health.queue_size == (before or 0) + 1
        assert (await site.app.health()).healthy


async def test_a_worker_announces_what_it_serves_until_it_stops(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:

        async def gone() -> bool:
            return not any(plain.name in worker.handlers for worker in await site.app.store.live_workers())

        async with site.working(concurrency=3):
            [worker] = [w for w in await site.app.store.live_workers() if plain.name in w.handlers]
            assert (worker.queues, worker.concurrency) == ((plain.queue,), 3)
            assert worker.runner_type == site.app.default_runner
        await site.until(gone, "the worker is gone from the list")


async def test_jobs_are_counted_by_state_and_runner(harness: RunnerHarness) -> None:
    @handler()
    async def either(ctx: JobContext, data: Anything) -> None:
        if data["fails"]:
            raise NonRetryableError("no")

    async with opened(harness, either) as site:
        good, bad = await site.enqueue(either, {"fails": False}), await site.enqueue(either, {"fails": True})
        async with site.working():
            await site.ended(good)
            await site.ended(bad, JobState.FAILED)
        await site.enqueue(either, {"fails": False})
        metrics = await site.app.metrics(site.tenant)
        counts = {state: count for state, count in metrics.by_state.items() if count}
        assert counts == {JobState.COMPLETED: 1, JobState.FAILED: 1, JobState.QUEUED: 1}
        assert sum(metrics.by_runner[site.app.default_runner].values()) == 3
