"""Schedules in memory fire as they do in PostgreSQL: once a slot, by policy, effective at once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from jobcore import JobContext, JobData, JobState, job
from jobcore.errors import InvalidScheduleError, ScheduleNotFoundError
from jobcore.memory import MemoryRunner
from jobcore.models import JobFilter, Schedule
from jobcore.testing import memory_app

TENANT = uuid4()
HOUR = timedelta(hours=1)


@job("tick")
async def tick(ctx: JobContext, data: JobData) -> None:
    pass


@job("slow")
async def slow(ctx: JobContext, data: JobData) -> None:
    pass


@job("stumble")
async def stumble(ctx: JobContext, data: JobData) -> None:
    raise RuntimeError("again")


@pytest.fixture
async def app():
    async with memory_app(handlers=[tick, slow, stumble]) as app:
        yield app


@pytest.fixture
async def runner(app) -> MemoryRunner:
    return await app.runner()


async def fires(app, name="tick"):
    jobs = await app.find_jobs(TENANT, JobFilter(names=(name,), limit=1000))
    return [record.fire_time for record in reversed(jobs)]


async def test_a_cron_pattern_fires_at_its_times(app, runner):
    await app.schedule("nightly", tick, "0 3 * * *", tenant=TENANT)
    await runner.advance(timedelta(days=3))
    assert await fires(app) == [datetime(2026, 1, day, 3, tzinfo=UTC) for day in (1, 2, 3)]


async def test_an_interval_keeps_its_grid_from_when_it_was_made(app, runner):
    runner.store.clock.advance(timedelta(minutes=7))
    await app.schedule("often", tick, "90 minutes", tenant=TENANT)
    await runner.advance(timedelta(hours=4))
    start = datetime(2026, 1, 1, 0, 7, tzinfo=UTC)
    assert await fires(app) == [start + n * timedelta(minutes=90) for n in (1, 2)]


async def test_each_fire_is_one_job_with_its_schedule_and_time(app, runner):
    schedule = await app.schedule("often", tick, HOUR, {"jobServiceId": "x"}, tenant=TENANT)
    await runner.advance(HOUR)
    [record] = await app.find_jobs(TENANT)
    assert record.schedule_id == schedule.schedule_id
    assert record.payload["jobServiceId"] == "x"
    assert record.metadata == {"trigger": "cron", "schedule": "often"}
    stored = await app.schedules.get(TENANT, "often")
    assert stored.last_job_id == record.job_id
    assert stored.last_fire == record.fire_time


async def test_a_schedules_backoff_is_the_first_delay_between_attempts(app, runner):
    await app.schedule("often", stumble, HOUR, tenant=TENANT, backoff=timedelta(minutes=10))
    await runner.advance(HOUR)
    [record] = await app.find_jobs(TENANT)
    assert (record.attempt, record.run_at - record.created_at) == (1, timedelta(minutes=10))


async def test_firing_the_same_slot_again_makes_no_second_job(app, runner):
    schedule = await app.schedule("often", tick, HOUR, tenant=TENANT)
    await runner.advance(HOUR)
    runner.store.tables.schedules[TENANT, "often"] = schedule
    assert await runner.advance(timedelta()) == 0
    assert len(await fires(app)) == 1


@pytest.mark.parametrize(("missed", "expected"), [("skip", [5]), ("latest", [4, 5]), ("all", [1, 2, 3, 4, 5])])
async def test_missed_fires_follow_the_policy(app, runner, missed, expected):
    await app.schedule("often", tick, HOUR, tenant=TENANT, missed=missed)
    start = runner.store.clock.now()
    runner.store.clock.advance(4 * HOUR + timedelta(minutes=30))
    await runner.advance(timedelta(minutes=30))
    assert await fires(app) == [start + n * HOUR for n in expected]


async def test_no_more_missed_fires_are_made_up_for_than_the_limit(app, runner):
    await app.schedule("often", tick, HOUR, tenant=TENANT, missed="all", missed_limit=2)
    start = runner.store.clock.now()
    runner.store.clock.advance(5 * HOUR + timedelta(minutes=30))
    await runner.advance(timedelta())
    assert await fires(app) == [start + n * HOUR for n in (4, 5)]


async def test_a_pattern_is_read_in_its_zone_whose_clock_is_put_forward(app, runner):
    runner.store.clock.advance(datetime(2026, 3, 27, 12, tzinfo=UTC) - runner.store.clock.now())
    await app.schedule("nightly", tick, "30 2 * * *", tenant=TENANT, timezone="Europe/Berlin")
    await runner.advance(timedelta(days=3))
    assert await fires(app) == [
        datetime(2026, 3, 28, 1, 30, tzinfo=UTC),
        datetime(2026, 3, 29, 1, tzinfo=UTC),  # 02:30 does not exist: at the change
        datetime(2026, 3, 30, 0, 30, tzinfo=UTC),
    ]


async def test_an_overlap_that_is_allowed_fires_beside_the_previous_job(app, runner):
    await app.schedule("often", slow, HOUR, tenant=TENANT)
    host = runner._host
    for _ in range(2):
        runner.store.clock.advance(HOUR)
        assert await runner.store.fire_due(host.plan_fire, host.submit) == 1
    assert {job.status for job in await app.find_jobs(TENANT)} == {JobState.QUEUED}


async def test_a_fire_is_left_out_while_the_previous_job_has_not_ended(app, runner):
    await app.schedule("often", slow, HOUR, tenant=TENANT, overlap="skip")
    host = runner._host
    runner.store.clock.advance(HOUR)
    await runner.store.fire_due(host.plan_fire, host.submit)
    runner.store.clock.advance(HOUR)
    assert await runner.store.fire_due(host.plan_fire, host.submit) == 0
    await runner.drain()
    runner.store.clock.advance(HOUR)
    assert await runner.store.fire_due(host.plan_fire, host.submit) == 1


async def test_a_fire_can_cancel_the_previous_job(app, runner):
    await app.schedule("often", slow, HOUR, tenant=TENANT, overlap="cancel_running")
    host = runner._host
    for _ in range(2):
        runner.store.clock.advance(HOUR)
        await runner.store.fire_due(host.plan_fire, host.submit)
    newest, oldest = await app.find_jobs(TENANT)
    assert oldest.status is JobState.CANCELLED
    assert "fired again" in oldest.error["reason"]
    assert newest.status is JobState.QUEUED


async def test_jitter_delays_each_job_and_not_the_grid(app, runner):
    schedule = await app.schedule("often", tick, HOUR, tenant=TENANT, jitter=timedelta(minutes=20))
    await runner.advance(4 * HOUR + timedelta(minutes=30))
    jobs = list(reversed(await app.find_jobs(TENANT)))
    assert [job.fire_time for job in jobs] == [schedule.next_fire + n * HOUR for n in range(4)]
    delays = [job.run_at - job.fire_time for job in jobs]
    assert all(timedelta() <= delay < timedelta(minutes=20) for delay in delays)
    assert len(set(delays)) == 4


async def test_a_fire_that_has_its_job_already_does_not_cancel_it(app, runner):
    await app.schedule("often", slow, HOUR, tenant=TENANT, overlap="cancel_running")
    host = runner._host
    runner.store.clock.advance(HOUR)
    assert await runner.store.fire_due(host.plan_fire, host.submit) == 1
    fired = await app.schedules.get(TENANT, "often")
    runner.store.tables.schedules[TENANT, "often"] = replace(fired, next_fire=fired.last_fire)
    assert await runner.store.fire_due(host.plan_fire, host.submit) == 0
    [job] = await app.find_jobs(TENANT)
    assert job.status is JobState.QUEUED


async def test_a_paused_schedule_does_not_fire_and_makes_up_for_nothing(app, runner):
    await app.schedule("often", tick, HOUR, tenant=TENANT)
    assert not (await app.schedules.pause(TENANT, "often")).enabled
    await runner.advance(5 * HOUR)
    assert await fires(app) == []
    await app.schedules.resume(TENANT, "often")
    await runner.advance(HOUR)
    assert len(await fires(app)) == 1


async def test_replacing_a_schedule_keeps_its_identity_and_takes_effect_at_once(app, runner):
    first = await app.schedule("often", tick, HOUR, tenant=TENANT)
    runner.store.clock.advance(timedelta(minutes=30))
    second = await app.schedule("often", tick, timedelta(minutes=10), tenant=TENANT)
    assert second.schedule_id == first.schedule_id
    assert second.next_fire == runner.store.clock.now() + timedelta(minutes=10)
    same = await app.schedule("often", tick, timedelta(minutes=10), tenant=TENANT)
    assert same.next_fire == second.next_fire
    assert len(await app.schedules.list(TENANT)) == 1


async def test_a_removed_schedule_fires_no_more_and_its_jobs_stay(app, runner):
    await app.schedule("often", tick, HOUR, tenant=TENANT)
    await runner.advance(HOUR)
    assert await app.schedules.remove(TENANT, "often")
    assert not await app.schedules.remove(TENANT, "often")
    await runner.advance(5 * HOUR)
    assert len(await fires(app)) == 1
    assert await runner.store.seconds_to_next_fire() is None


async def test_a_schedule_that_is_not_there_is_named_with_those_that_are(app):
    await app.schedule("often", tick, HOUR, tenant=TENANT)
    with pytest.raises(ScheduleNotFoundError, match="no schedule 'oftn'; it has 'often'"):
        await app.schedules.get(TENANT, "oftn")
    with pytest.raises(ScheduleNotFoundError, match="has none"):
        await app.schedules.get("system", "often")


async def test_a_schedule_needs_exactly_one_way_of_telling_time(runner):
    with pytest.raises(InvalidScheduleError, match="either a pattern or an interval"):
        await runner.store.put_schedule(Schedule(tenant=TENANT, schedule_id=uuid4(), key="k", name="k", handler="tick"))


async def test_a_worker_fires_schedules_by_itself():
    async with memory_app(mode="worker", handlers=[tick]) as app:
        worker = app.worker()
        await worker.start()
        await app.schedule("often", tick, timedelta(seconds=1), tenant=TENANT)
        assert 0 < await app.store.seconds_to_next_fire() <= 1
        while not (jobs := await app.find_jobs(TENANT)):
            await app.store.tables.bell.wait(5)
        await app.handle(TENANT, jobs[0].job_id).result(timeout=5)
        await worker.stop()
