"""The runner in a whole application: found by the plugin manager, with the real executor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from pydantic import BaseModel

from jobcore import JobContext, job
from jobcore.app.facade import JobApp
from jobcore.errors import StorageUnavailableError
from jobcore.settings import Settings
from jobcore.states import JobState
from pgboss_runner.harness import TENANT, eventually


class Order(BaseModel):
    tenantId: UUID
    number: int


@job("square")
async def square(ctx: JobContext, data: Order) -> int:
    return data.number**2


@job("bill")
async def bill(ctx: JobContext, data: Order) -> None:
    async with (
        await psycopg.AsyncConnection.connect(ctx.services.get(Address).dsn) as connection,
        ctx.complete_in(connection, result={"billed": data.number}),
    ):
        await connection.execute("insert into bills values (%s)", (data.number,))
        await ctx.enqueue(square, data, connection=connection)


@job("stumbles")
async def stumbles(ctx: JobContext, data: Order) -> None:
    raise RuntimeError("again")


@job("patient")
async def patient(ctx: JobContext, data: Order) -> None:
    await asyncio.wait_for(ctx.signal.wait(), 10)
    ctx.signal.raise_if_aborted()


class Address:
    def __init__(self, dsn: str) -> None:
        self.dsn = dsn


@pytest.fixture
async def application(database_dsn: str) -> AsyncGenerator[JobApp]:
    settings = Settings.load(env={"DATABASE_URL": database_dsn, "JOBCORE_PGBOSS__POLL_INTERVAL_SECONDS": "0.2"})
    app = JobApp(settings, handlers=[square, bill, patient, stumbles], services=[Address(database_dsn)])
    async with app:
        worker = app.worker()
        await worker.start()
        yield app
        await worker.stop(timedelta(seconds=5))


async def test_a_result_comes_back(application: JobApp) -> None:
    handle = await application.enqueue(square, Order(tenantId=TENANT, number=7))
    assert await handle.result(timeout=10) == 49


async def test_rows_completion_and_follow_up_commit_together(application: JobApp, database_dsn: str) -> None:
    async with await psycopg.AsyncConnection.connect(database_dsn, autocommit=True) as connection:
        await connection.execute("create table bills (number int)")
        handle = await application.enqueue(bill, Order(tenantId=TENANT, number=3))
        assert await handle.result(timeout=10) == {"billed": 3}
        assert await (await connection.execute("select number from bills")).fetchall() == [(3,)]
        cursor = await connection.execute("select count(*) from jobs where parent_job_id = %s", (handle.job_id,))
        assert await cursor.fetchone() == (1,)


async def test_a_cancelled_handler_hears_of_it(application: JobApp) -> None:
    handle = await application.enqueue(patient, Order(tenantId=TENANT, number=1))
    async with asyncio.timeout(5):
        while (await handle.status()).status is not JobState.PROCESSING:  # noqa: ASYNC110 - the state is in the database
            await asyncio.sleep(0.02)
    assert await handle.cancel("enough")
    async with asyncio.timeout(5):
        while (await handle.status()).status is not JobState.CANCELLED:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.02)


async def test_a_database_that_is_away_is_told_at_once() -> None:
    settings = Settings.load(env={"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"})
    with pytest.raises(StorageUnavailableError, match=r"127\.0\.0\.1"):
        await JobApp(settings, handlers=[square]).open()


async def test_a_schedules_backoff_is_the_first_delay_of_its_jobs(application: JobApp) -> None:
    await application.schedule("nightly", stumbles, "1 second", Order(tenantId=TENANT, number=1), backoff=3600)

    async def waits_for_its_next_attempt() -> bool:
        jobs = await application.find_jobs(TENANT)
        return any(job.attempt == 1 and job.run_at - job.created_at > timedelta(minutes=59) for job in jobs)

    await eventually(waits_for_its_next_attempt)
