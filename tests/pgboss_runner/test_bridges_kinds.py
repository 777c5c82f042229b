"""What is accepted as the caller's connection, what commits by itself, and what an import costs."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import asyncpg
import psycopg
import pytest
from django.db import connection as django_connection
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from jobcore import BlockingJobApp
from jobcore.errors import ForeignConnectionError, InputError
from jobcore.settings import Settings
from pgboss_runner.bridge_callers import Session as AsyncSessionCaller
from pgboss_runner.bridge_callers_blocking import Django
from pgboss_runner.harness import TENANT, App


async def test_a_connection_in_autocommit_mode_commits_the_job_at_once(app: App) -> None:
    async with await psycopg.AsyncConnection.connect(app.dsn, autocommit=True) as connection:
        await app.enqueue(connection=connection)
        assert len(await app.rows("select from jobs")) == 1
    connection = await asyncpg.connect(app.dsn)
    await app.enqueue(connection=connection)
    await connection.close()
    assert len(await app.rows("select from jobs")) == 2
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(app.dsn), isolation_level="AUTOCOMMIT"
    )
    with Session(engine) as session:
        await app.enqueue(connection=session)
        assert len(await app.rows("select from jobs")) == 3
    engine.dispose()


def test_django_without_atomic_commits_the_job_at_once(database_dsn: str) -> None:
    settings = Settings.load(env={"DATABASE_URL": database_dsn})
    with BlockingJobApp(settings) as app, Django.open(database_dsn) as caller:
        handle = app.enqueue("far", {}, tenant=TENANT, remote=True, connection=caller.handed)
        assert handle.status().status == "queued"


async def test_an_asynchronous_program_may_pass_a_blocking_session_and_its_loop_goes_on(app: App) -> None:
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(app.dsn))
    await app.enqueue(dedupe_key="held")
    await app.rows("delete from jobs returning 1")
    async with await psycopg.AsyncConnection.connect(app.dsn) as holder:
        await app.enqueue(connection=holder, dedupe_key="held")
        with Session(engine) as session:
            waiting = asyncio.create_task(app.enqueue(connection=session, dedupe_key="held"))
            done, _ = await asyncio.wait([waiting], timeout=0.3)
            assert not done
            await holder.rollback()
            await waiting
            session.commit()
    engine.dispose()
    assert len(await app.rows("select from jobs")) == 1


@pytest.mark.parametrize("of_a_thread", [django_connection, scoped_session(sessionmaker())], ids=["django", "scoped"])
async def test_an_object_of_a_thread_is_refused_on_an_event_loop(app: App, of_a_thread: object) -> None:
    with pytest.raises(InputError, match=r"call BlockingJobApp.enqueue\(...\) in that thread"):
        await app.enqueue(connection=of_a_thread)


async def test_the_inside_of_an_asynchronous_session_is_refused(app: App) -> None:
    async with AsyncSessionCaller.open(app.dsn) as caller:
        with pytest.raises(InputError, match="pass the AsyncSession"):
            await app.enqueue(connection=caller.handed.sync_session)


async def test_a_blocking_call_takes_no_asynchronous_connection(database_dsn: str) -> None:
    app = BlockingJobApp(Settings.load(env={"DATABASE_URL": database_dsn}))
    async with await psycopg.AsyncConnection.connect(database_dsn) as connection:
        options = {"tenant": TENANT, "remote": True, "connection": connection}
        with pytest.raises(InputError, match="belongs to an event loop"):
            await asyncio.to_thread(app.enqueue, "far", {}, **options)
    await asyncio.to_thread(app.close)


async def test_anything_else_is_refused_with_what_is_accepted(app: App) -> None:
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(app.dsn))
    for wrong in (engine, "a DSN", object()):
        with pytest.raises(InputError, match=r"must be psycopg's AsyncConnection .* SQLAlchemy's .* Django's .*, not"):
            await app.enqueue(connection=wrong)


async def test_another_products_database_is_refused(app: App) -> None:
    engine = create_engine("sqlite://")
    with Session(engine) as session, pytest.raises(ForeignConnectionError, match="a sqlite database"):
        await app.enqueue(connection=session)
    engine.dispose()


def test_importing_the_runner_imports_none_of_the_libraries() -> None:
    code = (
        "import sys, jobcore_pgboss.runner, jobcore_postgres.bridges; "
        "print({'sqlalchemy', 'django', 'asyncpg', 'greenlet'} & set(sys.modules))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"
