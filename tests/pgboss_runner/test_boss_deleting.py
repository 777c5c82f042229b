"""Emptying queues with the face, beside Node on the same database."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import pytest

from jobcore.errors import InputError
from jobcore_pgboss.boss import PgBoss
from jobcore_pgboss.boss.errors import QueueNotFoundError
from pgboss_runner.boss_face import Pair
from pgboss_runner.harness import TENANT, App

VERBS = [
    ("delete_queued_jobs", "deleteQueuedJobs"),
    ("delete_stored_jobs", "deleteStoredJobs"),
    ("delete_all_jobs", "deleteAllJobs"),
]
COUNTS = "select total_count, retained_count, queued_count from pgboss.queue where name = %s"


async def filled(pair: Pair, name: str, **options: Any) -> None:
    """A queue with a job in each state, and another that waits; counted as if the monitor had been there."""
    await pair.node.call("createQueue", name, {"retryLimit": 0, **options})
    again = await pair.node.call("send", name, {}, {"retryLimit": 1, "startAfter": 1})
    jobs = [await pair.node.call("send", name, {}, {"priority": 4 - number}) for number in range(6)]
    fetched = {job["id"] for job in await pair.node.call("fetch", name, {"batchSize": 3})}
    assert fetched == set(jobs[:3])
    await pair.node.call("complete", name, jobs[0])
    await pair.node.call("fail", name, [jobs[1], again])
    await pair.node.call("cancel", name, jobs[3])
    await pair.rows(
        "update pgboss.queue set total_count = 6, retained_count = 2, retained_on = now(), queued_count = 3"
        " where name = %s returning 1",
        name,
    )


async def states(pair: Pair, name: str) -> list[str]:
    rows = await pair.rows("select state::text from pgboss.job where name = %s order by job.state", name)
    return [row["state"] for row in rows]


@pytest.mark.parametrize(("ours", "theirs"), VERBS)
async def test_what_is_deleted_is_what_node_deletes(pair: Pair, ours: str, theirs: str) -> None:
    for name in ("ours", "theirs", "beside"):
        await filled(pair, name)
    before = await states(pair, "beside")
    assert before == ["created", "created", "retry", "active", "completed", "cancelled", "failed"]

    deleted = await getattr(pair.boss, ours)("ours")

    assert deleted == await pair.node.call(theirs, "theirs") == len(before) - len(await states(pair, "ours"))
    assert await states(pair, "ours") == await states(pair, "theirs") != before
    assert await pair.rows(COUNTS, "ours") == await pair.rows(COUNTS, "theirs")
    assert await states(pair, "beside") == before


async def test_a_queue_that_nobody_counted_yet_stays_so(pair: Pair) -> None:
    for name in ("ours", "theirs"):
        await filled(pair, name)
    await pair.rows("update pgboss.queue set retained_count = null, retained_on = null returning 1")
    await pair.boss.delete_stored_jobs("ours")
    await pair.node.call("deleteStoredJobs", "theirs")
    assert await pair.rows(COUNTS, "ours") == await pair.rows(COUNTS, "theirs")


async def test_a_queue_with_a_table_of_its_own_is_emptied(pair: Pair) -> None:
    await filled(pair, "own", partition=True)
    await filled(pair, "theirs")
    assert await pair.boss.delete_all_jobs("own") == 7
    assert await states(pair, "own") == []
    assert len(await states(pair, "theirs")) == 7


async def test_all_queues_are_emptied(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobcore_pgboss.boss.deleting.PAGE", 1)
    await filled(pair, "one")
    await filled(pair, "two", partition=True)
    assert await pair.boss.delete_all_jobs() == 14
    assert await pair.rows("select from pgboss.job") == []
    assert await pair.node.call("fetch", "one") == []


async def test_one_batch_follows_the_other(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobcore_pgboss.boss.deleting.BATCH", 2)
    await filled(pair, "mail")
    least, most = UUID(int=0), UUID(int=2**128 - 1)
    await pair.boss.insert("mail", [{"id": least}, {"id": most}])
    assert await pair.boss.delete_queued_jobs("mail") == 5
    assert await pair.boss.delete_queued_jobs("mail") == 0
    assert await pair.boss.delete_all_jobs("mail") == 4


async def test_the_engines_role_may_empty_queues(pair: Pair) -> None:
    await filled(pair, "mail")
    async with await psycopg.AsyncConnection.connect(pair.dsn, autocommit=True) as connection:
        await connection.execute("create role emptier login in role jobcore_worker")
        try:
            async with PgBoss(psycopg.conninfo.make_conninfo(pair.dsn, user="emptier")) as boss:
                assert await boss.delete_all_jobs() == 7
        finally:
            await connection.execute("drop role emptier")


async def test_how_a_job_of_ours_ended_in_node_is_known_after_its_row_is_gone(app: App, pair: Pair) -> None:
    done, failed, waiting = await app.enqueue("mail", count=3)
    for job in await pair.node.call("fetch", "mail", {"batchSize": 2}):
        await pair.node.call("complete" if job["id"] == str(done) else "fail", "mail", job["id"])
    await pair.rows("update pgboss.job set state = 'failed', completed_on = now() where state = 'retry' returning 1")
    strangers = await pair.node.call("send", "mail")
    await pair.node.call("complete", "mail", strangers, None, {"includeQueued": True})

    assert await pair.boss.delete_stored_jobs("mail") == 3

    known = await app.rows("select job_id, status::text from jobs where tenant = %s", TENANT)
    assert {row["job_id"]: row["status"] for row in known} == {done: "completed", failed: "failed", waiting: "queued"}
    assert len(await app.rows("select from jobs")) == 3


async def test_keys_that_are_held_up_are_those_that_node_names(pair: Pair) -> None:
    await pair.boss.create_queue("strict", policy="key_strict_fifo", retry_limit=0)
    for key in ("b", "a", "c", "d"):
        await pair.boss.send("strict", singleton_key=key)
    for job in await pair.node.call("fetch", "strict", {"batchSize": 4, "includeMetadata": True}):
        if job["singletonKey"] != "d":
            await pair.node.call("fail", "strict", job["id"])
    assert await pair.boss.get_blocked_keys("strict") == await pair.node.call("getBlockedKeys", "strict")
    assert await pair.boss.get_blocked_keys("strict") == ["a", "b", "c"]
    assert await pair.boss.get_blocked_keys("strict", after="a", limit=1) == ["b"]


async def test_what_node_refuses_is_refused(pair: Pair) -> None:
    await pair.boss.create_queue("mail")
    for ours, theirs in [*VERBS, ("get_blocked_keys", "getBlockedKeys")]:
        with pytest.raises(QueueNotFoundError, match="nowhere"):
            await getattr(pair.boss, ours)("nowhere")
        assert await pair.node.refusal(theirs, "nowhere") is not None
    with pytest.raises(InputError, match="key_strict_fifo"):
        await pair.boss.get_blocked_keys("mail")
    assert await pair.node.refusal("getBlockedKeys", "mail") is not None
    with pytest.raises(InputError, match="limit"):
        await pair.boss.get_blocked_keys("mail", limit=0)
    with pytest.raises(InputError, match="alphanumeric"):
        await pair.boss.delete_all_jobs("no spaces")
