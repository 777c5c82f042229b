"""Fires that overlap, and fires that were missed."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from jobcore.models import JobRecord
from jobcore.ports.context import JobContext
from jobcore.states import JobState
from jobcore.testing.runner_contract.behaviour import needs
from jobcore.testing.runner_contract.firing import (
    A_FIRE_MORE,
    HOUR,
    fires_of,
    interval_of,
    let_fire,
    one_fired,
    until_fired,
)
from jobcore.testing.runner_contract.harness import RunnerHarness
from jobcore.testing.runner_contract.site import Anything, handler, opened, working
from jobcore.testing.runner_contract.waiting import always


@needs("recurring")
async def test_a_fire_is_left_out_while_the_job_before_runs_if_overlaps_are_skipped(harness: RunnerHarness) -> None:
    @handler()
    async def holds(ctx: JobContext, data: Anything) -> None:
        await ctx.signal.wait()

    async with working(harness, holds) as site:
        await site.app.schedule("tick", holds, interval_of(site), {}, tenant=site.tenant, overlap="skip")
        await let_fire(site)
        [first] = await until_fired(site, 1)
        await site.started(site.app.handle(site.tenant, first.job_id))
        await let_fire(site)
        await always(lambda: one_fired(site), "no second fire", A_FIRE_MORE)


@needs("recurring", "cancel_running")
async def test_a_fire_cancels_the_job_before_if_that_is_the_overlap_policy(harness: RunnerHarness) -> None:
    @handler()
    async def holds(ctx: JobContext, data: Anything) -> None:
        await ctx.signal.wait()
        ctx.signal.raise_if_aborted()

    async with working(harness, holds) as site:
        await site.app.schedule("tick", holds, interval_of(site), {}, tenant=site.tenant, overlap="cancel_running")
        await let_fire(site)
        [first, *_] = await until_fired(site, 1)
        before = site.app.handle(site.tenant, first.job_id)
        await site.started(before)
        await let_fire(site)
        record = await site.ended(before, JobState.CANCELLED)
        assert record.error is not None
        assert "tick" in record.error["reason"]
        await until_fired(site, 2)


@needs("recurring")
async def test_fires_overlap_unless_the_schedule_says_otherwise(harness: RunnerHarness) -> None:
    running: list[int] = []

    @handler()
    async def holds(ctx: JobContext, data: Anything) -> None:
        running.append(1)
        await ctx.signal.wait()

    async with working(harness, holds) as site:
        await site.app.schedule("tick", holds, interval_of(site), {}, tenant=site.tenant)
        await let_fire(site)
        await until_fired(site, 1)
        await let_fire(site)
        await site.until(lambda: len(running) >= 2, "two fires run at once")


async def _missed(harness: RunnerHarness, **options: object) -> list[JobRecord]:
    """Return what fires when a worker comes after five slots of an hourly schedule were missed."""

    @handler()
    async def ticks(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, ticks) as site:
        await site.app.schedule("tick", ticks, HOUR, {}, tenant=site.tenant, **options)
        await site.advance(timedelta(hours=5, minutes=30))
        async with site.working():

            async def decided() -> bool:
                left = await site.app.store.seconds_to_next_fire()
                return left is not None and left > 0

            await site.until(decided, "the missed fires are decided")
            return await fires_of(site)


@needs("recurring", "advance")
async def test_of_missed_fires_the_latest_is_made_up_for(harness: RunnerHarness) -> None:
    [fire] = await _missed(harness)
    assert fire.fire_time is not None
    assert timedelta(minutes=29) < fire.created_at - fire.fire_time < timedelta(minutes=31)


@needs("recurring", "advance")
async def test_missed_fires_are_left_out_if_the_schedule_says_so(harness: RunnerHarness) -> None:
    assert await _missed(harness, missed="skip") == []


@needs("recurring", "advance")
async def test_all_missed_fires_are_made_up_for_if_the_schedule_says_so(harness: RunnerHarness) -> None:
    fires = await _missed(harness, missed="all")
    times = [fire.fire_time for fire in fires if fire.fire_time is not None]
    assert len(times) == 5
    assert {later - earlier for earlier, later in pairwise(sorted(times))} == {HOUR}


@needs("recurring", "advance")
async def test_missed_fires_are_made_up_for_within_a_limit(harness: RunnerHarness) -> None:
    assert len(await _missed(harness, missed="all", missed_limit=2)) == 2
