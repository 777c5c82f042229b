"""Nobody reads or writes across tenants: as ordinary logins, directly and through pgbouncer in transaction mode."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from jobcore.errors import StorageError
from jobcore.models import JobFilter
from jobcore.states import JobState
from jobcore_devkit.databases import database_name
from jobcore_devkit.pgbouncer import PgBouncer
from jobcore_devkit.postgres import PostgresServer
from jobcore_postgres import wire
from jobcore_postgres.database import Database
from jobcore_postgres.store import PostgresStore
from jobcore_postgres.tenant import PostgresTenantDatabase
from postgres_storage.builders import OTHER_TENANT, TENANT, new_job, running, schedule

TABLES = ("jobs", "job_details", "cron_jobs")
Connection = psycopg.AsyncConnection[Any]


def only(*tenants: UUID) -> dict[str, set[UUID]]:
    return {table: set(tenants) for table in TABLES}


@pytest.fixture(params=["direct", "pgbouncer"])
async def as_tenant(request: pytest.FixtureRequest, populated: PostgresStore) -> AsyncIterator[Connection]:
    """A login that is a member of jobcore_tenant only, straight or through a transaction pool."""
    name = {"direct": "tenant_dsn", "pgbouncer": "pooled_tenant_dsn"}[request.param]
    async with await psycopg.AsyncConnection.connect(
        request.getfixturevalue(name), autocommit=True, prepare_threshold=None
    ) as connection:
        yield connection


@pytest.fixture
async def populated(store: PostgresStore) -> PostgresStore:
    """Both tenants have a job that runs, a detail and a schedule."""
    for tenant in (TENANT, OTHER_TENANT):
        lease = await running(store, tenant=tenant)
        await store.create_job_detail(tenant, lease.job_id, "page 1", "done")
        await store.put_schedule(schedule(tenant=tenant))
    return store


async def test_without_a_tenant_nothing_is_visible(as_tenant: Connection) -> None:
    assert await _visible(as_tenant) == only()


async def test_a_tenant_sees_its_own_rows_only(as_tenant: Connection) -> None:
    for tenant in (TENANT, OTHER_TENANT, uuid4()):
        async with as_tenant.transaction():
            await _set(as_tenant, tenant)
            assert await _visible(as_tenant) == (only(tenant) if tenant in (TENANT, OTHER_TENANT) else only())


async def test_the_tenant_ends_with_the_transaction(as_tenant: Connection) -> None:
    async with as_tenant.transaction():
        await _set(as_tenant, TENANT)
    assert await _visible(as_tenant) == only()


@pytest.mark.parametrize(
    "statement",
    [
        "update public.jobs set status = 'failed'",
        "delete from public.job_details",
        "insert into public.cron_jobs (tenant, job_id, name, handler) values (gen_random_uuid(), 'a', 'a', 'a')",
        "select * from jobcore.workers",
        "select * from jobcore.payload_schemas",
        "select * from jobcore.announced",
        "select * from jobcore.job_new('[]')",
        "select * from jobcore.job_settle('[]')",
        "set role jobcore_worker",
        "set role jobcore_owner",
        "alter table public.jobs disable row level security",
    ],
)
async def test_a_tenants_login_writes_nothing_itself(as_tenant: Connection, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await _attempt(as_tenant, TENANT, statement)


async def test_the_functions_for_tenants_refuse_the_rows_of_another(
    as_tenant: Connection, populated: PostgresStore
) -> None:
    theirs = (await populated.find_jobs(OTHER_TENANT, _everything()))[0]
    element = {"tenant": OTHER_TENANT, "job_id": theirs.job_id, "attempt": 1, "token": "t", "outcome": "completed"}
    batches = [
        ("tenant_new", [{"id": uuid4(), "tenant": TENANT}, {"id": uuid4(), "tenant": OTHER_TENANT}]),
        ("tenant_settle", [element]),
    ]
    for function, batch in batches:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="may not write for another"):
            await _attempt(as_tenant, TENANT, f"select * from jobcore.{function}(%s)", _json(batch))
    assert await populated.get_job(OTHER_TENANT, theirs.job_id) == theirs


async def test_a_job_of_another_tenant_is_as_if_it_did_not_exist(
    as_tenant: Connection, populated: PostgresStore
) -> None:
    theirs = (await populated.find_jobs(OTHER_TENANT, _everything()))[0]
    async with as_tenant.transaction():
        await _set(as_tenant, TENANT)
        cancelled = await as_tenant.execute("select jobcore.tenant_cancel_request(%s, 'x', 'x')", (theirs.job_id,))
        detail = await as_tenant.execute(
            "select jobcore.tenant_detail(%s, 'token', 'x', 'x', null, null)", (theirs.job_id,)
        )
        assert (await cancelled.fetchone(), await detail.fetchone()) == ((False,), (None,))
    assert (await populated.get_job(OTHER_TENANT, theirs.job_id)).cancel_requested is None


async def test_a_tenant_enqueues_cancels_and_settles_its_own(as_tenant: Connection, populated: PostgresStore) -> None:
    job = new_job()
    lease = await running(populated)
    settlement = {"tenant": TENANT, "job_id": lease.job_id, "attempt": 1, "token": lease.token, "outcome": "completed"}
    async with as_tenant.transaction():
        await _set(as_tenant, TENANT)
        await as_tenant.execute("select from jobcore.tenant_new(%s)", (wire.new_jobs([job], JobState.PENDING),))
        await as_tenant.execute("select jobcore.tenant_cancel_request(%s, 'no need', 'ann')", (job.job_id,))
        await as_tenant.execute(
            "select jobcore.tenant_detail(%s, %s, 'page 2', 'done', null, null)", (lease.job_id, lease.token)
        )
        cursor = await as_tenant.execute("select applied from jobcore.tenant_settle(%s)", (_json([settlement]),))
        assert await cursor.fetchone() == (True,)
    record = await populated.get_job(TENANT, job.job_id)
    assert record.cancel_requested is not None
    assert record.cancel_requested["reason"] == "no need"
    assert [d.step_name for d in await populated.get_details(TENANT, lease.job_id)] == ["page 2"]


async def test_a_tenant_shows_its_lease_and_names_itself(as_tenant: Connection, populated: PostgresStore) -> None:
    mine = (await populated.find_jobs(TENANT, _everything()))[0]
    fenceless = {"tenant": TENANT, "job_id": mine.job_id, "attempt": 1, "token": None, "outcome": "completed"}
    for tenant, statement, argument, reason in (
        (TENANT, "select jobcore.tenant_settle(%s)", _json([fenceless]), "token and attempt are required"),
        (TENANT, "select jobcore.tenant_detail(%s, null, 'x', 'x', null, null)", mine.job_id, "token is required"),
        (None, "select jobcore.tenant_settle(%s)", _json([fenceless]), "no tenant is set"),
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match=reason):
            await _attempt(as_tenant, tenant, statement, argument)


async def test_two_tenants_interleaved_on_one_server_connection_stay_apart(
    postgres_server: PostgresServer, database_dsn: str, populated: PostgresStore
) -> None:
    """One server connection behind the pool: both clients get the same session in turn."""
    with PgBouncer(postgres_server, pool_size=1) as pool:
        database = Database(pool.dsn(database_name(database_dsn), user="test_worker"))
        await database.open()
        sessions: set[int] = set()

        async def read(tenant: UUID) -> None:
            for _ in range(15):
                async with PostgresTenantDatabase(database, tenant).transaction() as connection:
                    assert await _visible(connection) == only(tenant)
                    sessions.add(await _session(connection))
                async with database.connection() as connection:  # between them the engine, which sees both
                    assert await _visible(connection) == only(TENANT, OTHER_TENANT)

        await asyncio.gather(read(TENANT), read(OTHER_TENANT))
        assert len(sessions) == 1
        await database.close()


async def test_the_store_works_through_a_transaction_pool(pooled_worker_dsn: str) -> None:
    store = PostgresStore(pooled_worker_dsn)
    await store.open()
    leases = [await running(store) for _ in range(12)]
    assert [await store.save_step(lease, "a#1", b"1") for lease in leases] == [b"1"] * 12
    await store.close()


async def test_a_handlers_database_is_one_tenants(populated: PostgresStore) -> None:
    database = populated.tenant_database(TENANT)
    assert database is not None
    async with database.transaction() as connection:
        assert await _visible(connection) == only(TENANT)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with connection.transaction():
                await connection.execute("delete from public.jobs")


async def test_a_handlers_own_sql_errors_are_its_own(populated: PostgresStore) -> None:
    database = populated.tenant_database(TENANT)
    assert database is not None
    with pytest.raises(psycopg.errors.UndefinedTable):
        async with database.transaction() as connection:
            await connection.execute("select * from no_such_table")


async def test_a_login_that_may_not_act_for_tenants_is_told_what_it_lacks(
    postgres_server: PostgresServer, database_dsn: str, new_login: Callable[[str], str]
) -> None:
    login = new_login("in role jobcore_worker")
    store = PostgresStore(postgres_server.dsn(database_name(database_dsn), user=login))
    await store.open()
    database = store.tenant_database(TENANT)
    assert database is not None
    with pytest.raises(StorageError, match="cannot act as jobcore_tenant"):
        async with database.transaction():
            pass
    await store.close()


def test_row_security_is_forced_wherever_a_table_has_a_tenant(admin: psycopg.Connection) -> None:
    rows = admin.execute(
        """select c.relname, c.relrowsecurity, c.relforcerowsecurity
        from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant'
        where c.relkind in ('r', 'p') and c.relnamespace in ('public'::regnamespace, 'jobcore'::regnamespace)"""
    ).fetchall()
    assert {row[0] for row in rows} >= set(TABLES)
    assert all(row[1] and row[2] for row in rows)


def test_functions_with_the_owners_rights_pin_their_search_path(admin: psycopg.Connection) -> None:
    rows = admin.execute(
        "select proname, proconfig from pg_proc where prosecdef and pronamespace = 'jobcore'::regnamespace"
    ).fetchall()
    assert {"tenant_new", "tenant_settle", "tenant_detail", "tenant_cancel_request"} <= {row[0] for row in rows}
    assert not [name for name, config in rows if "search_path=pg_catalog, pg_temp" not in (config or [])]


def test_nobody_may_call_a_function_by_default(admin: psycopg.Connection) -> None:
    rows = admin.execute(
        """select proname from pg_proc
        where pronamespace = 'jobcore'::regnamespace and has_function_privilege('public', oid, 'execute')"""
    ).fetchall()
    assert rows == []


async def _attempt(connection: Connection, tenant: UUID | None, statement: str, *arguments: object) -> None:
    async with connection.transaction():
        if tenant is not None:
            await _set(connection, tenant)
        await connection.execute(statement.encode(), arguments)


async def _set(connection: Connection, tenant: UUID) -> None:
    await connection.execute("select set_config('jobcore.tenant', %s, true)", (str(tenant),))


async def _visible(connection: Connection) -> dict[str, set[UUID]]:
    seen: dict[str, set[UUID]] = {}
    for table in TABLES:
        cursor = await connection.execute(f"select distinct tenant from public.{table}".encode())
        seen[table] = {row[0] for row in await cursor.fetchall()}
    return seen


async def _session(connection: Connection) -> int:
    row = await (await connection.execute("select pg_backend_pid()")).fetchone()
    assert row is not None
    return row[0]


def _everything() -> Any:
    return JobFilter()


def _json(value: Any) -> Jsonb:
    return Jsonb(value, dumps=lambda item: json.dumps(item, default=str))
