"""pg-boss's retention, done by a worker of ours."""

from __future__ import annotations

import psycopg
import pytest

from jobcore_devkit.postgres import PostgresServer
from pgboss_runner.harness import App, TrivialExecutor, eventually, noop, opened
from pgboss_runner.supervised import QUIET, busy, node_boss, node_dsn_of

OLD = "pgboss.job_now() - interval '10 days'"


async def ended_rows(app: App, queue: str, count: int, *, completed: str = OLD, deletion: int = 3600) -> None:
    await app.rows(
        f"""insert into pgboss.job (name, state, started_on, completed_on, deletion_seconds)
            select %s, 'completed', {completed}, {completed}, %s from generate_series(1, %s) returning id""",
        queue,
        deletion,
        count,
    )


async def count(app: App, queue: str) -> int:
    return (await app.rows("select count(*) as n from pgboss.job where name = %s", queue))[0]["n"]


async def make_queue(app: App, queue: str) -> None:
    await app.rows('select pgboss.create_queue(%s, \'{"policy": "standard"}\')', queue)


async def test_ended_rows_go_after_their_deletion_seconds_and_no_sooner(app: App) -> None:
    await make_queue(app, "kept")
    await ended_rows(app, "kept", 1_200)
    await ended_rows(app, "kept", 3, completed="pgboss.job_now()")
    await ended_rows(app, "kept", 2, deletion=0)  # never
    async with opened(app.dsn, supervision=busy()) as pruning, pruning.working(TrivialExecutor({"noop": noop})):
        await eventually(lambda: is_count(app, "kept", 5))


async def old_ones_are_forgotten(app: App) -> bool:
    return await app.rows(f"select id from pgboss.instance where heartbeat_on <= {OLD}") == []


async def is_count(app: App, queue: str, wanted: int) -> bool:
    return await count(app, queue) == wanted


async def test_a_waiting_job_past_its_retention_goes_and_its_row_says_so(app: App) -> None:
    async with opened(app.dsn, supervision=QUIET):
        (job_id,) = await app.enqueue("unserved")
    await app.rows("update pgboss.job set keep_until = now() - interval '1 second' where id = %s returning id", job_id)
    async with opened(app.dsn, supervision=busy()) as pruning, pruning.working(TrivialExecutor({"noop": noop})):
        await app.wait_for_status("cancelled", job_id)
    assert await app.queue_rows(job_id) == []
    assert (await app.job(job_id))["error"] == {"reason": "not begun before the end of its retention"}


@pytest.mark.node
async def test_a_queue_is_pruned_by_one_instance_an_interval(app: App, postgres_server: PostgresServer) -> None:
    await make_queue(app, "shared")
    async with node_boss(node_dsn_of(app, postgres_server), maintenanceIntervalSeconds=3600, schedule=False) as node:
        await node.call("supervised", "shared")
        ((stamp,),) = [row.values() for row in await app.rows("select maintain_on from pgboss.queue")]
        await ended_rows(app, "shared", 2)
        slow = busy(maintenance_interval_seconds=3600)
        async with opened(app.dsn, supervision=slow) as other, other.working(TrivialExecutor({"noop": noop})):
            await eventually(lambda: monitored_after(app, stamp))
            await eventually(lambda: claimed(app, "noop"))  # a queue that nobody had pruned
        assert await count(app, "shared") == 2
        await app.rows("update pgboss.queue set maintain_on = null where name = 'shared' returning name")
        await app.rows(f"update pgboss.instance set heartbeat_on = {OLD} where stopped_on is not null returning id")
        async with opened(app.dsn, supervision=slow) as other, other.working(TrivialExecutor({"noop": noop})):
            await eventually(lambda: is_count(app, "shared", 0))
            await eventually(lambda: old_ones_are_forgotten(app))  # the last thing a pruner does: its walk is over
        await ended_rows(app, "shared", 2)
        await node.call("supervised", "shared")  # the interval is ours
        assert await count(app, "shared") == 2


async def monitored_after(app: App, stamp: object) -> bool:
    return bool(await app.rows("select from pgboss.queue where name = 'shared' and monitor_on > %s", stamp))


async def claimed(app: App, queue: str) -> bool:
    return bool(await app.rows("select from pgboss.queue where name = %s and maintain_on is not null", queue))


@pytest.mark.node
async def test_counts_of_kept_rows_are_the_same_as_after_nodes_own_pass(
    app: App, postgres_server: PostgresServer
) -> None:
    await make_queue(app, "counted")
    await ended_rows(app, "counted", 5)
    await ended_rows(app, "counted", 7, completed="pgboss.job_now() - interval '1 minute'")
    await app.enqueue("counted", count=3)
    query = "select retained_count, total_count, queued_count, ready_count from pgboss.queue where name = 'counted'"

    async with opened(app.dsn, supervision=busy()) as pruning, pruning.working(TrivialExecutor({"noop": noop})):
        await eventually(lambda: is_count(app, "counted", 10))
        await eventually(lambda: is_counted(app))
    (ours,) = await app.rows(query)
    await app.rows(
        "update pgboss.queue set maintain_on = null, monitor_claim_on = null, monitor_on = null, retained_count = null,"
        " retained_on = null, total_count = 0, queued_count = 0, ready_count = 0 where name = 'counted' returning name"
    )
    async with node_boss(node_dsn_of(app, postgres_server), schedule=False) as node:
        await node.call("supervised", "counted")
    (theirs,) = await app.rows(query)
    assert ours == theirs == {"retained_count": 7, "total_count": 10, "queued_count": 3, "ready_count": 3}


async def is_counted(app: App) -> bool:
    (row,) = await app.rows("select retained_count, total_count from pgboss.queue where name = 'counted'")
    return row == {"retained_count": 7, "total_count": 10}


async def test_dependencies_of_jobs_that_are_gone_go_too(app: App) -> None:
    await make_queue(app, "family")
    await app.rows(
        "insert into pgboss.job_dependency select 'family', gen_random_uuid(), 'family', gen_random_uuid()"
        " from generate_series(1, 3) returning child_id"
    )
    async with opened(app.dsn, supervision=busy()) as pruning, pruning.working(TrivialExecutor({"noop": noop})):
        await eventually(lambda: nothing_in(app, "pgboss.job_dependency"))


async def nothing_in(app: App, table: str) -> bool:
    return not await app.rows(f"select from {table} limit 1")


async def test_nobody_waits_for_the_pruner(app: App) -> None:
    """While 20,000 rows of its queue are deleted, enqueues and claims are refused any wait for a lock over 50 ms."""
    await make_queue(app, "busy")
    await ended_rows(app, "busy", 20_000)
    async with (
        opened(app.dsn, supervision=busy()) as pruning,
        pruning.working(TrivialExecutor({"noop": noop})),
        await psycopg.AsyncConnection.connect(app.dsn, autocommit=True) as connection,
    ):
        await connection.execute("set lock_timeout = '50ms'")
        while not await is_count(app, "busy", 0):
            await connection.execute(
                "insert into pgboss.job (name, state) values ('busy', 'active') returning id", prepare=False
            )
            await connection.execute(
                "update pgboss.job set state = 'cancelled' where name = 'busy' and state = 'active'"
            )
            await connection.execute("delete from pgboss.job where name = 'busy' and state = 'cancelled'")
            await connection.execute("update pgboss.queue set updated_on = now() where name = 'busy'")
