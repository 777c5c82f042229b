"""Schedules."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from uuid import uuid4

import pytest

from jobcore.errors import InvalidScheduleError, ScheduleNotFoundError
from jobcore.ports.context import JobContext
from jobcore.testing.runner_contract.behaviour import needs
from jobcore.testing.runner_contract.firing import (
    A_FIRE_MORE,
    SECOND,
    interval_of,
    let_fire,
    none_fired,
    until_fired,
)
from jobcore.testing.runner_contract.harness import RunnerHarness
from jobcore.testing.runner_contract.site import Anything, handler, opened, working
from jobcore.testing.runner_contract.waiting import always


@needs("recurring")
async def test_a_schedule_fires_its_job_again_and_again(harness: RunnerHarness) -> None:
    @handler()
    async def ticks(ctx: JobContext, data: Anything) -> str:
        return data["colour"]

    async with working(harness, ticks) as site:
        schedule = await site.app.schedule("tick", ticks, "1 second", {"colour": "blue"}, tenant=site.tenant)
        fires = await until_fired(site, 2)
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
            fires = await until_fired(site, 3)
            await site.app.schedules.remove(site.tenant, "tick")
        times = [fire.fire_time for fire in fires if fire.fire_time is not None]
        assert {later - earlier for earlier, later in pairwise(times)} == {SECOND}


@needs("recurring")
async def test_a_cron_pattern_fires_at_its_slots(harness: RunnerHarness) -> None:
    @handler()
    async def ticks(ctx: JobContext, data: Anything) -> None: ...

    async with working(harness, ticks) as site:
        await site.app.schedule("tick", ticks, "* * * * * *", {}, tenant=site.tenant)
        fires = await until_fired(site, 2)
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
        await always(lambda: none_fired(site), "nothing fires", A_FIRE_MORE)


@needs("recurring")
async def test_a_paused_schedule_fires_no_more_until_it_is_resumed(harness: RunnerHarness) -> None:
    @handler()
    async def ticks(ctx: JobContext, data: Anything) -> None: ...

    async with working(harness, ticks) as site:
        await site.app.schedule("tick", ticks, interval_of(site), {}, tenant=site.tenant)
        assert not (await site.app.schedules.pause(site.tenant, "tick")).enabled
        await let_fire(site)
        await always(lambda: none_fired(site), "nothing fires in the pause", A_FIRE_MORE)
        resumed = await site.app.schedules.resume(site.tenant, "tick")
        assert resumed.enabled
        await let_fire(site)
        await until_fired(site, 1)


@needs("recurring")
async def test_a_removed_schedule_fires_no_more(harness: RunnerHarness) -> None:
    @handler()
    async def ticks(ctx: JobContext, data: Anything) -> None: ...

    async with working(harness, ticks) as site:
        await site.app.schedule("tick", ticks, interval_of(site), {}, tenant=site.tenant)
        assert await site.app.schedules.remove(site.tenant, "tick")
        assert not await site.app.schedules.remove(site.tenant, "tick")
        await let_fire(site)
        await always(lambda: none_fired(site), "nothing fires", A_FIRE_MORE)
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
        second = await site.app.schedule("tick", after, interval_of(site), {"n": 2}, tenant=site.tenant, max_attempts=9)
        assert second.schedule_id == first.schedule_id
        assert len(await site.app.schedules.list(site.tenant)) == 1
        await let_fire(site)
        [fire, *_] = await until_fired(site, 1)
        assert (fire.type, fire.payload["n"], fire.max_attempts) == (after.name, 2, 9)


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
