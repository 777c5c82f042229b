"""An application's own pool, lent to the storage, stays as it was (G02)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from jobcore.errors import StorageUnavailableError
from jobcore_postgres.database import Database


@pytest.fixture
async def pool(database_dsn: str) -> AsyncIterator[AsyncConnectionPool[Any]]:
    """One connection, with rows as dictionaries and not in autocommit mode."""
    async with AsyncConnectionPool(
        database_dsn, min_size=1, max_size=1, kwargs={"row_factory": dict_row}, open=False
    ) as pool:
        yield pool


@pytest.fixture
async def database(database_dsn: str, pool: AsyncConnectionPool[Any]) -> AsyncIterator[Database]:
    database = Database(database_dsn, pool=pool)
    await database.open()
    yield database
    await database.close()


async def is_as_it_was(pool: AsyncConnectionPool[Any]) -> bool:
    async with pool.connection() as connection:
        row = await (await connection.execute("select 1 as one")).fetchone()
        return (connection.autocommit, row) == (False, {"one": 1})


async def test_we_see_tuples_in_autocommit_mode_and_the_application_its_own(
    database: Database, pool: AsyncConnectionPool[Any]
) -> None:
    async with database.connection() as connection:
        assert connection.autocommit
        assert await (await connection.execute("select 1 as one")).fetchone() == (1,)
    assert await is_as_it_was(pool)


async def test_an_error_in_a_transaction_leaves_the_pool_as_it_was(
    database: Database, pool: AsyncConnectionPool[Any]
) -> None:
    async def break_off() -> None:
        async with database.transaction() as connection:
            await connection.execute("create table left_behind ()")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await break_off()
    assert await is_as_it_was(pool)
    async with pool.connection() as connection:
        row = await (await connection.execute("select to_regclass('left_behind') as found")).fetchone()
    assert row == {"found": None}


async def test_a_connection_that_is_not_idle_is_replaced(database: Database, pool: AsyncConnectionPool[Any]) -> None:
    async def leave_a_transaction_open() -> int:
        async with database.connection() as connection:
            await connection.execute("begin")
            return connection.info.backend_pid

    used = await leave_a_transaction_open()
    assert await is_as_it_was(pool)
    async with pool.connection() as connection:
        assert connection.info.backend_pid != used


async def test_a_call_that_is_cancelled_leaves_the_pool_as_it_was(
    database: Database, pool: AsyncConnectionPool[Any]
) -> None:
    async def wait_long() -> None:
        async with database.connection() as connection:
            begun.set()
            await connection.execute("select pg_sleep(60)")

    begun = asyncio.Event()
    waiting = asyncio.create_task(wait_long())
    await begun.wait()
    await asyncio.wait([waiting], timeout=0.2)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert await is_as_it_was(pool)


async def test_closing_leaves_the_pool_open(database: Database, pool: AsyncConnectionPool[Any]) -> None:
    await database.close()
    assert not pool.closed
    assert await is_as_it_was(pool)
    await database.open()
    assert await database.ping() < 10


async def test_a_pool_that_is_not_open_is_an_unavailable_storage(database_dsn: str) -> None:
    database = Database(database_dsn, pool=AsyncConnectionPool(database_dsn, open=False))
    await database.open()
    with pytest.raises(StorageUnavailableError):
        await database.ping()
