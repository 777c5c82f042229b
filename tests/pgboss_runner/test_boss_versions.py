"""pg-boss's verbs on every older version of its schema, as Node made it, with the release of that version beside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from jobcore.errors import SchemaVersionError
from jobcore_devkit.postgres import PostgresServer
from jobcore_pgboss.boss import Job, JobResult, PgBoss
from jobcore_postgres.migrations import migrate
from pgboss_runner.boss_face import Pair
from pgboss_runner.harness import eventually
from pgboss_runner.supervised import node_boss
from pgboss_runner.test_boss_working import FAST, beats_after, ended
from pgboss_runner.test_interop_versions import BESIDE, MINDS_NOTHING, make

pytestmark = [pytest.mark.node, pytest.mark.parametrize("version", [42, 43, 44, 45])]


@pytest.fixture
async def old(empty_database_dsn: str, postgres_server: PostgresServer, version: int) -> AsyncGenerator[Pair]:
    """Both sides on a schema of this version."""
    node_dsn = postgres_server.dsn(str(conninfo_to_dict(empty_database_dsn)["dbname"]), tcp=True)
    await make(node_dsn, version)
    migrate(empty_database_dsn)
    async with (
        PgBoss(empty_database_dsn) as boss,
        node_boss(node_dsn, release=BESIDE[version], **MINDS_NOTHING) as node,
    ):
        assert await boss.schema_version() == version
        yield Pair(boss, node, empty_database_dsn)


async def test_jobs_are_sent_and_fetched_on_both_sides(old: Pair) -> None:
    boss, node = old.boss, old.node
    await boss.create_queue("mail", retry_limit=3)
    await boss.subscribe("news", "mail")
    sent = [
        await boss.send("mail", {"n": 1}, priority=5, singleton_key="k", group={"id": "g", "tier": "t"}),
        *await boss.insert("mail", [{"data": {"n": 2}, "priority": 4}]),
        await boss.send_throttled("mail", {"n": 3}, 60),
    ]
    assert await boss.send_throttled("mail", {"n": 4}, 60) is None
    assert await boss.publish("news", {"n": 5}) == 1
    fetched = await node.call("fetch", "mail", {"batchSize": 9, "includeMetadata": True})
    by_number = {job["data"]["n"]: job for job in fetched}
    assert [UUID(by_number[n]["id"]) for n in (1, 2, 3)] == sent
    assert by_number.keys() == {1, 2, 3, 5}
    first = by_number[1]
    assert (first["priority"], first["singletonKey"], first["groupId"], first["groupTier"]) == (5, "k", "g", "t")
    theirs = await node.call("send", "mail", {"n": 6}, {"priority": 7})
    (ours,) = await boss.fetch("mail", include_metadata=True)
    assert (str(ours.id), ours.data, ours.priority, ours.retry_limit) == (theirs, {"n": 6}, 7, 3)


async def test_jobs_are_settled_buried_and_sent_back(old: Pair) -> None:
    boss, node = old.boss, old.node
    await boss.create_queue("graves")
    await boss.create_queue("mail", dead_letter="graves", retry_limit=1, retry_delay=0)
    done, lost = [await node.call("send", "mail", {"n": n}) for n in range(2)]
    await node.call("fetch", "mail", {"batchSize": 2})
    assert (await boss.complete("mail", done, {"ok": True})).affected == 1
    assert (await boss.fail("mail", lost, ValueError("first"))).affected == 1
    assert (await boss.touch("mail", lost)).affected == 0
    (again,) = await node.call("fetch", "mail", {"includeMetadata": True})
    assert (again["id"], again["retryCount"]) == (lost, 1)
    assert (await boss.fail("mail", lost, ValueError("last"))).affected == 1
    assert [(await old.job(job_id))["state"] for job_id in (done, lost)] == ["completed", "failed"]
    assert (await boss.preview_redrive("graves")).destinations == {"mail": 1}
    assert await boss.redrive("graves") == 1
    (back,) = await node.call("fetch", "mail")
    assert back["data"] == {"n": 1}


async def test_jobs_are_moved_and_found(old: Pair) -> None:
    boss, node = old.boss, old.node
    await boss.create_queue("mail", retry_limit=0)
    job_id = await boss.send("mail", {"n": 1}, singleton_key="k")
    assert job_id is not None
    assert (await boss.cancel("mail", job_id)).affected == 1
    assert (await boss.resume("mail", job_id)).affected == 1
    await node.call("fetch", "mail")
    await node.call("fail", "mail", str(job_id))
    assert (await boss.retry("mail", job_id)).affected == 1
    (found,) = await boss.find_jobs("mail", key="k", data={"n": 1}, queued=True)
    assert (found.id, found.state, found.pending_dependencies) == (job_id, "retry", 0)
    assert (await boss.delete_job("mail", job_id)).affected == 1
    assert await boss.get_job_by_id("mail", job_id) is None


async def test_queues_and_schedules_are_kept(old: Pair) -> None:
    boss, node = old.boss, old.node
    for name, options in {"mail": {}, "narrow": {"policy": "singleton"}, "apart": {"partition": True}}.items():
        await boss.create_queue(name, notify=True, **options)
    await boss.update_queue("mail", retry_limit=7)
    assert (await node.call("getQueue", "mail"))["retryLimit"] == 7
    assert {queue["name"] for queue in await boss.get_queues()} >= {"mail", "narrow", "apart"}
    job_id = await boss.send("apart", {"n": 1})
    assert UUID((await node.call("fetch", "apart"))[0]["id"]) == job_id
    await boss.schedule("mail", "5 4 * * *", {"n": 1}, tz="Asia/Tokyo")
    (schedule,) = await node.call("getSchedules")
    assert (schedule["name"], schedule["cron"], schedule["timezone"]) == ("mail", "5 4 * * *", "Asia/Tokyo")
    await boss.unschedule("mail")
    assert await boss.get_schedules() == []
    await boss.delete_queue("apart")
    assert await node.call("getQueue", "apart") is None


async def test_queues_are_worked(old: Pair) -> None:
    boss, node = old.boss, old.node
    await boss.create_queue("graves")
    await boss.create_queue("mail", dead_letter="graves", retry_limit=0, heartbeat_seconds=10, notify=True)
    release = asyncio.Event()

    async def handler(jobs: list[Job]) -> Any:
        await release.wait()
        return [JobResult(job.id, job.data["ends"], {"n": 1}) for job in jobs]

    await boss.work("mail", handler, batch_size=3, per_job_results=True, heartbeat_refresh_seconds=0.1, **FAST)
    ids = [await node.call("send", "mail", {"ends": end}) for end in ("completed", "failed", "deadletter")]
    begun = (await ended(old, ids[0], "active"))["heartbeat_on"]
    await eventually(lambda: beats_after(old, ids[0], begun))
    release.set()
    assert [(await ended(old, job_id))["state"] for job_id in ids] == ["completed", "failed", "failed"]
    assert len(await node.call("fetch", "graves", {"batchSize": 9})) == 2


async def test_the_schema_is_told_of_and_looked_after(old: Pair, version: int) -> None:
    boss, node = old.boss, old.node
    await boss.create_queue("mail", retry_limit=1, retry_delay=0)
    stuck = await boss.send("mail")
    await node.call("fetch", "mail")
    await old.rows("update pgboss.job set started_on = now() - interval '1 day' where id = %s returning id", stuck)
    await boss.supervise()
    assert (await old.job(stuck))["state"] == "retry"
    (stats,) = await boss.get_queue_stats("mail")
    assert (stats.active_count, stats.completed_delta) == (1, None)  # counted before the sweep
    for captured in range(3):
        await old.rows(
            """insert into pgboss.queue_stats (name, queued_count, captured_on)
            values ('mail', %s, now() + %s * interval '1 second') returning id""",
            captured,
            captured,
        )
    assert [each.queued_count for each in await boss.get_queue_stats("mail", recorded=True)] == [2, 1, 0]
    assert len(await boss.get_queue_stats("mail", recorded=True, max_data_points=1)) == 1
    if version >= 44:
        assert isinstance(await boss.get_instances(), list)
    else:
        with pytest.raises(SchemaVersionError, match="before version 44"):
            await boss.get_instances()


async def test_a_transaction_of_the_callers_carries_it(old: Pair) -> None:
    await old.boss.create_queue("mail")
    async with await psycopg.AsyncConnection.connect(old.dsn) as connection:
        job_id = await old.boss.send("mail", {}, connection=connection)
        assert await old.node.call("fetch", "mail") == []
        await connection.commit()
    assert UUID((await old.node.call("fetch", "mail"))[0]["id"]) == job_id
