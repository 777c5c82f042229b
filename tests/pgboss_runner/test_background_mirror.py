"""What Node does to jobs, as `jobs` tells it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from jobcore.ids import SYSTEM_TENANT
from jobcore_devkit.postgres import PostgresServer
from pgboss_runner.harness import TENANT, App, TrivialExecutor, eventually, noop, opened
from pgboss_runner.supervised import busy, node_boss, node_dsn_of

MIRROR = busy(schedule=False)
NODE: dict[str, Any] = {"schedule": False, "supervise": False}

pytestmark = pytest.mark.node


async def test_what_node_worked_stands_in_jobs(app: App, postgres_server: PostgresServer) -> None:
    async with (
        node_boss(node_dsn_of(app, postgres_server), **NODE) as node,
        opened(app.dsn, supervision=MIRROR) as mirroring,
        mirroring.working(TrivialExecutor({"noop": noop})),
    ):
        (ours,) = await app.enqueue("by-node", max_attempts=1)
        await node.call("work", "by-node")
        theirs = UUID(await node.call("send", "by-node", {"tenantId": str(TENANT)}))
        nobodys = UUID(await node.call("send", "by-node", {"n": 1}))
        await app.wait_for_status("completed", ours, theirs, nobodys, seconds=30)

    (row,) = await app.queue_rows(theirs)
    job = await app.job(theirs)
    assert [job[name] for name in ("tenant", "type", "attempt", "started_at", "completed_at")] == [
        TENANT, "by-node", 1, row["started_on"], row["completed_on"],
    ]  # fmt: skip
    assert job["result"]["by"] == "node"
    assert (await app.job(nobodys))["tenant"] == SYSTEM_TENANT


async def test_what_failed_in_node_for_good_failed_in_jobs(app: App, postgres_server: PostgresServer) -> None:
    async with (
        node_boss(node_dsn_of(app, postgres_server), **NODE) as node,
        opened(app.dsn, supervision=MIRROR) as mirroring,
        mirroring.working(TrivialExecutor({"noop": noop})),
    ):
        (job_id,) = await app.enqueue("failing", payload={"tenantId": str(TENANT), "fail": True}, max_attempts=2)
        await app.rows(
            "update pgboss.job set retry_delay = 0, retry_backoff = false where id = %s returning id", job_id
        )
        await node.call("work", "failing")
        await app.wait_for_status("failed", job_id, seconds=30)
    job = await app.job(job_id)
    assert (job["attempt"], job["error"]) == (2, {"type": "Error", "message": "no, says Node"})
    details = await app.rows("select step_name from job_details where job_id = %s", job_id)
    assert [row["step_name"] for row in details] == ["attempt 2"]


async def test_what_node_cancelled_is_cancelled(app: App, postgres_server: PostgresServer) -> None:
    async with (
        node_boss(node_dsn_of(app, postgres_server), **NODE) as node,
        opened(app.dsn, supervision=MIRROR) as mirroring,
        mirroring.working(TrivialExecutor({"noop": noop})),
    ):
        (job_id,) = await app.enqueue("unwanted")
        await node.call("cancel", "unwanted", str(job_id))
        await app.wait_for_status("cancelled", job_id)
    assert (await app.job(job_id))["error"] == {"reason": "cancelled in pg-boss"}


async def test_what_node_deleted_is_cancelled_after_a_grace(app: App, postgres_server: PostgresServer) -> None:
    async with (
        node_boss(node_dsn_of(app, postgres_server), **NODE) as node,
        opened(app.dsn, supervision=MIRROR) as mirroring,
        mirroring.working(TrivialExecutor({"noop": noop})),
    ):
        gone, stays = await app.enqueue("shrinking", count=2)
        await node.call("deleteJob", "shrinking", str(gone))
        await eventually(lambda: is_noticed(app, gone))
        await app.wait_for_status("cancelled", gone)
        assert (await app.job(stays))["status"] == "queued"
    assert (await app.job(gone))["error"] == {"reason": "deleted in pg-boss"}
    assert await app.rows("select * from jobcore.pgboss_vanished") == []


async def is_noticed(app: App, job_id: UUID) -> bool:
    noticed = await app.rows("select from jobcore.pgboss_vanished where job_id = %s", job_id)
    return bool(noticed) or (await app.job(job_id))["status"] == "cancelled"


async def test_what_node_retried_after_its_end_and_completed_is_completed(
    app: App, postgres_server: PostgresServer
) -> None:
    async with (
        node_boss(node_dsn_of(app, postgres_server), **NODE) as node,
        opened(app.dsn, supervision=MIRROR) as mirroring,
        mirroring.working(TrivialExecutor({"noop": noop})),
    ):
        await node.call("createQueue", "again", {"retryLimit": 0})
        job_id = UUID(await node.call("send", "again", {"n": 1}))
        await node.call("fetch", "again")
        await node.call("fail", "again", str(job_id))
        await app.wait_for_status("failed", job_id)
        await node.call("retry", "again", str(job_id))
        await node.call("work", "again")
        await app.wait_for_status("completed", job_id, seconds=30)
    job = await app.job(job_id)
    assert (job["epoch"], job["attempt"], job["error"]) == (1, 2, None)


async def test_many_ends_at_one_instant_are_all_written(app: App, postgres_server: PostgresServer) -> None:
    async with node_boss(node_dsn_of(app, postgres_server), **NODE) as node:
        await node.call("createQueue", "bulk")
    await app.rows(
        "insert into pgboss.job (name, state, started_on, completed_on)"
        " select 'bulk', 'completed', now(), now() from generate_series(1, 1200) returning id"
    )
    async with opened(app.dsn, supervision=MIRROR) as mirroring, mirroring.working(TrivialExecutor({"noop": noop})):
        await eventually(lambda: all_there(app, 1200), seconds=30)


async def all_there(app: App, wanted: int) -> bool:
    (row,) = await app.rows("select count(*) as n from jobs where type = 'bulk' and status = 'completed'")
    return row["n"] == wanted


async def test_an_end_that_was_committed_after_a_later_pass_is_written(app: App) -> None:
    await app.rows("select pgboss.create_queue('late', '{\"policy\": \"standard\"}')")
    await app.rows("update jobcore.pgboss_mirror set ended_to = now() - interval '1 minute' returning ended_to")
    await app.rows("select jobcore.pgboss_mirror_reached(now(), 10)")
    (row,) = await app.rows(
        "insert into pgboss.job (name, state, started_on, completed_on)"
        " values ('late', 'completed', now() - interval '9 seconds', now() - interval '8 seconds') returning id"
    )
    async with opened(app.dsn, supervision=MIRROR) as mirroring, mirroring.working(TrivialExecutor({"noop": noop})):
        await app.wait_for_status("completed", row["id"])


async def test_pg_boss_own_jobs_are_not_mirrored(app: App) -> None:
    await app.rows("select pgboss.create_queue('__pgboss__send-it', '{\"policy\": \"standard\"}')")
    await app.rows(
        "insert into pgboss.job (name, state, started_on, completed_on)"
        " values ('__pgboss__send-it', 'completed', now(), now()) returning id"
    )
    await app.rows("select jobcore.pgboss_mirror_ended('-infinity', 'infinity', 10)")
    assert await app.rows("select from jobs") == []
