"""Jobs that displace one another, in transactions at once: each waits for the other, or one is told to begin anew."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from flow_control.conftest import until
from flow_control.test_admission_races import somebody_waits
from jobcore import Dedupe, JobApp, JobContext, JobData, JobState, job
from jobcore.errors import TransactionConflictError
from jobcore.testing.apps import quiet_settings

A = uuid4()
CALLERS, CALLS = 6, 25
DEADLOCKS = "select deadlocks from pg_stat_database where datname = current_database()"
IN_LOCKED_ORDER = """
    select key from unnest(array['a', 'b']) as k (key)
    order by hashtextextended(concat_ws('/', 'jobcore dedupe', %s::text, 'sync', key), 0)
"""
HELD_BY_OTHERS = """
    select from pg_locks l join pg_database d on d.oid = l.database
    where d.datname = current_database() and l.locktype = 'advisory' and l.granted and l.pid <> pg_backend_pid()
"""


class Data(JobData):
    key: str


@job("sync", dedupe=Dedupe("key", "supersede"))
async def sync(ctx: JobContext, data: Data) -> None: ...


@pytest.fixture
async def app(database_dsn: str) -> AsyncGenerator[JobApp]:
    settings = quiet_settings(runner="pgboss", database={"url": database_dsn})
    async with JobApp(settings, handlers=[sync]) as app:
        yield app


async def connect(dsn: str, deadlock_timeout: str = "50ms") -> psycopg.AsyncConnection[Any]:
    return await psycopg.AsyncConnection.connect(
        dsn, autocommit=True, options=f"-c deadlock_timeout={deadlock_timeout}"
    )


async def deadlocks(dsn: str) -> int:
    async with await connect(dsn) as connection:
        [count] = await (await connection.execute(DEADLOCKS)).fetchone() or [0]
    return count


async def test_calls_with_the_same_keys_in_any_order_wait_for_one_another(app: JobApp, database_dsn: str) -> None:
    async def call_again_and_again(seed: int) -> None:
        chance = random.Random(seed)
        async with await connect(database_dsn) as connection:
            for _ in range(CALLS):
                data = [Data(key=key) for key in chance.sample("abcdef", 4)]
                async with connection.transaction():
                    await app.enqueue_many(sync, data, tenant=A, connection=connection)

    await asyncio.gather(*(call_again_and_again(seed) for seed in range(CALLERS)))
    assert await deadlocks(database_dsn) == 0
    async with await connect(database_dsn) as connection:
        cursor = await connection.execute("select status, count(*)::int from jobs group by status")
        counts = dict(await cursor.fetchall())
    assert counts[JobState.QUEUED] <= len("abcdef")
    assert sum(counts.values()) == CALLERS * CALLS * 4


async def test_of_two_transactions_in_opposite_orders_one_is_told_to_begin_anew(app: JobApp, database_dsn: str) -> None:
    async def enqueue(connection: Any, first: str, then: str, other: asyncio.Barrier) -> Any:
        async with connection.transaction():
            await app.enqueue(sync, Data(key=first), tenant=A, connection=connection)
            await other.wait()
            return await app.enqueue(sync, Data(key=then), tenant=A, connection=connection)

    both = asyncio.Barrier(2)
    async with await connect(database_dsn) as one, await connect(database_dsn) as two:
        answers = await asyncio.gather(
            enqueue(one, "a", "b", both), enqueue(two, "b", "a", both), return_exceptions=True
        )
        [error] = [answer for answer in answers if isinstance(answer, BaseException)]
        assert isinstance(error, TransactionConflictError)
        assert "roll it back, and run it again" in str(error)
        alone = asyncio.Barrier(1)
        await enqueue(one, "a", "b", alone)  # both connections go on
        await enqueue(two, "b", "a", alone)
    states = [record.status for record in await app.find_jobs(A)]
    assert sorted(states) == [JobState.CANCELLED] * 4 + [JobState.QUEUED] * 2


async def test_a_call_of_its_own_begins_anew_by_itself(app: JobApp, database_dsn: str) -> None:
    async with await connect(database_dsn, deadlock_timeout="1min") as connection:
        cursor = await connection.execute(IN_LOCKED_ORDER, [str(A)])
        first, then = [key for (key,) in await cursor.fetchall()]
        async with connection.transaction():
            await app.enqueue(sync, Data(key=then), tenant=A, connection=connection)
            own = asyncio.create_task(app.enqueue_many(sync, [Data(key="a"), Data(key="b")], tenant=A))
            await until(lambda: somebody_waits(database_dsn))
            assert (await connection.execute(HELD_BY_OTHERS)).rowcount == 1
            # It waits for us while we wait for it: this returns once it has let go.
            await app.enqueue(sync, Data(key=first), tenant=A, connection=connection)
        handles = await own
    assert [(await handle.status()).status for handle in handles] == [JobState.QUEUED] * 2
