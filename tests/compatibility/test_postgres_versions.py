"""Everything that a job can meet, on each PostgreSQL that we support (14 to 18)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import psycopg
import pytest

from compatibility.conftest import Site
from compatibility.handlers import TENANT, Order, bill, flaky, patient, square
from jobcore.app.facade import JobApp
from jobcore.app.handle import AppJobHandle
from jobcore.errors import JobCancelledError
from jobcore.models import JobFilter, JobRecord
from jobcore.states import JobState
from jobcore_postgres import migrations


def test_an_owner_who_is_no_superuser_migrates_up_and_down(site: Site) -> None:
    dsn = site.create_database("visitor")
    applied = migrations.migrate(dsn)
    assert migrations.migrate(dsn) == ()
    taken_back = [
        line for one in reversed(migrations.installed_components()) for line in migrations.down(dsn, one.name)
    ]
    assert sorted(taken_back) == sorted(applied)
    with psycopg.connect(dsn) as connection:
        left = "select relname from pg_class where relowner = current_user::regrole and relkind in ('r', 'p', 'v', 'S')"
        assert connection.execute(left).fetchall() == []


async def test_a_result_comes_back(app: JobApp) -> None:
    assert await (await app.enqueue(square, Order(number=7))).result(timeout=10) == 49


async def test_jobs_of_plain_sql_and_of_the_callers_transaction_are_worked(app: JobApp, site: Site) -> None:
    async with await psycopg.AsyncConnection.connect(site.worker_dsn) as connection:
        handle = await app.enqueue(square, Order(number=5), connection=connection)
        payload = Order(number=6).model_dump_json(by_alias=True)
        cursor = await connection.execute(
            "select jobcore.enqueue('square', %s, jsonb_build_object('tenant', %s::text))", (payload, TENANT)
        )
        [job_id] = await cursor.fetchone() or ()
    assert await handle.result(timeout=10) == 25
    assert await app.handle(TENANT, job_id).result(timeout=10) == 36


async def test_a_failed_attempt_is_tried_again(app: JobApp) -> None:
    handle = await app.enqueue(flaky, Order(number=2))
    assert await handle.result(timeout=10) == 2
    assert [detail.status for detail in await app.details(TENANT, handle.job_id)] == ["failed"]


async def test_a_delayed_job_runs_when_it_is_due(app: JobApp) -> None:
    handle = await app.enqueue(square, Order(number=3), delay=timedelta(seconds=0.3))
    assert await handle.result(timeout=10) == 9
    record = await app.get_job(TENANT, handle.job_id)
    assert record.started_at is not None
    assert record.started_at >= record.run_at >= record.created_at + timedelta(seconds=0.3)


async def test_a_schedule_fires(app: JobApp) -> None:
    schedule = await app.schedule("each second", square, timedelta(seconds=1), Order(number=4))
    async with asyncio.timeout(10):
        while not (fires := await completed_fires(app)):  # noqa: ASYNC110 - the fires are in the database
            await asyncio.sleep(0.05)
    assert await app.schedules.remove(TENANT, "each second")
    assert {(fire.schedule_id, fire.result) for fire in fires} == {(schedule.schedule_id, 16)}


async def test_a_running_job_is_cancelled_through_its_signal(app: JobApp) -> None:
    handle = await app.enqueue(patient, Order(number=1))
    await wait_for_state(handle, JobState.PROCESSING)
    assert await handle.cancel("enough")
    with pytest.raises(JobCancelledError, match="enough"):
        await handle.result(timeout=10)


async def test_rows_completion_and_follow_up_commit_together(app: JobApp, site: Site) -> None:
    handle = await app.enqueue(bill, Order(number=5))
    assert await handle.result(timeout=10) == {"billed": 5}
    [follow_up] = await app.find_jobs(TENANT, JobFilter(parent_job_id=handle.job_id))
    assert await app.handle(TENANT, follow_up.job_id).result(timeout=10) == 25
    with psycopg.connect(site.owner_dsn) as owner:
        assert owner.execute("select number from bills").fetchall() == [(5,)]


async def completed_fires(app: JobApp) -> Sequence[JobRecord]:
    completed = await app.find_jobs(TENANT, JobFilter(states=(JobState.COMPLETED,), names=("square",)))
    return [job for job in completed if job.schedule_id is not None]


async def wait_for_state(handle: AppJobHandle, state: JobState) -> None:
    async with asyncio.timeout(10):
        while (await handle.status()).status is not state:  # noqa: ASYNC110 - the state is in the database
            await asyncio.sleep(0.02)
