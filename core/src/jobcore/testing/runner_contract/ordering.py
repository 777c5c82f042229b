"""Priority, order and concurrency."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

from jobcore.ports.context import JobContext
from jobcore.testing.runner_contract.behaviour import needs
from jobcore.testing.runner_contract.harness import RunnerHarness
from jobcore.testing.runner_contract.site import Anything, Handle, Site, handler, opened


async def _order(site: Site, jobs: list[Handle]) -> list[int]:
    """Work the jobs one at a time, and return the order in which they ran, by their places in the list."""
    await site.harness.line_up(site.app)
    async with site.working(concurrency=1):
        await site.all_ended(jobs)
    places = {job.job_id: place for place, job in enumerate(jobs)}
    return [places[run.job_id] for run in site.runs]


@needs("priority")
async def test_the_more_important_job_runs_first(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        jobs = [await site.enqueue(plain, priority=priority) for priority in (0, 5, -3, 20)]
        assert await _order(site, jobs) == [3, 1, 0, 2]


@needs("priority", "ordered")
async def test_of_two_priorities_next_to_each_other_the_higher_runs_first(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        jobs = [await site.enqueue(plain, priority=priority) for priority in (5, 6, -3, -2)]
        assert await _order(site, jobs) == [1, 0, 3, 2]


@needs("ordered")
async def test_jobs_of_one_priority_run_in_the_order_of_their_enqueues(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        jobs = [await site.enqueue(plain) for _ in range(12)]
        assert await _order(site, jobs) == list(range(12))


@needs("priority")
async def test_a_handlers_priority_is_that_of_its_jobs_unless_the_enqueue_says_otherwise(
    harness: RunnerHarness,
) -> None:
    queue = f"shared-{uuid4().hex[:10]}"

    @handler(queue=queue)
    async def common(ctx: JobContext, data: Anything) -> None: ...

    @handler(queue=queue, priority=7)
    async def urgent(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, common, urgent) as site:
        jobs = [await site.enqueue(common), await site.enqueue(urgent), await site.enqueue(urgent, priority=-1)]
        assert [(await site.record(job)).priority for job in jobs] == [0, 7, -1]
        assert await _order(site, jobs) == [1, 0, 2]


@needs("priority")
async def test_a_retry_keeps_its_priority(harness: RunnerHarness) -> None:
    @handler()
    async def stumbles(ctx: JobContext, data: Anything) -> None:
        if ctx.attempt == 1:
            raise RuntimeError("once")

    async with opened(harness, stumbles) as site:
        job = await site.enqueue(stumbles, priority=4)
        async with site.working():
            assert (await site.ended(job)).priority == 4


@needs("priority", "delayed", "ordered")
async def test_a_delayed_job_is_preferred_by_its_priority_once_it_is_due(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        jobs = [await site.enqueue(plain, priority=priority, delay=0.1) for priority in (1, 3, 2)]
        due = max([(await site.record(job)).run_at for job in jobs])
        await site.until(lambda: datetime.now(UTC) > due, "all jobs are due")
        assert await _order(site, jobs) == [1, 2, 0]


@needs("priority")
async def test_priorities_at_both_ends_of_the_range_are_kept(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        jobs = [await site.enqueue(plain, priority=priority) for priority in (-(2**31), 0, 2**31 - 1)]
        assert [(await site.record(job)).priority for job in jobs] == [-(2**31), 0, 2**31 - 1]
        assert await _order(site, jobs) == [2, 1, 0]


async def test_a_worker_runs_as_many_jobs_at_once_as_it_may_and_no_more(harness: RunnerHarness) -> None:
    holding = asyncio.Event()
    begun: list[int] = []

    @handler()
    async def holds(ctx: JobContext, data: Anything) -> None:
        begun.append(data["number"])
        await holding.wait()

    async with opened(harness, holds) as site, site.working(concurrency=3) as worker:
        jobs = [await site.enqueue(holds, {"number": number}) for number in range(8)]
        await site.until(lambda: len(begun) == 3, "three jobs run at once")
        assert len(worker.running()) == 3
        holding.set()
        await site.all_ended(jobs)
    assert _most_at_once(site) <= 3


async def test_a_worker_serves_the_queues_that_it_is_told_and_no_others(harness: RunnerHarness) -> None:
    @handler()
    async def mine(ctx: JobContext, data: Anything) -> None: ...

    @handler()
    async def other(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, mine, other) as site:
        left = await site.enqueue(other)
        async with site.working(queues=[mine.queue]):
            await site.ended(await site.enqueue(mine))
        assert site.runs_of(left) == []
        async with site.working(queues=[other.queue]):
            await site.ended(left)


def _most_at_once(site: Site) -> int:
    """Return how many runs overlapped at most."""
    edges = [(run.began, 1) for run in site.runs] + [(run.ended, -1) for run in site.runs if run.ended is not None]
    most = now = 0
    for _, change in sorted(edges):
        now += change
        most = max(most, now)
    return most
