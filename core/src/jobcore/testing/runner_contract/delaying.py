"""Delays."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from jobcore.app.options import LONGEST_DELAY
from jobcore.errors import InputError, NaiveDatetimeError
from jobcore.ports.context import JobContext
from jobcore.states import JobState
from jobcore.testing.runner_contract.behaviour import needs
from jobcore.testing.runner_contract.harness import RunnerHarness
from jobcore.testing.runner_contract.site import SLACK, Anything, handler, opened, working


@needs("delayed")
async def test_a_delayed_job_begins_after_its_delay_and_not_before(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with working(harness, plain) as site:
        asked = time.monotonic()
        job = await site.enqueue(plain, delay=timedelta(milliseconds=400))
        await site.ended(job)
        [run] = site.runs_of(job)
        assert 0.4 - SLACK <= run.began - asked <= 0.4 + harness.lateness


@needs("delayed")
async def test_a_job_with_a_time_begins_at_it_and_not_before(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with working(harness, plain) as site:
        run_at = datetime.now(UTC) + timedelta(milliseconds=400)
        asked = time.monotonic()
        job = await site.enqueue(plain, run_at=run_at)
        assert abs((await site.record(job)).run_at - run_at) < timedelta(milliseconds=1)
        await site.ended(job)
        [run] = site.runs_of(job)
        assert 0.4 - SLACK <= run.began - asked <= 0.4 + harness.lateness


@needs("delayed")
async def test_a_job_whose_time_has_passed_runs_at_once(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with working(harness, plain) as site:
        job = await site.enqueue(plain, run_at=datetime.now(UTC) - timedelta(days=1))
        await site.ended(job)


@needs("delayed")
async def test_a_delayed_job_is_queued_and_its_row_says_for_when(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        job = await site.enqueue(plain, delay=3600)
        record = await site.record(job)
        assert (record.status, record.attempt) == (JobState.QUEUED, 0)
        assert record.run_at - record.created_at == timedelta(hours=1)


@needs("delayed")
async def test_the_longest_delay_is_kept(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        record = await site.record(await site.enqueue(plain, delay=LONGEST_DELAY))
        assert record.run_at - record.created_at == LONGEST_DELAY
        with pytest.raises(InputError, match="days"):
            await site.enqueue(plain, delay=LONGEST_DELAY + timedelta(seconds=1))


@needs("delayed")
async def test_delayed_jobs_hold_up_no_others(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with working(harness, plain, concurrency=1) as site:
        later = [await site.enqueue(plain, delay=3600) for _ in range(20)]
        await site.ended(await site.enqueue(plain))
        assert site.runs_of(*later) == []


@needs("delayed")
async def test_the_shorter_delay_is_over_first(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with working(harness, plain) as site:
        long = await site.enqueue(plain, delay=0.9)
        short = await site.enqueue(plain, delay=0.3)
        await site.all_ended([long, short])
        assert [run.job_id for run in site.runs] == [short.job_id, long.job_id]


@needs("delayed", "advance")
async def test_a_job_delayed_by_a_day_runs_when_the_day_has_passed(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with working(harness, plain) as site:
        job = await site.enqueue(plain, delay=timedelta(days=1))
        await site.advance(timedelta(hours=23))
        await site.ended(await site.enqueue(plain))
        assert site.runs_of(job) == []
        await site.advance(timedelta(hours=1))
        await site.ended(job)


@needs("delayed")
async def test_a_time_that_nobody_can_mean_is_refused(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        with pytest.raises(InputError, match="not both"):
            await site.enqueue(plain, delay=1, run_at=datetime.now(UTC))
        with pytest.raises(NaiveDatetimeError):
            await site.enqueue(plain, run_at=datetime(2030, 1, 1))  # noqa: DTZ001 - it is what is refused
        with pytest.raises(InputError):
            await site.enqueue(plain, delay=-1)
        assert await site.app.find_jobs(site.tenant) == []
