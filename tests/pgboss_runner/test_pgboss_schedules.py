"""Schedules with real workers: heard of at once, and fired once each, however many fall due together."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

from jobcore import JobContext, JobData, job
from jobcore.app.facade import JobApp
from jobcore.models import JobFilter, Schedule
from jobcore.settings import Settings
from jobcore_postgres.background.timekeeper import BATCH, LONGEST_WAIT, LULL, Timekeeper
from pgboss_runner.harness import TENANT, TrivialExecutor, eventually, opened
from postgres_storage.builders import schedule

FAR = "0 0 29 2 *"
EVERY_SECOND = "* * * * * *"
MANY = 2_000

MAKE_MANY = """
insert into cron_jobs (
    tenant, job_id, name, handler, pattern, interval_ms, timezone, payload, overlap, missed, anchor, next_fire)
select
    %(tenant)s, 's' || n, 's' || n, 'elsewhere',
    case when n %% 2 = 0 then %(pattern)s end,
    case when n %% 2 = 1 then 3600000 end,
    case when n %% 3 = 0 then 'America/New_York' else 'UTC' end,
    jsonb_build_object('tenantId', %(tenant)s::text, 'number', n),
    (array['allow', 'skip', 'cancel_running'])[1 + n %% 3],
    (array['skip', 'latest', 'all'])[1 + n / 3 %% 3],
    %(instant)s, %(instant)s
from generate_series(1, %(many)s) n
"""


@job("tick")
async def tick(ctx: JobContext, data: JobData) -> None: ...


def application(dsn: str) -> JobApp:
    settings = Settings.load(env={"DATABASE_URL": dsn, "JOBCORE_PGBOSS__POLL_INTERVAL_SECONDS": "0.2"})
    return JobApp(settings, handlers=[tick])


@pytest.fixture
async def app(database_dsn: str) -> AsyncGenerator[JobApp]:
    """An application with one worker, which sleeps: its only schedule fires in a leap year."""
    async with application(database_dsn) as app:
        await app.schedule("far", tick, FAR, tenant=TENANT)
        worker = app.worker()
        await worker.start()
        yield app
        await worker.stop(timedelta(seconds=5))


async def fires_of(app: JobApp, schedule: Schedule) -> list[datetime]:
    jobs = await app.find_jobs(TENANT, JobFilter(limit=1000))
    return sorted(job.fire_time for job in jobs if job.fire_time and job.schedule_id == schedule.schedule_id)


async def until_it_fires(app: JobApp, schedule: Schedule, times: int = 1) -> None:
    async def fired() -> bool:
        return len(await fires_of(app, schedule)) >= times

    await eventually(fired)


async def seconds_pass(app: JobApp) -> None:
    """Wait until a new schedule has fired twice: what still fires every second has fired meanwhile."""
    await until_it_fires(app, await app.schedule(str(uuid4()), tick, EVERY_SECOND, tenant=TENANT), times=2)


async def test_a_sleeping_worker_hears_of_a_schedule_that_is_added(app: JobApp) -> None:
    await until_it_fires(app, await app.schedule("near", tick, EVERY_SECOND, tenant=TENANT))
    assert await fires_of(app, await app.schedules.get(TENANT, "far")) == []


async def test_a_sleeping_worker_hears_of_an_edit_and_of_the_next_one(app: JobApp) -> None:
    await until_it_fires(app, await app.schedule("far", tick, EVERY_SECOND, tenant=TENANT))
    edited = await app.schedule("far", tick, FAR, tenant=TENANT)
    fires = await fires_of(app, edited)
    await seconds_pass(app)
    assert await fires_of(app, edited) == fires
    assert (await app.schedules.get(TENANT, "far")).next_fire == edited.next_fire


async def test_a_worker_hears_of_a_pause_a_resumption_and_a_removal(app: JobApp) -> None:
    near = await app.schedule("near", tick, EVERY_SECOND, tenant=TENANT)
    await until_it_fires(app, near)
    await app.schedules.pause(TENANT, "near")
    fires = await fires_of(app, near)
    await seconds_pass(app)
    assert await fires_of(app, near) == fires
    await app.schedules.resume(TENANT, "near")
    await until_it_fires(app, near, times=len(fires) + 1)
    await app.schedules.remove(TENANT, "near")
    fires = await fires_of(app, near)
    await seconds_pass(app)
    assert await fires_of(app, near) == fires


async def test_jitter_delays_each_job_and_not_the_grid(app: JobApp) -> None:
    near = await app.schedule("near", tick, EVERY_SECOND, tenant=TENANT, jitter=30)
    await until_it_fires(app, near, times=3)
    jobs = [job for job in await app.find_jobs(TENANT) if job.schedule_id == near.schedule_id]
    delays = [job.run_at - job.fire_time for job in jobs if job.fire_time is not None]
    assert {job.fire_time.microsecond for job in jobs if job.fire_time} == {0}
    assert all(timedelta() <= delay < timedelta(seconds=30) for delay in delays)
    assert len(set(delays)) == len(jobs)


def test_a_worker_looks_at_the_schedules_at_least_every_second() -> None:
    assert LONGEST_WAIT < 1


async def test_a_worker_looks_again_now_and_then_while_somebody_else_holds_what_is_due(database_dsn: str) -> None:
    async with opened(database_dsn) as engine:
        with psycopg.connect(database_dsn) as holder:
            await engine.store.put_schedule(schedule(interval=timedelta(hours=1), pattern=None))
            holder.execute(
                "update cron_jobs set anchor = anchor - interval '1 h', next_fire = next_fire - interval '1 h'"
            )
            holder.commit()
            holder.execute("select from cron_jobs for update")
            timekeeper = Timekeeper(engine.store, engine.host(TrivialExecutor({}), "noop"))
            begin = time.monotonic()
            await timekeeper.turn()
            assert time.monotonic() - begin >= LULL
            assert await engine.store.find_jobs(TENANT, JobFilter()) == []
            holder.rollback()
            await timekeeper.turn()
            assert len(await engine.store.find_jobs(TENANT, JobFilter())) == 1


async def test_thousands_that_fall_due_at_once_are_fired_once_each_by_several_workers(
    app: JobApp, database_dsn: str
) -> None:
    instant = (datetime.now(UTC) + timedelta(seconds=2)).replace(microsecond=0)
    assert BATCH < MANY / 10  # so that it takes many transactions, of both workers
    async with application(database_dsn) as other:
        worker = other.worker()
        await worker.start()
        with psycopg.connect(database_dsn, autocommit=True) as admin:
            pattern = f"{instant.second} {instant.minute} * * * *"  # the same in both zones
            admin.execute(MAKE_MANY, {"tenant": TENANT, "many": MANY, "instant": instant, "pattern": pattern})
            await eventually(lambda: _is_past(admin, instant))
            await worker.stop(timedelta())
            jobs = admin.execute("select schedule_id, fire_time, status::text from jobs where fire_time is not null")
            fired = jobs.fetchall()
            schedules = admin.execute(
                "select schedule_id, last_job_id, last_fire, next_fire from cron_jobs where handler = 'elsewhere'"
            ).fetchall()
            unmatched = admin.execute(
                """select count(*)
                from jobs j full join pgboss.job q on q.name = j.queue and q.id = j.job_id
                where coalesce(j.queue, q.name) = 'elsewhere' and (j.job_id is null or q.id is null)"""
            ).fetchone()
            pointed_at = admin.execute(
                "select count(*) from jobs j join cron_jobs c on c.last_job_id = j.job_id and c.tenant = j.tenant"
            ).fetchone()
    assert len(schedules) == MANY
    assert sorted(fired) == sorted((schedule_id, instant, "queued") for schedule_id, *_ in schedules)
    assert unmatched == (0,)
    assert pointed_at == (MANY,)
    assert {(last, following) for _, _, last, following in schedules} == {(instant, instant + timedelta(hours=1))}


async def _is_past(admin: psycopg.Connection, instant: datetime) -> bool:
    return admin.execute("select from cron_jobs where next_fire <= %s limit 1", (instant,)).fetchone() is None
