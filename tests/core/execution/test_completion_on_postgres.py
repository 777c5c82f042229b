"""`complete_in` with psycopg's own connections, whose transactions it must tell apart."""

import asyncio
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest

from jobcore import JobContext, job
from jobcore.errors import InputError
from jobcore.models import Outcome, Settlement
from support.execution import Bench, Session


class Database:
    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    @asynccontextmanager
    async def transaction(self):
        async with await psycopg.AsyncConnection.connect(self._dsn) as connection, connection.transaction():
            yield connection


class PostgresSession(Session):
    def __init__(self, dsn: str) -> None:
        super().__init__()
        self.dsn = dsn
        self.database = Database(dsn)

    async def settle_in(self, connection: Any, settlement: Settlement) -> None:
        await connection.execute("insert into ended values (%s)", [settlement.outcome.value])


@pytest.fixture
async def session(empty_database_dsn: str) -> PostgresSession:
    async with await psycopg.AsyncConnection.connect(empty_database_dsn, autocommit=True) as connection:
        await connection.execute("create table ended (outcome text); create table bills (number int unique)")
    return PostgresSession(empty_database_dsn)


async def stored(session: PostgresSession) -> tuple[int, int]:
    async with await psycopg.AsyncConnection.connect(session.dsn) as connection:
        cursor = await connection.execute("select (select count(*) from ended), (select count(*) from bills)")
        row = await cursor.fetchone()
    assert row is not None
    return row[0], row[1]


async def run(function: Any, session: PostgresSession) -> Settlement:
    @job("act")
    async def act(ctx: JobContext, data: dict[str, Any]) -> Any:
        return await function(ctx)

    return await asyncio.wait_for(Bench(act).run(act, session=session), 10)


async def test_an_idle_connection_commits_rows_and_completion(session: PostgresSession) -> None:
    async def bills(ctx: JobContext) -> None:
        async with await psycopg.AsyncConnection.connect(session.dsn) as connection:
            async with ctx.complete_in(connection) as opened:
                assert opened is connection
                await connection.execute("insert into bills values (1)")
            assert await stored(session) == (1, 1)

    assert (await run(bills, session)).settled


async def test_the_transaction_of_ctx_db_is_joined(session: PostgresSession) -> None:
    async def bills(ctx: JobContext) -> None:
        async with ctx.db.transaction() as connection:
            await connection.execute("insert into bills values (1)")
            async with ctx.complete_in(connection):
                pass

    assert (await run(bills, session)).settled
    assert await stored(session) == (1, 1)


async def test_a_rollback_of_psycopgs_own_kind_completes_nothing(session: PostgresSession) -> None:
    async def bills(ctx: JobContext) -> None:
        async with await psycopg.AsyncConnection.connect(session.dsn) as connection, ctx.complete_in(connection):
            await connection.execute("insert into bills values (1)")
            raise psycopg.Rollback

    settlement = await run(bills, session)
    assert (settlement.outcome, settlement.settled) == (Outcome.COMPLETED, False)
    assert await stored(session) == (0, 0)


async def test_a_constraint_that_fails_leaves_neither_row_nor_completion(session: PostgresSession) -> None:
    async def bills(ctx: JobContext) -> None:
        async with ctx.complete_in(ctx.db) as connection:
            await connection.execute("insert into bills values (1), (1)")

    settlement = await run(bills, session)
    assert (settlement.outcome, settlement.settled) == (Outcome.RETRY, False)
    assert settlement.error["type"].endswith("UniqueViolation")
    assert await stored(session) == (0, 0)


async def test_a_connection_broken_before_its_commit_leaves_neither(session: PostgresSession) -> None:
    async def bills(ctx: JobContext) -> None:
        async with ctx.complete_in(ctx.db) as connection:
            await connection.execute("insert into bills values (1)")
            pid = connection.info.backend_pid
            async with await psycopg.AsyncConnection.connect(session.dsn, autocommit=True) as other:
                await other.execute("select pg_terminate_backend(%s, 5000)", [pid])

    settlement = await run(bills, session)
    assert (settlement.outcome, settlement.settled) == (Outcome.RETRY, False)
    assert await stored(session) == (0, 0)


async def test_a_transaction_that_the_caller_began_is_refused(session: PostgresSession) -> None:
    async def bills(ctx: JobContext) -> None:
        async with await psycopg.AsyncConnection.connect(session.dsn) as connection:
            await connection.execute("select 1")
            with pytest.raises(InputError, match="somebody else opened"):
                async with ctx.complete_in(connection):
                    pass

    assert not (await run(bills, session)).settled
