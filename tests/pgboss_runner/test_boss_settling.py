"""Completing, failing and touching with the face, beside Node on the same database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from jobcore.errors import InputError
from jobcore_pgboss.boss.errors import QueueNotFoundError
from pgboss_runner.boss_face import Pair

ITS_OWN = {"id", "created_on", "started_on", "start_after", "completed_on", "keep_until", "heartbeat_on", "source_id"}
ITS_OWN |= {"source_created_on", "source_root_id", "data"}
"""What differs between two jobs that are otherwise alike."""


async def fetched(pair: Pair, queue: str, count: int = 1, **options: Any) -> list[dict[str, Any]]:
    for number in range(count):
        await pair.node.call("send", queue, {"number": number}, options)
    return await pair.node.call("fetch", queue, {"batchSize": count})


async def alike(pair: Pair, one: str, other: str) -> bool:
    rows = [await pair.job(job_id) for job_id in (one, other)]
    common = [{key: value for key, value in row.items() if key not in ITS_OWN} for row in rows]
    assert common[0] == common[1]
    return True


async def test_a_completed_job_reads_like_one_that_node_completed(pair: Pair) -> None:
    await pair.node.call("createQueue", "mail")
    ours, theirs = await fetched(pair, "mail", 2)

    response = await pair.boss.complete("mail", ours["id"], {"sent": True})
    answer = await pair.node.call("complete", "mail", theirs["id"], {"sent": True})

    assert (response.requested, response.affected) == (answer["requested"], answer["affected"]) == (1, 1)
    assert (await pair.job(ours["id"]))["completed_on"] is not None
    assert await alike(pair, ours["id"], theirs["id"])


@pytest.mark.parametrize("output", ["text", 7, ["a", "b"], None, {"a": 1}])
async def test_output_is_stored_as_node_stores_it(pair: Pair, output: Any) -> None:
    await pair.node.call("createQueue", "mail")
    ours, theirs = await fetched(pair, "mail", 2)

    await pair.boss.complete("mail", ours["id"], output)
    await pair.node.call("complete", "mail", theirs["id"], output)

    assert (await pair.job(ours["id"]))["output"] == (await pair.job(theirs["id"]))["output"]


async def test_a_batch_is_completed_and_a_waiting_job_only_if_it_is_asked_for(pair: Pair) -> None:
    await pair.node.call("createQueue", "mail")
    running = await fetched(pair, "mail", 2)
    waiting = await pair.node.call("send", "mail")
    ids = [*(job["id"] for job in running), waiting]

    assert (await pair.boss.complete("mail", ids)).affected == 2
    assert (await pair.job(waiting))["state"] == "created"
    assert (await pair.boss.complete("mail", ids, include_queued=True)).affected == 1
    assert (await pair.job(waiting))["state"] == "completed"


async def test_an_attempt_that_lost_its_job_cannot_settle_the_next_one(pair: Pair) -> None:
    await pair.node.call("createQueue", "mail")
    (job,) = await fetched(pair, "mail", retryLimit=3)
    stale = (job["id"], job["retryCount"])
    await pair.node.call("fail", "mail", job["id"])
    await pair.node.call("fetch", "mail")

    assert (await pair.boss.complete("mail", stale)).affected == 0
    assert (await pair.boss.fail("mail", [stale])).affected == 0
    assert (await pair.boss.touch("mail", stale)).affected == 0
    assert (await pair.boss.complete("mail", (job["id"], 1))).affected == 1


async def test_a_failed_job_with_retries_left_waits_as_with_node(pair: Pair) -> None:
    await pair.node.call("createQueue", "mail")
    ours, theirs = await fetched(pair, "mail", 2, retryLimit=2, retryDelay=60)

    await pair.boss.fail("mail", ours["id"], {"message": "no route"})
    await pair.node.call("fail", "mail", theirs["id"], {"message": "no route"})

    assert await alike(pair, ours["id"], theirs["id"])
    one, other = await pair.job(ours["id"]), await pair.job(theirs["id"])
    assert one["state"] == "retry"
    assert abs(one["start_after"] - other["start_after"]) < timedelta(seconds=10)


async def test_the_delay_grows_with_the_attempts_and_keeps_its_bound(pair: Pair) -> None:
    await pair.node.call("createQueue", "mail")
    (job,) = await fetched(pair, "mail", retryLimit=9, retryDelay=100, retryBackoff=True, retryDelayMax=300)
    waits = "select extract(epoch from start_after - now()) as s from pgboss.job where id = %s"
    await pair.boss.fail("mail", job["id"])
    first = (await pair.rows(waits, job["id"]))[0]["s"]
    await pair.rows("update pgboss.job set state = 'active', retry_count = 6 where id = %s returning id", job["id"])
    await pair.boss.fail("mail", job["id"])
    later = (await pair.rows(waits, job["id"]))[0]["s"]

    assert 90 < first <= 200
    assert 290 < later <= 300


async def test_a_job_that_failed_for_good_is_buried_as_node_buries_it(pair: Pair) -> None:
    await pair.node.call("createQueue", "dead")
    await pair.node.call("createQueue", "mail", {"deadLetter": "dead", "retryLimit": 0})
    ours, theirs = await fetched(pair, "mail", 2)

    await pair.boss.fail("mail", ours["id"], "no route")
    await pair.node.call("fail", "mail", theirs["id"], "no route")

    copies = {str(row["source_id"]): row for row in await pair.rows("select * from pgboss.job where name = 'dead'")}
    assert copies.keys() == {ours["id"], theirs["id"]}
    assert copies[ours["id"]]["source_output"] == {"value": "no route"}
    assert str(copies[ours["id"]]["source_root_id"]) == ours["id"]
    assert await alike(pair, copies[ours["id"]]["id"], copies[theirs["id"]]["id"])
    assert await alike(pair, ours["id"], theirs["id"])


async def test_a_retry_that_the_policy_has_no_room_for_fails(pair: Pair) -> None:
    await pair.node.call("createQueue", "mail", {"policy": "stately"})
    jobs = [(await fetched(pair, "mail", retryLimit=3, singletonKey=key))[0] for key in ("a", "b")]
    await pair.boss.fail("mail", jobs[0]["id"])
    await pair.rows("update pgboss.job set singleton_key = 'a' where id = %s returning id", jobs[1]["id"])

    assert (await pair.boss.fail("mail", jobs[1]["id"])).affected == 1

    assert [(await pair.job(job["id"]))["state"] for job in jobs] == ["retry", "failed"]


async def test_a_touch_renews_the_heartbeat_of_a_running_job_alone(pair: Pair) -> None:
    await pair.node.call("createQueue", "mail")
    (job,) = await fetched(pair, "mail", heartbeatSeconds=60)
    waiting = await pair.node.call("send", "mail")
    before = (await pair.job(job["id"]))["heartbeat_on"]

    assert (await pair.boss.touch("mail", [job["id"], waiting])).affected == 1
    assert (await pair.job(job["id"]))["heartbeat_on"] > before
    assert (await pair.job(waiting))["heartbeat_on"] is None


async def test_what_names_no_jobs_of_a_queue_is_refused(pair: Pair) -> None:
    await pair.node.call("createQueue", "mail")
    with pytest.raises(QueueNotFoundError, match="nowhere"):
        await pair.boss.complete("nowhere", uuid4())
    with pytest.raises(QueueNotFoundError, match="nowhere"):
        await pair.boss.fail("nowhere", uuid4())
    with pytest.raises(InputError, match="requires an id"):
        await pair.boss.complete("mail", [])
    with pytest.raises(InputError, match="mix"):
        await pair.boss.fail("mail", [uuid4(), (uuid4(), 1)])
    with pytest.raises(InputError, match="UUID"):
        await pair.boss.touch("mail", "seven")


async def test_a_job_that_is_named_twice_is_buried_once(pair: Pair) -> None:
    await pair.node.call("createQueue", "dead")
    await pair.node.call("createQueue", "mail", {"deadLetter": "dead", "retryLimit": 0})
    (job,) = await fetched(pair, "mail")

    assert (await pair.boss.fail("mail", [job["id"], job["id"]])).affected == 1
    assert len(await pair.rows("select from pgboss.job where name = 'dead'")) == 1
