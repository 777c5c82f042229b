"""Jobs that Node claimed and nobody works on, failed by a worker of ours as Node fails them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from jobcore_devkit.postgres import PostgresServer
from jobcore_pgboss.duties.sweeper import BATCH
from pgboss_runner.harness import App, TrivialExecutor, eventually, noop, opened
from pgboss_runner.supervised import busy, node_boss, node_dsn_of


async def claimed_by_node(app: App, postgres_server: PostgresServer, queue: str, **options: Any) -> UUID:
    """A job that a real Node sent and claimed, and left."""
    async with node_boss(node_dsn_of(app, postgres_server), schedule=False, supervise=False) as node:
        await node.call("createQueue", "graves")
        await node.call("createQueue", queue, {"deadLetter": "graves"})
        job_id = UUID(await node.call("send", queue, {"n": 1}, options))
        (job,) = await node.call("fetch", queue)
        assert job["id"] == str(job_id)
    return job_id


async def is_state(app: App, job_id: UUID, state: str) -> bool:
    return [row["state"] for row in await app.queue_rows(job_id)] == [state]


async def outlive(app: App, job_id: UUID) -> None:
    await app.rows("update pgboss.job set started_on = now() - interval '1 day' where id = %s returning id", job_id)


@pytest.mark.node
async def test_a_job_that_outlived_its_timeout_in_node_is_tried_again_after_its_backoff(
    app: App, postgres_server: PostgresServer
) -> None:
    job_id = await claimed_by_node(app, postgres_server, "slow", retryLimit=2, retryDelay=100, retryBackoff=True)
    await outlive(app, job_id)
    async with opened(app.dsn, supervision=busy()) as sweeping, sweeping.working(TrivialExecutor({"noop": noop})):
        await eventually(lambda: is_state(app, job_id, "retry"))
    (row,) = await app.rows(
        "select retry_count, output, heartbeat_on, extract(epoch from start_after - now())::float8 as wait"
        " from pgboss.job where id = %s",
        job_id,
    )
    assert 80 < row.pop("wait") <= 200
    assert row == {
        "retry_count": 0,
        "output": {"type": "JobTimeoutError", "message": "job timed out"},
        "heartbeat_on": None,
    }
    job = await app.job(job_id)
    assert (job["status"], job["attempt"], job["max_attempts"]) == ("queued", 1, 3)


@pytest.mark.node
async def test_a_job_whose_heartbeat_stopped_in_node_is_tried_again(app: App, postgres_server: PostgresServer) -> None:
    job_id = await claimed_by_node(app, postgres_server, "still", retryLimit=1, heartbeatSeconds=10)
    await app.rows(
        "update pgboss.job set heartbeat_on = now() - interval '1 minute' where id = %s returning id", job_id
    )
    async with opened(app.dsn, supervision=busy()) as sweeping, sweeping.working(TrivialExecutor({"noop": noop})):
        await eventually(lambda: is_state(app, job_id, "retry"))
    assert (await app.queue_rows(job_id))[0]["output"]["message"] == "job heartbeat timeout"


@pytest.mark.node
async def test_without_attempts_left_it_fails_and_is_copied_with_its_provenance(
    app: App, postgres_server: PostgresServer
) -> None:
    job_id = await claimed_by_node(app, postgres_server, "last", retryLimit=0)
    await outlive(app, job_id)
    async with opened(app.dsn, supervision=busy()) as sweeping, sweeping.working(TrivialExecutor({"noop": noop})):
        await eventually(lambda: is_state(app, job_id, "failed"))
        await app.wait_for_status("failed", job_id)
    (copy,) = await app.rows("select * from pgboss.job where name = 'graves'")
    found = [copy[name] for name in ("data", "source_name", "source_id", "source_retry_count")]
    assert found == [{"n": 1}, "last", job_id, 0]
    assert copy["state"] == "created"


async def test_a_fleet_that_died_is_swept_in_batches(app: App) -> None:
    await app.rows("select pgboss.create_queue('fleet', '{\"policy\": \"standard\"}')")
    await app.rows(
        "insert into pgboss.job (name, state, retry_limit, started_on)"
        " select 'fleet', 'active', 1, now() - interval '1 day' from generate_series(1, %s) returning id",
        BATCH + 200,
    )
    assert len(await app.rows("select * from jobcore.pgboss_sweep('job_common', array['fleet'], %s)", BATCH)) == BATCH
    async with opened(app.dsn, supervision=busy()) as sweeping, sweeping.working(TrivialExecutor({"noop": noop})):
        await eventually(lambda: none_active(app, "fleet"), seconds=30)
    (row,) = await app.rows("select count(*) as n from pgboss.job where name = 'fleet' and state = 'retry'")
    assert row["n"] == BATCH + 200


async def none_active(app: App, queue: str) -> bool:
    return not await app.rows("select from pgboss.job where name = %s and state = 'active'", queue)


@pytest.mark.node
async def test_node_and_python_sweeping_at_once_fail_each_job_once(app: App, postgres_server: PostgresServer) -> None:
    dsn = node_dsn_of(app, postgres_server)
    intervals = {"superviseIntervalSeconds": 1, "monitorIntervalSeconds": 1, "schedule": False}
    async with (
        node_boss(dsn, **intervals) as node,
        opened(app.dsn, supervision=busy(monitor_interval_seconds=1)) as sweeping,
        sweeping.working(TrivialExecutor({"noop": noop})),
    ):
        await node.call("createQueue", "graves")
        await node.call("createQueue", "shared", {"deadLetter": "graves", "retryLimit": 0})
        await app.rows(
            "insert into pgboss.job (name, state, retry_limit, started_on, dead_letter)"
            " select 'shared', 'active', 0, now() - interval '1 day', 'graves' from generate_series(1, 300)"
            " returning id"
        )
        await eventually(lambda: none_active(app, "shared"), seconds=30)
    copies = await app.rows("select source_id from pgboss.job where name = 'graves'")
    assert len({copy["source_id"] for copy in copies}) == len(copies) == 300


async def test_a_job_of_our_own_dead_worker_is_left_to_the_rescuer(app: App) -> None:
    (job_id,) = await app.enqueue("ours")
    (fetched,) = await app.rows("select * from jobcore.pgboss_fetch(array['ours'], 1, 60)")
    await app.rows(
        "select * from jobcore.job_claim(jsonb_build_array(jsonb_build_object("
        "'tenant', %s::uuid, 'job_id', %s::uuid, 'attempt', 1, 'token', 't')), gen_random_uuid())",
        fetched["tenant"],
        job_id,
    )
    await outlive(app, job_id)
    assert await app.rows("select * from jobcore.pgboss_sweep('job_common', array['ours'], 10)") == []
    assert len(await app.rows("select * from jobcore.pgboss_rescue(array['ours'], 10)")) == 1
