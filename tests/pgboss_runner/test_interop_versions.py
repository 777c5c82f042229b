"""Every version of pg-boss's schema that we speak, made by Node: attached to, shared with it, and upgraded under us.

npm has no release that made versions 44 and 45: for those the newest one goes back by its own rollback plans, and the
release of version 43 works beside us, as it does on every newer schema.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from jobcore.errors import SchemaVersionError
from jobcore_devkit.postgres import PostgresServer
from jobcore_postgres.migrations import migrate
from pgboss_runner.harness import TENANT, App, TrivialExecutor, eventually, noop, opened
from pgboss_runner.supervised import Node, busy, node_boss
from pgboss_runner.test_interop_life import doubled, failing

NEWEST = 46
MAKERS = {42: "pg-boss-42", 43: "pg-boss-43", NEWEST: "pg-boss"}
BESIDE = {**MAKERS, 44: "pg-boss-43", 45: "pg-boss-43"}
MINDS_NOTHING: dict[str, Any] = {"schedule": False, "supervise": False}

CATALOG = """
select c.oid::regclass::text || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) as found
from pg_attribute a join pg_class c on c.oid = a.attrelid
where c.relnamespace = 'pgboss'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
union all select pg_get_indexdef(indexrelid) from pg_index join pg_class on oid = indrelid
where relnamespace = 'pgboss'::regnamespace
union all select pg_get_functiondef(oid) from pg_proc where pronamespace = 'pgboss'::regnamespace
union all select conrelid::regclass || pg_get_constraintdef(oid) from pg_constraint
where connamespace = 'pgboss'::regnamespace
union all select pg_get_triggerdef(t.oid) from pg_trigger t join pg_class c on c.oid = tgrelid
where relnamespace = 'pgboss'::regnamespace and not tgisinternal
order by 1
"""
"""All that makes up the schema `pgboss`."""

pytestmark = pytest.mark.node


@pytest.fixture
def node_dsn(empty_database_dsn: str, postgres_server: PostgresServer) -> str:
    return postgres_server.dsn(str(conninfo_to_dict(empty_database_dsn)["dbname"]), tcp=True)


def catalog(dsn: str) -> list[str]:
    with psycopg.connect(dsn) as connection:
        return [found for (found,) in connection.execute(CATALOG)]


async def make(dsn: str, version: int) -> None:
    """Let Node make the schema in this version."""
    async with node_boss(dsn, release=MAKERS.get(version, "pg-boss"), **MINDS_NOTHING) as maker:
        if version not in MAKERS:
            assert await maker.call("rollBackTo", version) == version


@asynccontextmanager
async def shared(dsn: str, node_dsn: str, version: int) -> AsyncGenerator[tuple[App, Node]]:
    """An application of ours and a Node on a schema of this version, both doing all duties."""
    await make(node_dsn, version)
    migrate(dsn)
    async with (
        node_boss(node_dsn, release=BESIDE[version], schedule=False) as node,
        opened(dsn, supervision=busy(persist_warnings=True)) as app,
    ):
        assert await app.rows("select version from pgboss.version") == [{"version": version}]
        yield app, node


@pytest.mark.parametrize("version", [42, 43, 44, 45, 46])
async def test_node_and_we_work_each_others_jobs_on_every_version(
    empty_database_dsn: str, node_dsn: str, version: int, caplog: pytest.LogCaptureFixture
) -> None:
    executor = TrivialExecutor({"ours": doubled, "flaky": failing(1), "deadly": failing(1), "fired": noop})
    async with shared(empty_database_dsn, node_dsn, version) as (app, node):
        for queue in ("ours", "graves", "theirs", "fired"):
            await node.call("createQueue", queue)
        await node.call("createQueue", "flaky", {"retryLimit": 1, "retryDelay": 0})
        await node.call("createQueue", "deadly", {"deadLetter": "graves", "retryLimit": 0})
        await node.call("schedule", "fired", "* * * * *", {"n": 1}, {"key": "k", "tz": "Asia/Tokyo"})
        await node.call("work", "theirs")
        async with app.working(executor) as worker:
            doubles, retried, buried = [
                UUID(await node.call("send", queue, {"n": 21})) for queue in ("ours", "flaky", "deadly")
            ]
            children = await node.call(
                "flow",
                [{"ref": "a", "name": "ours", "data": {"n": 1}}, {"ref": "b", "name": "theirs", "dependsOn": ["a"]}],
            )
            (sent,) = await app.enqueue("theirs", payload={"tenantId": str(TENANT), "n": 1})
            await app.wait_for_status("completed", doubles, retried, sent, *map(UUID, children.values()), seconds=30)
            await app.wait_for_status("failed", buried)
            await eventually(lambda: is_fired(app), seconds=10)
            await eventually(lambda: is_kept_up(app), seconds=10)
            (stopped,) = await app.enqueue("unserved")
            assert await app.runner.cancel(TENANT, stopped)
            assert await app.runner.retry(TENANT, stopped)
            registered = await registered_as(app, worker.worker_id)
        assert (await node.call("getJobById", "ours", str(doubles)))["output"] == {"doubled": 42}
        assert (await node.call("fetch", "graves", {"includeMetadata": True}))[0]["sourceId"] == str(buried)
        assert [job["id"] for job in await node.call("fetch", "unserved")] == [str(stopped)]
    assert registered == (version >= 44)
    assert [record.getMessage() for record in caplog.records if "trouble" in record.getMessage()] == []


async def is_fired(app: App) -> bool:
    """Whether the schedule's job was sent by us, who alone mind schedules, and worked."""
    return bool(await app.rows("select from public.jobs where type = 'fired' and status = 'completed'"))


async def is_kept_up(app: App) -> bool:
    """Whether we, or Node, have counted and pruned a queue."""
    return bool(await app.rows("select from pgboss.queue where monitor_on is not null and maintain_on is not null"))


async def registered_as(app: App, worker_id: UUID) -> bool:
    if await app.rows("select to_regclass('pgboss.instance') as found") == [{"found": None}]:
        return False
    await eventually(lambda: is_registered(app, worker_id))
    return True


async def is_registered(app: App, worker_id: UUID) -> bool:
    return bool(await app.rows("select from pgboss.instance where id = %s", worker_id))


@pytest.mark.parametrize("version", [42, 46])
async def test_nothing_is_added_to_nodes_schema(empty_database_dsn: str, node_dsn: str, version: int) -> None:
    await make(node_dsn, version)
    before = catalog(empty_database_dsn)
    migrate(empty_database_dsn)
    async with opened(empty_database_dsn, supervision=busy()) as app:
        (job_id,) = await app.enqueue("any")
        async with app.working(TrivialExecutor({"any": noop})):
            await app.wait_for_status("completed", job_id)
            await eventually(lambda: is_kept_up(app))
    assert catalog(empty_database_dsn) == before


async def test_node_upgrades_the_schema_under_a_worker_of_ours(empty_database_dsn: str, node_dsn: str) -> None:
    await make(node_dsn, 42)
    migrate(empty_database_dsn)
    executor = TrivialExecutor({"steady": noop, "deadly": failing(1)})
    async with opened(empty_database_dsn, supervision=busy()) as app, app.working(executor):
        before = await app.enqueue("steady", count=20)
        await app.wait_for_status("completed", *before)
        async with node_boss(node_dsn, **MINDS_NOTHING) as node:
            assert await node.call("schemaVersion") == NEWEST
            await node.call("createQueue", "graves")
            after = await app.enqueue("steady", count=20)
            theirs = UUID(await node.call("send", "steady", {"n": 1}))
            buried = UUID(await node.call("send", "deadly", {"n": 1}, {"deadLetter": "graves", "retryLimit": 0}))
            await app.wait_for_status("completed", *after, theirs)
            await app.wait_for_status("failed", buried)
            (copy,) = await node.call("fetch", "graves", {"includeMetadata": True})
            assert copy["sourceRootId"] == str(buried)


async def test_a_schema_that_node_made_too_long_ago_is_refused(empty_database_dsn: str, node_dsn: str) -> None:
    await make(node_dsn, 41)
    migrate(empty_database_dsn)
    with pytest.raises(SchemaVersionError, match=r"has version 41; this build needs 42 to 46\. Upgrade it with"):
        async with opened(empty_database_dsn):
            pass
