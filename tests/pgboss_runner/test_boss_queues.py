"""Queues, events, schedules and finding jobs with the face, beside Node on the same database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from jobcore.errors import InputError, InvalidScheduleError, SchemaVersionError
from jobcore_pgboss.boss import PgBoss
from jobcore_pgboss.boss.errors import QueueNotFoundError
from pgboss_runner.boss_face import Pair

OPTIONS = (
    {"retry_limit": 5, "retry_backoff": True, "retry_delay_max": 30, "warning_queue_size": 7, "notify": True},
    {"retryLimit": 5, "retryBackoff": True, "retryDelayMax": 30, "warningQueueSize": 7, "notify": True},
)
OWN = {"name", "created_on", "updated_on", "table_name"}


async def shape(pair: Pair, name: str) -> dict[str, Any]:
    (row,) = await pair.rows("select * from pgboss.queue where name = %s", name)
    return {key: value for key, value in row.items() if key not in OWN}


@pytest.mark.parametrize("policy", ["standard", "short", "singleton", "stately", "exclusive", "key_strict_fifo"])
@pytest.mark.parametrize("partition", [False, True])
async def test_a_queue_is_made_as_node_makes_it(pair: Pair, policy: str, partition: bool) -> None:
    ours, theirs = OPTIONS
    await pair.boss.create_queue("ours", policy=policy, partition=partition, **ours)
    await pair.node.call("createQueue", "theirs", {"policy": policy, "partition": partition, **theirs})
    assert await shape(pair, "ours") == await shape(pair, "theirs")


async def test_a_queue_that_exists_stays_as_it_is(pair: Pair) -> None:
    await pair.boss.create_queue("mail", retry_limit=9)
    await pair.boss.create_queue("mail", retry_limit=1)
    queue = await pair.boss.get_queue("mail")
    assert queue is not None
    assert queue["retry_limit"] == 9
    assert (await pair.node.call("getQueue", "mail"))["retryLimit"] == 9


async def test_a_change_is_the_same_as_nodes(pair: Pair) -> None:
    ours, theirs = OPTIONS
    for name in ("ours", "theirs", "dead"):
        await pair.boss.create_queue(name, heartbeat_seconds=20)
    await pair.boss.update_queue("ours", dead_letter="dead", heartbeat_seconds=None, **ours)
    await pair.node.call("updateQueue", "theirs", {"deadLetter": "dead", "heartbeatSeconds": None, **theirs})
    assert await shape(pair, "ours") == await shape(pair, "theirs")


async def test_queues_are_listed_in_pages_and_deleted_with_their_jobs(pair: Pair) -> None:
    for name in ("a", "b", "c"):
        await pair.boss.create_queue(name)
    assert [queue["name"] for queue in await pair.boss.get_queues(after="a", limit=1)] == ["b"]
    assert [queue["name"] for queue in await pair.boss.get_queues(["c", "a"])] == ["a", "c"]
    await pair.boss.send("b")
    await pair.boss.delete_queue("b")
    await pair.boss.delete_queue("b")
    assert await pair.node.call("getQueue", "b") is None
    assert await pair.rows("select from pgboss.job where name = 'b'") == []


async def test_what_pg_boss_refuses_of_a_queue_is_refused(pair: Pair) -> None:
    with pytest.raises(InputError, match="policy"):
        await pair.boss.create_queue("mail", policy="lifo")
    with pytest.raises(InputError, match="dead letter"):
        await pair.boss.create_queue("mail", dead_letter="mail")
    with pytest.raises(QueueNotFoundError, match="dead"):
        await pair.boss.create_queue("mail", dead_letter="dead")
    with pytest.raises(QueueNotFoundError, match="mail"):
        await pair.boss.update_queue("mail", retry_limit=1)
    with pytest.raises(InputError, match="nothing"):
        await pair.boss.update_queue("mail")


async def test_an_event_reaches_the_queues_that_subscribed_whoever_subscribed_them(pair: Pair) -> None:
    for name in ("one", "two", "three"):
        await pair.boss.create_queue(name)
    await pair.boss.subscribe("paid", "one")
    await pair.node.call("subscribe", "paid", "two")
    assert await pair.boss.publish("paid", {"n": 1}) == 2
    await pair.node.call("publish", "paid", {"n": 2})
    await pair.boss.unsubscribe("paid", "two")
    await pair.node.call("publish", "paid", {"n": 3})
    counts = await pair.rows("select name, count(*) as n from pgboss.job group by name order by name")
    assert counts == [{"name": "one", "n": 3}, {"name": "two", "n": 2}]
    assert await pair.boss.publish("nobody listens") == 0
    with pytest.raises(QueueNotFoundError, match="four"):
        await pair.boss.subscribe("paid", "four")


async def test_a_schedule_is_written_as_node_writes_it(pair: Pair) -> None:
    for name in ("ours", "theirs"):
        await pair.boss.create_queue(name)
    await pair.boss.schedule(
        "ours", "0 3 * * *", {"a": 1}, tz="Europe/Berlin", key="k", priority=2, missed="once", retry_limit=1
    )
    options = {"tz": "Europe/Berlin", "key": "k", "priority": 2, "missed": "once", "retryLimit": 1}
    await pair.node.call("schedule", "theirs", "0 3 * * *", {"a": 1}, options)
    ours, theirs = await pair.rows("select key, kind, cron, timezone, data, options from pgboss.schedule order by name")
    assert ours == theirs
    (seen,) = await pair.node.call("getSchedules", "ours")
    assert (seen["key"], seen["timezone"]) == ("k", "Europe/Berlin")


async def test_schedules_are_replaced_listed_and_removed(pair: Pair) -> None:
    await pair.boss.create_queue("mail")
    await pair.boss.schedule("mail", "* * * * *")
    await pair.boss.schedule("mail", "*/5 * * * *")
    schedule = await pair.boss.get_schedule("mail")
    assert schedule is not None
    assert schedule["cron"] == "*/5 * * * *"
    assert len(await pair.boss.get_schedules()) == 1
    await pair.boss.unschedule("mail")
    assert await pair.node.call("getSchedules") == []


async def test_schedules_that_nobody_could_fire_are_refused(pair: Pair) -> None:
    await pair.boss.create_queue("mail")
    with pytest.raises(InvalidScheduleError):
        await pair.boss.schedule("mail", "every monday")
    with pytest.raises(InvalidScheduleError):
        await pair.boss.schedule("mail", "* * * * *", tz="Mars/Base")
    with pytest.raises(InputError, match="missed"):
        await pair.boss.schedule("mail", "* * * * *", missed="always")
    with pytest.raises(QueueNotFoundError):
        await pair.boss.schedule("nowhere", "* * * * *")


async def test_a_preview_is_nodes(pair: Pair) -> None:
    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    ours = pair.boss.preview_schedule("30 4 * * 1", tz="Asia/Tokyo", after=start, count=3)
    assert ours == [datetime(2026, 3, day, 19, 30, tzinfo=UTC) for day in (1, 8, 15)]


async def test_jobs_are_found_by_what_they_hold(pair: Pair) -> None:
    await pair.boss.create_queue("mail")
    one = UUID(await pair.node.call("send", "mail", {"to": "ada", "n": 1}, {"singletonKey": "k"}))
    two = await pair.boss.send("mail", {"to": "bob"})
    assert two is not None
    assert [job.id for job in await pair.boss.find_jobs("mail", data={"to": "ada"})] == [one]
    assert [job.id for job in await pair.boss.find_jobs("mail", key="k")] == [one]
    assert [job.id for job in await pair.boss.find_jobs("mail", id=two)] == [two]
    await pair.node.call("fetch", "mail")
    assert [job.id for job in await pair.boss.find_jobs("mail", queued=True)] == [two]
    assert [job.id for job in await pair.boss.find_jobs("mail", limit=1)] == [one]
    assert [job.id for job in await pair.boss.find_jobs("mail", after=one)] == [two]
    assert [UUID(job["id"]) for job in await pair.node.call("findJobs", "mail", {"after": str(one)})] == [two]
    with pytest.raises(InputError, match="go on behind"):
        await pair.boss.find_jobs("mail", after=uuid4())
    with pytest.raises(QueueNotFoundError, match="nowhere"):
        await pair.boss.find_jobs("nowhere")
    with pytest.raises(QueueNotFoundError, match="nowhere"):
        await pair.boss.get_job_by_id("nowhere", one)


async def test_a_job_tells_what_node_tells_of_it(pair: Pair) -> None:
    await pair.boss.create_queue("mail")
    job_id = await pair.boss.send("mail", {"n": 1}, priority=3)
    assert job_id is not None
    ours = await pair.boss.get_job_by_id("mail", job_id)
    theirs = await pair.node.call("getJobById", "mail", str(job_id))
    assert ours is not None
    assert (ours.state, ours.priority, ours.data) == (theirs["state"], theirs["priority"], theirs["data"])
    assert (ours.retry_limit, ours.expire_in_seconds) == (theirs["retryLimit"], theirs["expireInSeconds"])
    assert await pair.boss.get_job_by_id("mail", uuid4()) is None


async def test_a_database_without_pg_boss_is_refused_at_the_start(empty_database_dsn: str) -> None:
    with pytest.raises(SchemaVersionError, match="jobcore migrate"):
        await PgBoss(empty_database_dsn).start()


async def test_the_engines_role_may_use_the_verbs(pair: Pair) -> None:
    await pair.boss.create_queue("mail")
    async with await psycopg.AsyncConnection.connect(pair.dsn) as connection:
        await connection.execute("set role jobcore_worker")
        sent = await pair.boss.send("mail", {}, connection=connection)
        await pair.boss.insert("mail", [{}], connection=connection)
        await pair.boss.cancel("mail", sent, connection=connection)
    assert (await pair.job(sent))["state"] == "cancelled"
