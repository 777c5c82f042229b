"""Fetching with the face, beside Node on the same database."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import pytest

from jobcore.errors import InputError
from jobcore_pgboss.boss.errors import QueueNotFoundError
from pgboss_runner.boss_face import Pair

OWN = {"id", "created_on", "start_after", "keep_until", "started_on"}


async def shape(pair: Pair, job_id: Any) -> dict[str, Any]:
    return {key: value for key, value in (await pair.job(job_id)).items() if key not in OWN}


async def test_a_fetched_job_is_as_one_that_node_fetched(pair: Pair) -> None:
    await pair.boss.create_queue("mail", heartbeat_seconds=40)
    for _ in range(2):
        await pair.node.call("send", "mail", {"n": 1}, {"group": {"id": "g"}})
    (ours,) = await pair.boss.fetch("mail")
    (theirs,) = await pair.node.call("fetch", "mail")
    left, right = await shape(pair, ours.id), await shape(pair, theirs["id"])
    assert left.pop("heartbeat_on") is not None
    assert right.pop("heartbeat_on") is not None
    assert left == right
    assert (ours.data, ours.heartbeat_seconds, ours.retry_count, ours.group_id) == ({"n": 1}, 40, 0, "g")


async def test_the_more_important_and_the_older_come_first_and_the_delayed_not(pair: Pair) -> None:
    await pair.boss.create_queue("mail")
    old = await pair.boss.send("mail")
    new = await pair.boss.send("mail")
    first = await pair.boss.send("mail", priority=1)
    await pair.boss.send_after("mail", {}, 60)
    assert [job.id for job in await pair.boss.fetch("mail", batch_size=2)] == [first, old]
    assert [job.id for job in await pair.boss.fetch("mail", batch_size=9)] == [new]
    assert await pair.boss.fetch("mail") == []


async def test_a_job_that_was_tried_before_says_how_often(pair: Pair) -> None:
    await pair.boss.create_queue("mail", retry_limit=2)
    await pair.boss.send("mail")
    (job,) = await pair.boss.fetch("mail")
    await pair.boss.fail("mail", job)
    (again,) = await pair.boss.fetch("mail", include_metadata=True)
    assert (again.id, again.retry_count, again.state) == (job.id, 1, "active")
    assert (await pair.boss.complete("mail", job)).affected == 0
    assert (await pair.boss.complete("mail", again)).affected == 1


@pytest.mark.parametrize("policy", ["singleton", "stately"])
async def test_one_of_a_key_is_given_out_at_a_time(pair: Pair, policy: str) -> None:
    await pair.boss.create_queue("narrow", policy=policy)
    await pair.node.call("send", "narrow", {}, {"singletonKey": "a"})
    (running,) = await pair.node.call("fetch", "narrow")
    await pair.boss.send("narrow", singleton_key="a")
    other = await pair.boss.send("narrow", singleton_key="b")
    assert [job.id for job in await pair.boss.fetch("narrow", batch_size=5)] == [other]
    await pair.node.call("complete", "narrow", running["id"])
    assert len(await pair.boss.fetch("narrow", batch_size=5)) == 1


async def test_a_group_has_so_many_running_and_its_tier_more(pair: Pair) -> None:
    await pair.boss.create_queue("mail")
    for tier in (None, None, "gold", "gold", "gold"):
        group = {"id": tier or "plain"} | ({"tier": tier} if tier else {})
        await pair.node.call("send", "mail", {}, {"group": group})
    jobs = await pair.boss.fetch("mail", batch_size=9, group_concurrency={"default": 1, "tiers": {"gold": 2}})
    assert sorted(str(job.group_id) for job in jobs) == ["gold", "gold", "plain"]


async def test_a_rolled_back_fetch_gives_its_job_back(pair: Pair) -> None:
    await pair.boss.create_queue("mail")
    job_id = await pair.boss.send("mail")
    async with await psycopg.AsyncConnection.connect(pair.dsn) as connection:
        assert [job.id for job in await pair.boss.fetch("mail", connection=connection)] == [job_id]
        await connection.rollback()
    (job,) = await pair.node.call("fetch", "mail")
    assert UUID(job["id"]) == job_id


async def test_what_cannot_be_meant_is_refused(pair: Pair) -> None:
    await pair.boss.create_queue("mail")
    with pytest.raises(InputError, match="batch_size"):
        await pair.boss.fetch("mail", batch_size=0)
    with pytest.raises(InputError, match="group_concurrency"):
        await pair.boss.fetch("mail", group_concurrency=0)
    with pytest.raises(QueueNotFoundError, match="nowhere"):
        await pair.boss.fetch("nowhere")
