"""The caller's own transaction, with each asynchronous library: committed with it, or not at all."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

import psycopg
import pytest

from jobcore.errors import ForeignConnectionError
from pgboss_runner.bridge_callers import ASYNC_CALLERS, AsyncCaller
from pgboss_runner.harness import TENANT, App, opened

OTHER = UUID("22222222-2222-7222-8222-222222222222")

pytestmark = pytest.mark.parametrize("library", ASYNC_CALLERS, ids=lambda library: library.__name__)


@pytest.fixture
async def caller(library: type[AsyncCaller], app: App):
    async with await psycopg.AsyncConnection.connect(app.dsn) as connection:
        await connection.execute("create table orders (id int primary key)")
        await connection.execute("grant all on orders to jobcore_tenant")
    async with library.open(app.dsn) as caller:
        yield caller


async def orders_and_jobs(app: App) -> tuple[int, int, int]:
    counts = (
        "select (select count(*) from orders) o, (select count(*) from jobs) j, (select count(*) from pgboss.job) q"
    )
    [row] = await app.rows(counts)
    return row["o"], row["j"], row["q"]


async def test_a_commit_keeps_the_job_and_shows_it_only_then(app: App, caller: AsyncCaller) -> None:
    async with caller.transaction():
        await caller.run("insert into orders values (1)")
        ids = await app.enqueue(connection=caller.handed, count=3)
        assert await orders_and_jobs(app) == (0, 0, 0)
    assert await orders_and_jobs(app) == (1, 3, 3)
    assert {type(job_id) for job_id in ids} == {UUID}
    assert [(await app.job(job_id))["status"] for job_id in ids] == ["queued"] * 3


async def test_an_error_in_the_middle_leaves_nothing(app: App, caller: AsyncCaller) -> None:
    with suppress(ZeroDivisionError):
        async with caller.transaction():
            await caller.run("insert into orders values (1)")
            await app.enqueue(connection=caller.handed)
            raise ZeroDivisionError
    assert await orders_and_jobs(app) == (0, 0, 0)


async def test_a_rolled_back_savepoint_takes_its_job_along(app: App, caller: AsyncCaller) -> None:
    async with caller.transaction():
        await caller.run("insert into orders values (1)")
        kept = await app.enqueue(connection=caller.handed)
        with suppress(ZeroDivisionError):
            async with caller.savepoint():
                await app.enqueue(connection=caller.handed, count=2)
                raise ZeroDivisionError
    assert await orders_and_jobs(app) == (1, 1, 1)
    assert (await app.job(kept[0]))["status"] == "queued"


async def test_a_refused_job_leaves_the_error_to_the_caller(app: App, caller: AsyncCaller) -> None:
    async with caller.transaction():
        await caller.run("insert into orders values (1)")
        with pytest.raises(Exception, match="smallint|integer|out of range"):
            async with caller.savepoint():
                await app.enqueue(connection=caller.handed, priority=2**40)
        await app.enqueue(connection=caller.handed)
    assert await orders_and_jobs(app) == (1, 1, 1)


async def test_a_tenants_role_enqueues_for_its_tenant_only(app: App, caller: AsyncCaller) -> None:
    async with caller.transaction():
        await caller.run("set local role jobcore_tenant")
        await caller.run(f"set local jobcore.tenant = '{TENANT}'")
        await app.enqueue(connection=caller.handed)
        with pytest.raises(Exception, match="may not write for another"):
            async with caller.savepoint():
                await app.enqueue(connection=caller.handed, tenant=OTHER)
    assert await orders_and_jobs(app) == (0, 1, 1)


async def test_the_sessions_time_zone_does_not_matter(app: App, caller: AsyncCaller) -> None:
    async with caller.transaction():
        await caller.run("set local time zone 'Asia/Kathmandu'")
        await app.enqueue(connection=caller.handed)
    assert await orders_and_jobs(app) == (0, 1, 1)


async def test_a_payload_arrives_whatever_it_holds(app: App, caller: AsyncCaller) -> None:
    payload = {"tenantId": str(TENANT), "odd": "% %s %(a)s :a1 $1 \\ ' \" ::jsonb ü 🙂"}
    async with caller.transaction():
        [job_id] = await app.enqueue(connection=caller.handed, payload=payload)
    assert (await app.job(job_id))["payload"] == payload


async def test_a_dedupe_key_finds_the_job_that_holds_it(app: App, caller: AsyncCaller) -> None:
    async with caller.transaction():
        first = await app.enqueue(connection=caller.handed, dedupe_key="once")
        assert await app.enqueue(connection=caller.handed, dedupe_key="once") == first
    assert await orders_and_jobs(app) == (0, 1, 1)


async def test_another_database_is_refused_and_stays_empty(
    app: App, library: type[AsyncCaller], empty_database_dsn: str, other_migrated_dsn: str
) -> None:
    for dsn, reason in ((empty_database_dsn, "without jobcore"), (other_migrated_dsn, "in another database")):
        async with library.open(dsn) as caller:
            with pytest.raises(ForeignConnectionError, match=reason):
                async with caller.transaction():
                    await app.enqueue(connection=caller.handed)
    async with opened(other_migrated_dsn) as other:
        assert await other.rows("select from jobs") == []
