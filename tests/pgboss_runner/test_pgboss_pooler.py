"""A whole application through PgBouncer in transaction mode, with fewer server connections than the worker has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import psycopg
import pytest
from pydantic import BaseModel

from jobcore import BlockingJobApp, JobContext, RetryPolicy, job
from jobcore.app.facade import JobApp
from jobcore.settings import Settings
from jobcore.states import JobState
from jobcore_devkit.pgbouncer import HOW_TO_INSTALL, PgBouncer, find_pgbouncer
from jobcore_devkit.postgres import PostgresServer
from jobcore_devkit.testing import require
from pgboss_runner.bridge_callers import ASYNC_CALLERS, AsyncCaller
from pgboss_runner.bridge_callers_blocking import BLOCKING_CALLERS, BlockingCaller
from pgboss_runner.harness import TENANT, App, eventually, opened

SERVER_CONNECTIONS = 3

KEPT_LOCKS = """
select count(*) from pg_locks l join pg_stat_activity a using (pid)
where l.locktype = 'advisory' and a.datname = current_database() and a.state = 'idle'
"""


class Order(BaseModel):
    tenantId: UUID
    number: int


ORDER = Order(tenantId=TENANT, number=1)


@job("pooled-once")
async def once(ctx: JobContext, data: Order) -> int:
    await ctx.progress(50, "half")
    return await ctx.step("double", lambda: data.number * 2)


@job("pooled-twice", retry=RetryPolicy(max_attempts=2, initial_interval=timedelta(milliseconds=50)))
async def twice(ctx: JobContext, data: Order) -> int:
    if ctx.attempt == 1:
        raise RuntimeError("again")
    return ctx.attempt


@job("pooled-patient")
async def patient(ctx: JobContext, data: Order) -> None:
    await asyncio.wait_for(ctx.signal.wait(), 30)
    ctx.signal.raise_if_aborted()


@job("pooled-bill")
async def bill(ctx: JobContext, data: Order) -> None:
    async with ctx.db.transaction() as connection, ctx.complete_in(connection, result={"billed": data.number}):
        await ctx.enqueue(once, data, connection=connection)


@pytest.fixture
def tight_pooler(postgres_server: PostgresServer) -> Generator[PgBouncer]:
    require("PgBouncer", find_pgbouncer(), HOW_TO_INSTALL)
    with PgBouncer(postgres_server, pool_size=SERVER_CONNECTIONS) as pooler:
        yield pooler


@pytest.fixture
def pooled_dsn(tight_pooler: PgBouncer, database_dsn: str) -> str:
    """By TCP: its port stays the same when it is started again."""
    return tight_pooler.dsn(urlsplit(database_dsn).path.lstrip("/"), tcp=True)


@pytest.fixture
async def application(pooled_dsn: str) -> AsyncGenerator[JobApp]:
    variables = {
        "DATABASE_URL": pooled_dsn,
        "JOBCORE_PGBOSS__POLL_INTERVAL_SECONDS": "0.1",
        "JOBCORE_PGBOSS__CANCEL_POLL_SECONDS": "0.1",
        "JOBCORE_POSTGRES__RETRY_SECONDS": "30",
    }
    app = JobApp(Settings.load(env=variables), handlers=[once, twice, patient, bill])
    async with app:
        worker = app.worker()
        await worker.start()
        yield app
        await worker.stop(timedelta(seconds=5))


async def is_in(state: JobState, handle: Any) -> bool:
    return (await handle.status()).status is state


async def test_jobs_complete_with_progress_steps_and_results(application: JobApp) -> None:
    handles = await application.enqueue_many(once, [Order(tenantId=TENANT, number=number) for number in range(60)])
    assert [await handle.result(timeout=30) for handle in handles] == [2 * number for number in range(60)]


async def test_a_job_is_tried_again(application: JobApp) -> None:
    handle = await application.enqueue(twice, ORDER)
    assert await handle.result(timeout=20) == 2


async def test_a_running_job_hears_of_its_cancellation(application: JobApp) -> None:
    handle = await application.enqueue(patient, ORDER)
    await eventually(partial(is_in, JobState.PROCESSING, handle))
    assert await handle.cancel("enough")
    await eventually(partial(is_in, JobState.CANCELLED, handle))
    assert await application.retry(TENANT, handle.job_id)
    await eventually(partial(is_in, JobState.PROCESSING, handle))
    await handle.cancel()


async def test_a_schedule_fires(application: JobApp) -> None:
    await application.schedule("often", once, "1 second", ORDER)

    async def fired_twice() -> bool:
        ended = [job for job in await application.find_jobs(TENANT) if job.status is JobState.COMPLETED]
        return len({job.fire_time for job in ended}) >= 2

    await eventually(fired_twice)


async def test_rows_completion_and_follow_up_commit_together(application: JobApp) -> None:
    handle = await application.enqueue(bill, ORDER)
    assert await handle.result(timeout=20) == {"billed": 1}
    [child] = [job for job in await application.find_jobs(TENANT) if job.type == once.name]
    await eventually(partial(is_in, JobState.COMPLETED, application.handle(TENANT, child.job_id)))


async def test_no_session_keeps_a_lock_or_a_prepared_statement(application: JobApp, pooled_dsn: str) -> None:
    handles = await application.enqueue_many(once, [ORDER] * 200)  # a large call: pipelined
    for handle in handles:
        await handle.result(timeout=30)
    async with await psycopg.AsyncConnection.connect(pooled_dsn, prepare_threshold=None) as connection:
        cursor = await connection.execute(KEPT_LOCKS)
        assert await cursor.fetchone() == (0,)
    for _ in range(5 * SERVER_CONNECTIONS):  # each time on whichever server connection is free
        async with await psycopg.AsyncConnection.connect(pooled_dsn, prepare_threshold=None) as connection:
            cursor = await connection.execute("select count(*) from pg_prepared_statements")
            assert await cursor.fetchone() == (0,)


async def test_a_pooler_that_is_killed_and_started_again_loses_nothing(
    application: JobApp, tight_pooler: PgBouncer
) -> None:
    running = await application.enqueue(patient, ORDER)
    await eventually(partial(is_in, JobState.PROCESSING, running))
    waiting = await application.enqueue_many(once, [ORDER] * 300)
    await asyncio.to_thread(tight_pooler.stop)
    meanwhile = asyncio.create_task(application.enqueue(once, ORDER))
    await asyncio.to_thread(tight_pooler.start)
    assert [await handle.result(timeout=30) for handle in waiting] == [2] * 300
    assert await (await meanwhile).result(timeout=30) == 2
    assert (await running.status()).attempt == 1
    assert await running.cancel("enough")
    await eventually(partial(is_in, JobState.CANCELLED, running))


async def counts(app: App) -> tuple[int, int]:
    [row] = await app.rows("select (select count(*) from jobs) as jobs, (select count(*) from orders) as orders")
    return row["jobs"], row["orders"]


@pytest.fixture
async def pooled_app(pooled_dsn: str, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[App]:
    # what asyncpg's own documentation asks for with a pooler
    monkeypatch.setattr(asyncpg, "connect", partial(asyncpg.connect, statement_cache_size=0))
    monkeypatch.setattr(asyncpg, "create_pool", partial(asyncpg.create_pool, statement_cache_size=0))
    async with opened(pooled_dsn) as app:
        async with await psycopg.AsyncConnection.connect(pooled_dsn, autocommit=True) as connection:
            await connection.execute("create table orders (number int)")
        yield app


@pytest.mark.parametrize("library", ASYNC_CALLERS, ids=lambda library: library.__name__)
async def test_asynchronous_libraries_enqueue_through_it(library: type[AsyncCaller], pooled_app: App) -> None:
    async with library.open(pooled_app.dsn) as caller:
        async with caller.transaction():
            await caller.run("insert into orders values (1)")
            await pooled_app.enqueue(connection=caller.handed, count=2)
        with suppress(ZeroDivisionError):
            async with caller.transaction():
                await caller.run("insert into orders values (2)")
                await pooled_app.enqueue(connection=caller.handed)
                raise ZeroDivisionError
    assert await counts(pooled_app) == (2, 1)


@pytest.mark.parametrize("library", BLOCKING_CALLERS, ids=lambda library: library.__name__)
def test_blocking_libraries_enqueue_through_it(library: type[BlockingCaller], pooled_dsn: str) -> None:
    with psycopg.connect(pooled_dsn, autocommit=True) as connection:
        connection.execute("create table orders (number int)")
    settings = Settings.load(env={"DATABASE_URL": pooled_dsn})
    with BlockingJobApp(settings, handlers=[once]) as app, library.open(pooled_dsn) as caller:
        with caller.transaction():
            caller.run("insert into orders values (1)")
            app.enqueue(once, ORDER, connection=caller.handed)
        with suppress(ZeroDivisionError), caller.transaction():
            caller.run("insert into orders values (2)")
            app.enqueue(once, ORDER, connection=caller.handed)
            raise ZeroDivisionError
    with psycopg.connect(pooled_dsn) as connection:
        rows = connection.execute("select (select count(*) from jobs), (select count(*) from orders)").fetchall()
    assert rows == [(1, 1)]
