"""Connections: what fails is named, what is lost comes back, and no password is shown."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from uuid import uuid4

import psycopg
import pytest

from jobcore.errors import ConfigurationError, SchemaVersionError, StorageError, StorageUnavailableError
from jobcore.states import JobState
from jobcore_devkit.databases import database_name, fresh_database
from jobcore_devkit.pgbouncer import PgBouncer
from jobcore_devkit.postgres import PostgresServer
from jobcore_postgres.addresses import describe_address, hide_password
from jobcore_postgres.database import Connection, Database
from jobcore_postgres.retry import Backoff
from jobcore_postgres.settings import PostgresSettings
from jobcore_postgres.store import PostgresStore
from postgres_storage.builders import TENANT, new_job, running

IMPATIENT = PostgresSettings(pool_max=2, pool_timeout_seconds=0.5, retry_seconds=0.3)


@pytest.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    opened = Database(database_dsn, IMPATIENT)
    await opened.open()
    yield opened
    await opened.close()


@pytest.mark.parametrize(
    "dsn",
    ["postgresql://u:sesame@[h/db", "nonsense sesame", "host=h passwrd=sesame"],
)
def test_an_address_that_does_not_parse_is_not_repeated(dsn: str) -> None:
    with pytest.raises(ConfigurationError, match="does not parse") as caught:
        Database(dsn)
    assert "sesame" not in str(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None


def test_an_address_is_described_without_its_password() -> None:
    described = describe_address("postgresql://ann:sesame@db.example:6432/app?sslmode=require")
    assert described == "host db.example, port 6432, database app, user ann"
    assert describe_address("dbname=app") == "host the local socket, port 5432, database app, user the system's"
    assert hide_password("bad: sesame!", "postgresql://ann:sesame@h/d") == "bad: ***!"


async def test_a_dead_network_is_noticed_unless_the_address_says_otherwise(database_dsn: str) -> None:
    for dsn, idle in ((database_dsn, "30"), (f"{database_dsn}&keepalives_idle=7", "7")):
        async with await Database(dsn).connect() as connection:
            said = connection.info.get_parameters()
            assert (said["keepalives_idle"], said["tcp_user_timeout"]) == (idle, "60000")


async def test_a_server_that_is_away_is_named_at_once(caplog: pytest.LogCaptureFixture) -> None:
    store = PostgresStore("postgresql://ann:sesame@127.0.0.1:1/app", IMPATIENT)
    with pytest.raises(StorageUnavailableError, match="host 127.0.0.1, port 1, database app, user ann") as caught:
        await store.open()
    assert isinstance(caught.value, ConnectionError)
    assert "sesame" not in str(caught.value) + caplog.text


async def test_a_store_that_is_not_open_says_so(database_dsn: str) -> None:
    with pytest.raises(StorageUnavailableError, match=r"not open.*call `await store\.open\(\)` first"):
        await PostgresStore(database_dsn).ping()


async def test_opening_and_closing_may_be_repeated(database_dsn: str) -> None:
    store = PostgresStore(database_dsn)
    for _ in range(2):
        await store.open()
        await store.open()
        assert 0 < await store.ping() < 5
        await store.close()
        await store.close()


async def test_an_exhausted_pool_is_an_unavailable_storage(database: Database) -> None:
    async with database.connection(), database.connection():
        with pytest.raises(StorageUnavailableError, match="couldn't get a connection"):
            await database.ping()


async def test_a_call_that_is_safe_to_repeat_survives_a_lost_connection(
    store: PostgresStore, admin: psycopg.Connection
) -> None:
    lease = await running(store)
    for _ in range(3):
        await asyncio.gather(*(store.ping() for _ in range(6)))
        _kill_sessions(admin)
        await store.write_progress(lease, 50, None)
        made = await store.create_job(new_job())
        assert not made.deduplicated
    assert (await store.metrics()).by_state[JobState.PENDING] == 3


async def test_a_job_whose_commit_reply_was_lost_is_not_taken_for_anothers(
    store: PostgresStore, admin: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobcore_postgres import records

    original = records.rows_of

    async def breaks_after(connection: Connection, name: str, parameters: object = ()) -> object:
        rows = await original(connection, name, parameters)  # pyright: ignore[reportArgumentType]
        if name == "job_new" and rows[0]["inserted"]:
            raise psycopg.OperationalError("server closed the connection unexpectedly")
        return rows

    monkeypatch.setattr(records, "rows_of", breaks_after)
    job = new_job()
    made = await store.create_job(job)
    assert (made.job_id, made.deduplicated) == (job.job_id, False)
    assert (await store.metrics()).by_state[JobState.PENDING] == 1


async def test_a_server_that_stays_away_ends_the_retries(
    durable_postgres_server: PostgresServer, durable_database_dsn: str
) -> None:
    store = PostgresStore(durable_database_dsn, IMPATIENT)
    await store.open()
    durable_postgres_server.stop("immediate")
    begin = time.monotonic()
    with pytest.raises(StorageUnavailableError):
        await store.metrics()
    assert time.monotonic() - begin < 10
    durable_postgres_server.start()
    await _eventually_answers(store)
    await store.close()


async def test_a_restart_of_the_server_is_survived_in_one_call(
    durable_postgres_server: PostgresServer, durable_database_dsn: str
) -> None:
    store = PostgresStore(durable_database_dsn, PostgresSettings(retry_seconds=20))
    await store.open()
    job = new_job()
    await store.create_job(job)
    await asyncio.to_thread(durable_postgres_server.restart, "immediate")
    assert (await store.get_job(TENANT, job.job_id)).job_id == job.job_id
    async with await psycopg.AsyncConnection.connect(durable_database_dsn) as own:  # the same database, started anew
        await store.create_job(new_job(), connection=own)
    await store.close()


async def test_statements_are_prepared_except_through_a_pooler(
    pgbouncer: PgBouncer, database: Database, database_dsn: str
) -> None:
    async with database.connection() as direct:
        assert direct.prepare_threshold is not None
    pooled = await Database(pgbouncer.dsn(database_name(database_dsn))).connect()
    assert pooled.prepare_threshold is None
    await pooled.close()


async def test_a_connection_of_ones_own_does_not_take_from_the_pool(database: Database) -> None:
    own = [await database.connect(application_name="jobcore worker") for _ in range(4)]
    assert await database.ping() > 0
    for connection in own:
        assert connection.autocommit
        await connection.close()


async def test_a_login_without_rights_is_told_which_role_it_lacks(
    postgres_server: PostgresServer, database_dsn: str, tenant_dsn: str
) -> None:
    store = PostgresStore(tenant_dsn)
    await store.open()
    with pytest.raises(StorageError, match="jobcore_worker"):
        await store.create_job(new_job())
    await store.close()


async def test_missing_parts_of_the_schema_say_migrate(store: PostgresStore, admin: psycopg.Connection) -> None:
    admin.execute("drop function jobcore.job_progress")
    lease = await running(store)
    with pytest.raises(SchemaVersionError, match=r"job_progress.*Run `jobcore migrate`"):
        await store.write_progress(lease, 1, None)


async def test_other_errors_of_the_database_pass_unchanged(database: Database) -> None:
    with pytest.raises(psycopg.errors.QueryCanceled):
        async with database.transaction() as connection:
            await connection.execute("set local statement_timeout = 20; select pg_sleep(5)")


async def test_waits_between_tries_end_with_their_time() -> None:
    assert await Backoff(0).wait() is False
    backoff = Backoff(0.2)
    tries = 0
    while await backoff.wait():
        tries += 1
    assert tries >= 2


async def test_no_password_is_logged(store: PostgresStore, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(StorageUnavailableError):
        await PostgresStore("postgresql://ann:sesame@127.0.0.1:1/app", IMPATIENT).open()
    await store.ping()
    assert "sesame" not in caplog.text


async def test_stores_of_two_databases_stay_apart(postgres_server: PostgresServer, template_database: str) -> None:
    with (
        fresh_database(postgres_server, template=template_database) as one,
        fresh_database(postgres_server, template=template_database) as two,
    ):
        stores = [PostgresStore(one), PostgresStore(two)]
        for store in stores:
            await store.open()
        await stores[0].create_job(new_job(job_id=uuid4()))
        assert [sum((await store.metrics()).by_state.values()) for store in stores] == [1, 0]
        for store in stores:
            await store.close()


def _kill_sessions(admin: psycopg.Connection) -> None:
    admin.execute(
        """select pg_terminate_backend(pid, 5000) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'"""
    )


async def _eventually_answers(store: PostgresStore) -> None:
    async with asyncio.timeout(15):
        while True:
            try:
                await store.ping()
            except StorageUnavailableError:
                continue
            return
