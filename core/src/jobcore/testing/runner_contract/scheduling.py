"""Schedules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from uuid import uuid4

import pytest

from jobcore.errors import InvalidScheduleError, ScheduleNotFoundError
from jobcore.models import JobFilter, JobRecord
from jobcore.ports.context import JobContext
from jobcore.states import JobState
from jobcore.testing.runner_contract.behaviour import needs
from jobcore.testing.runner_contract.harness import RunnerHarness
from jobcore.testing.runner_contract.site import Anything, Site, handler, opened, working
from jobcore.testing.runner_contract.waiting import always

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
A_FIRE_MORE = 1.1
"""Seconds to watch that nothing fires any more: longer than the interval, and than a worker's looks at schedules."""


async def _fires(site: Site) -> list[JobRecord]:
    """Return the jobs that schedules of this site made, oldest first."""
    return [job for job in reversed(await site.app.find_jobs(site.tenant, JobFilter(limit=1000))) if job.fire_time]


async def _until_fired(site: Site, times: int) -> Sequence[JobRecord]:
    async def enough() -> list[JobRecord]:
        fires = await _fires(site)
        return fires if len(fires) >= times else []

    return await site.until(enough, f"{times} fires")


def _interval(site: Site) -> timedelta:
    """Return an interval that can be waited for: an hour where the clock can be moved."""
    return HOUR if site.harness.can_advance else SECOND


async def _let_fire(site: Site) -> None:
    """Let one interval pass, if that can be hastened; otherwise it passes by itself."""
    if site.harness.can_advance:
        await site.advance(HOUR)


@needs("recurring")
async def test_a_schedule_fires_its_job_again_and_again(harness: RunnerHarness) -> None:
    @handler()
    async def ticks(ctx: JobContext, data: Anything) -> str:
        return data["colour"]

    async with working(harness, ticks) as site:
        schedule = await site.app.schedule("tick", ticks, "1 second", {"colour": "blue"}, tenant=site.tenant)
        fires = await _until_fired(site, 2)
        await site.app.schedules.remove(site.tenant, "tick")
        records = await site.all_ended([site.app.handle(site.tenant, fire.job_id) for fire in fires])
    assert [record.result for record in records] == ["blue"] * len(records)
    assert {record.schedule_id for record in records} == {schedule.schedule_id}
    assert {record.metadata["trigger"] for record in records} == {"cron"}
    assert {record.metadata["schedule"] for record in records} == {"tick"}


@needs("recurring")
async def test_a_slot_fires_one_job_however_many_workers_there_are(harness: RunnerHarness) -> None:
    @handler()
    async def ticks(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, ticks) as site, opened(harness, ticks) as other:
        async with site.working(), other.working(), site.working():
            await site.app.schedule("tick", ticks, SECOND, {}, tenant=site.tenant)
            fires = await _until_fired(site, 3)
            await site.app.schedules.remove(site.tenant, "tick")
        times = [fire.fire_time for fire in fires if fire.fire_time is not None]
        assert {later - earlier for earlier, later in pairwise(times)} == {SECOND}


@needs("recurring")
async def test_a_cron_pattern_fires_at_its_slots(harness: RunnerHarness) -> None:
    @handler()
    async def ticks(ctx: JobContext, data: Anything) -> None: ...

    async with working(harness, ticks) as site:
        await site.app.schedule("tick", ticks, "* * * * * *", {}, tenant=site.tenant)
        fires = await _until_fired(site, 2)
        await site.app.schedules.remove(site.tenant, "tick")
        for fire in fires:
            assert fire.fire_time is not None
            assert fire.fire_time.microsecond == 0
            assert fire.created_at >= fire.fire_time


@needs("recurring")
async def test_a_schedule_does_not_fire_before_its_time(harness: RunnerHarness) -> None:
    @handler()
    async def ticks(ctx: JobContext, data: Anything) -> None: ...

    async with working(harness, ticks) as site:
        schedule = await site.app.schedule("tick", ticks, "24 hours", {}, tenant=site.tenant)
        assert schedule.next_fire is not None
        assert schedule.anchor is not None
        assert schedule.next_fire - schedule.anchor == timedelta(hours=24)
        await always(lambda: _none(site), "nothing fires", A_FIRE_MORE)


@needs("recurring")
async def test_a_paused_schedule_fires_no_more_until_it_is_resumed(harness: RunnerHarness) -> None:
    @handler()
    async def ticks(ctx: JobContext, data: Anything) -> None: ...

    async with working(harness, ticks) as site:
        await site.app.schedule("tick", ticks, _interval(site), {}, tenant=site.tenant)
        assert not (await site.app.schedules.pause(site.tenant, "tick")).enabled
        await _let_fire(site)
        await always(lambda: _none(site), "nothing fires in the pause", A_FIRE_MORE)
        resumed = await site.app.schedules.resume(site.tenant, "tick")
        assert resumed.enabled
        await _let_fire(site)
        await _until_fired(site, 1)


@needs("recurring")
async def test_a_removed_schedule_fires_no_more(harness: RunnerHarness) -> None:
    @handler()
    async def ticks(ctx: JobContext, data: Anything) -> None: ...

    async with working(harness, ticks) as site:
        await site.app.schedule("tick", ticks, _interval(site), {}, tenant=site.tenant)
        assert await site.app.schedules.remove(site.tenant, "tick")
        assert not await site.app.schedules.remove(site.tenant, "tick")
        await _let_fire(site)
        await always(lambda: _none(site), "nothing fires", A_FIRE_MORE)
        with pytest.raises(ScheduleNotFoundError, match="tick"):
            await site.app.schedules.get(site.tenant, "tick")


@needs("recurring")
async def test_a_change_of_a_schedule_takes_effect_at_its_next_fire(harness: RunnerHarness) -> None:
    @handler()
    async def before(ctx: JobContext, data: Anything) -> None: ...

    @handler()
    async def after(ctx: JobContext, data: Anything) -> None: ...

    async with working(harness, before, after) as site:
        first = await site.app.schedule("tick", before, "48 hours", {"n": 1}, tenant=site.tenant)
        second = await site.app.schedule("tick", after, _interval(site), {"n": 2}, tenant=site.tenant, max_attempts=9)
        assert second.schedule_id == first.schedule_id
        assert len(await site.app.schedules.list(site.tenant)) == 1
        await _let_fire(site)
        [fire, *_] = await _until_fired(site, 1)
        assert (fire.type, fire.payload["n"], fire.max_attempts) == (after.name, 2, 9)


@needs("recurring")
async def test_a_fire_is_left_out_while_the_job_before_runs_if_overlaps_are_skipped(harness: RunnerHarness) -> None:
    @handler()
    async def holds(ctx: JobContext, data: Anything) -> None:
        await ctx.signal.wait()

    async with working(harness, holds) as site:
        await site.app.schedule("tick", holds, _interval(site), {}, tenant=site.tenant, overlap="skip")
        await _let_fire(site)
        [first] = await _until_fired(site, 1)
        await site.started(site.app.handle(site.tenant, first.job_id))
        await _let_fire(site)
        await always(lambda: _at_most_one(site), "no second fire", A_FIRE_MORE)


@needs("recurring", "cancel_running")
async def test_a_fire_cancels_the_job_before_if_that_is_the_overlap_policy(harness: RunnerHarness) -> None:
    @handler()
    async def holds(ctx: JobContext, data: Anything) -> None:
        await ctx.signal.wait()
        ctx.signal.raise_if_aborted()

    async with working(harness, holds) as site:
        await site.app.schedule("tick", holds, _interval(site), {}, tenant=site.tenant, overlap="cancel_running")
        await _let_fire(site)
        [first, *_] = await _until_fired(site, 1)
        before = site.app.handle(site.tenant, first.job_id)
        await site.started(before)
        await _let_fire(site)
        record = await site.ended(before, JobState.CANCELLED)
        assert record.error is not None
        assert "tick" in record.error["reason"]
        await _until_fired(site, 2)


@needs("recurring")
async def test_fires_overlap_unless_the_schedule_says_otherwise(harness: RunnerHarness) -> None:
    running: list[int] = []

    @handler()
    async def holds(ctx: JobContext, data: Anything) -> None:
        running.append(1)
        await ctx.signal.wait()

    async with working(harness, holds) as site:
        await site.app.schedule("tick", holds, _interval(site), {}, tenant=site.tenant)
        await _let_fire(site)
        await _until_fired(site, 1)
        await _let_fire(site)
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
            return await _fires(site)


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


@needs("recurring")
async def test_a_schedule_can_be_triggered_by_hand(harness: RunnerHarness) -> None:
    @handler()
    async def ticks(ctx: JobContext, data: Anything) -> int:
        return data["n"]

    async with working(harness, ticks) as site:
        await site.app.schedule("tick", ticks, "24 hours", {"n": 3}, tenant=site.tenant)
        job = await site.app.trigger_schedule(site.tenant, "tick")
        record = await site.ended(job)
        assert (record.result, record.metadata["trigger"], record.fire_time) == (3, "cronTrigger", None)


@needs("recurring")
async def test_schedules_of_tenants_are_apart(harness: RunnerHarness) -> None:
    @handler()
    async def ticks(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, ticks) as site:
        other = uuid4()
        await site.app.schedule("tick", ticks, "24 hours", {"n": 1}, tenant=site.tenant)
        assert await site.app.schedules.list(other) == []
        assert not await site.app.schedules.remove(other, "tick")
        with pytest.raises(ScheduleNotFoundError):
            await site.app.trigger_schedule(other, "tick")


@needs("recurring")
async def test_a_schedule_that_nobody_can_mean_is_refused(harness: RunnerHarness) -> None:
    @handler()
    async def ticks(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, ticks) as site:
        for when, options in (
            ("61 * * * *", {}),
            ("0 3 * * *", {"timezone": "Europe/Berln"}),
            (timedelta(milliseconds=1), {}),
        ):
            with pytest.raises(InvalidScheduleError):
                await site.app.schedule("tick", ticks, when, {}, tenant=site.tenant, **options)
        assert await site.app.schedules.list(site.tenant) == []


async def _none(site: Site) -> bool:
    return await _fires(site) == []


async def _at_most_one(site: Site) -> bool:
    return len(await _fires(site)) == 1
