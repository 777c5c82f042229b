"""Workers of ours in pg-boss's registry, its cached counts and its warnings."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta

import psycopg
import pytest

from jobcore_devkit.postgres import PostgresServer
from jobcore_pgboss.duties.desk import Desk
from jobcore_pgboss.supervision import SupervisionSettings
from jobcore_postgres.background.link import Link
from pgboss_runner.harness import App, TrivialExecutor, eventually, noop, opened
from pgboss_runner.supervised import QUIET, busy, node_boss, node_dsn_of

IDLE = SupervisionSettings(enabled=False, schedule=False, heartbeat_seconds=1)


@pytest.mark.node
async def test_node_lists_our_worker_while_it_lives_and_after_it_stopped(
    app: App, postgres_server: PostgresServer
) -> None:
    async with node_boss(node_dsn_of(app, postgres_server), schedule=False) as node:
        async with (
            opened(app.dsn, supervision=IDLE) as working,
            working.working(TrivialExecutor({"noop": noop})) as worker,
        ):
            await eventually(lambda: is_listed(app))
            listed = {entry["id"]: entry for entry in await node.call("getInstances")}
        ours = listed[str(worker.worker_id)]
        assert (ours["name"], ours["pid"], ours["live"], ours["stoppedOn"]) == ("jobcore", os.getpid(), True, None)
        assert [entry["queue"] for entry in ours["workers"]] == ["noop"]
        listed = {entry["id"]: entry for entry in await node.call("getInstances")}
        assert (listed[str(worker.worker_id)]["live"], len(listed)) == (False, 2)


async def is_listed(app: App) -> bool:
    return bool(await app.rows("select from pgboss.instance where name = 'jobcore'"))


async def test_a_heartbeat_moves_and_brings_a_pruned_row_back(app: App) -> None:
    async with opened(app.dsn, supervision=IDLE) as working, working.working(TrivialExecutor({"noop": noop})):
        await eventually(lambda: is_listed(app))
        await app.rows("delete from pgboss.instance returning id")
        await eventually(lambda: is_listed(app))
        (first,) = await app.rows("select started_on, heartbeat_on from pgboss.instance")
        assert first["started_on"] < first["heartbeat_on"]


async def test_instances_silent_for_a_week_are_forgotten(app: App) -> None:
    await app.rows(
        "insert into pgboss.instance (id, host, pid, version, node_version, heartbeat_seconds, supervise, schedule,"
        " migrate, persist_queue_stats, persist_warnings, heartbeat_on)"
        " values (gen_random_uuid(), 'h', 1, '12', 'v22', 30, true, true, true, false, false,"
        " now() - interval '8 days')"
        " returning id"
    )
    async with opened(app.dsn, supervision=busy()) as working, working.working(TrivialExecutor({"noop": noop})):
        await eventually(lambda: is_forgotten(app))


async def is_forgotten(app: App) -> bool:
    return not await app.rows("select from pgboss.instance where host = 'h'")


async def test_a_schema_without_a_registry_is_served_all_the_same(app: App) -> None:
    """As versions 42 and 43 are: no registry, no blocked_count, no retained_count."""
    async with await psycopg.AsyncConnection.connect(app.dsn, autocommit=True) as connection:
        for column in ("blocked_count", "retained_count", "retained_on"):
            await connection.execute(f"alter table pgboss.queue drop column {column}".encode())
        await connection.execute("drop table pgboss.instance")
        await connection.execute("update pgboss.version set version = 42")
    async with opened(app.dsn, supervision=busy()) as working, working.working(TrivialExecutor({"noop": noop})):
        (job_id,) = await app.enqueue("noop")
        await app.wait_for_status("completed", job_id)
        await eventually(lambda: is_maintained(app))


async def is_maintained(app: App) -> bool:
    return bool(await app.rows("select from pgboss.queue where monitor_on is not null and maintain_on is not null"))


@pytest.mark.node
async def test_node_reads_the_counts_that_we_cached(app: App, postgres_server: PostgresServer) -> None:
    (now, later) = await app.enqueue("counted", count=2)
    await app.rows("update pgboss.job set start_after = now() + interval '1 hour' where id = %s returning id", later)
    await app.rows("update pgboss.job set state = 'failed', completed_on = now() where id = %s returning id", now)
    await app.enqueue("counted", count=3)
    async with opened(app.dsn, supervision=busy()) as working, working.working(TrivialExecutor({"noop": noop})):
        await eventually(lambda: is_counted(app))
    async with node_boss(node_dsn_of(app, postgres_server), schedule=False, supervise=False) as node:
        (stats,) = await node.call("getQueueStats", "counted")
    found = [stats[name] for name in ("deferredCount", "queuedCount", "readyCount", "activeCount", "failedCount")]
    assert found == [1, 4, 3, 0, 1]


async def is_counted(app: App) -> bool:
    return bool(await app.rows("select from pgboss.queue where name = 'counted' and monitor_on is not null"))


async def test_a_queue_is_counted_by_one_instance_an_interval(app: App) -> None:
    await app.enqueue("counted")
    takers = await asyncio.gather(
        *(app.rows("select * from jobcore.pgboss_monitor_due(null, 60, 100)") for _ in range(6))
    )
    assert sorted(len(taken) for taken in takers) == [0, 0, 0, 0, 0, 1]


async def test_counting_that_takes_too_long_makes_all_instances_rest(app: App) -> None:
    assert await app.rows("select * from jobcore.pgboss_monitor_rest(1)") == []
    (rest,) = await app.rows("select rest_until - now() as wait from jobcore.pgboss_monitor_rest(30)")
    assert timedelta(seconds=110) < rest["wait"] <= timedelta(seconds=120)
    await app.enqueue("counted")
    (taken,) = await app.rows("select * from jobcore.pgboss_monitor_due(null, 0, 100)")
    assert taken["refresh"] is False


@pytest.mark.node
async def test_a_backlog_is_warned_of_as_node_warns_of_it(app: App, postgres_server: PostgresServer) -> None:
    await app.enqueue("behind", count=4)
    settings = busy(warning_queue_size=3, persist_warnings=True, monitor_interval_seconds=3600)
    async with opened(app.dsn, supervision=settings) as working, working.working(TrivialExecutor({"noop": noop})):
        await eventually(lambda: is_warned(app))
    await app.rows("update pgboss.queue set monitor_claim_on = null, monitor_on = null returning name")
    options = {"warningQueueSize": 3, "persistWarnings": True, "schedule": False}
    async with node_boss(node_dsn_of(app, postgres_server), **options) as node:
        await node.call("supervised", "behind")
    (ours, theirs) = await app.rows("select * from pgboss.warning order by created_on")
    assert ours["type"] == theirs["type"] == "queue_backlog"
    assert 'queue "behind" has 4 jobs' in ours["message"]
    assert 'queue "behind" has 4 jobs' in theirs["message"]
    assert ours["data"].items() <= {**theirs["data"], "warningQueueSize": 3}.items()


async def is_warned(app: App) -> bool:
    return bool(await app.rows("select from pgboss.warning where type = 'queue_backlog'"))


async def test_slow_statements_and_skewed_clocks_are_warned_of(app: App) -> None:
    settings = SupervisionSettings(slow_query_seconds=1e-9, persist_warnings=True)
    desk = Desk(Link(app.store.database, "test"), settings, clock=lambda: 0.0)
    await desk.features()
    await desk.close()
    warnings = await app.rows("select distinct type from pgboss.warning order by type")
    assert [row["type"] for row in warnings] == ["clock_skew", "slow_query"]


async def test_old_warnings_are_forgotten(app: App) -> None:
    await app.rows(
        "insert into pgboss.warning (type, message, created_on) values ('t', 'm', '2020-01-01') returning id"
    )
    settings = busy(persist_warnings=True)
    async with opened(app.dsn, supervision=settings) as working, working.working(TrivialExecutor({"noop": noop})):
        await eventually(lambda: nothing_old(app))


async def nothing_old(app: App) -> bool:
    return not await app.rows("select from pgboss.warning where type = 't'")


async def test_a_worker_without_duties_does_none(app: App) -> None:
    async with opened(app.dsn, supervision=QUIET) as working, working.working(TrivialExecutor({"noop": noop})):
        (job_id,) = await app.enqueue("noop")
        await app.wait_for_status("completed", job_id)
    (stamps,) = await app.rows(
        "select cron_on, (select count(*) from pgboss.queue where coalesce(monitor_on, maintain_on) is not null) as n"
        " from pgboss.version"
    )
    assert stamps == {"cron_on": None, "n": 0}
