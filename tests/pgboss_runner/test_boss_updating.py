"""Updating and upserting with the face, beside Node on the same database."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from jobcore.errors import InputError
from jobcore_pgboss.boss.errors import QueueNotFoundError
from pgboss_runner.boss_face import Pair
from pgboss_runner.harness import App, TrivialExecutor, eventually
from pgboss_runner.test_interop_life import doubled

OWN = {"id", "created_on", "start_after", "keep_until"}

CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "nothing": ({}, {}),
    "priority": ({"priority": -3}, {"priority": -3}),
    "retries": (
        {"retry_limit": 4, "retry_delay": 5, "retry_backoff": True, "retry_delay_max": 60},
        {"retryLimit": 4, "retryDelay": 5, "retryBackoff": True, "retryDelayMax": 60},
    ),
    "times": (
        {"expire_in_seconds": 60, "retention_seconds": 90, "delete_after_seconds": 30, "heartbeat_seconds": 20},
        {"expireInSeconds": 60, "retentionSeconds": 90, "deleteAfterSeconds": 30, "heartbeatSeconds": 20},
    ),
    "later": ({"start_after": 600}, {"startAfter": 600}),
    "an interval": ({"start_after": "2 hours"}, {"startAfter": "2 hours"}),
    "now": ({"start_after": 0}, {"startAfter": 0}),
    "before now": ({"start_after": -60}, {"startAfter": -60}),
    "a date": ({"start_after": "2099-01-01"}, {"startAfter": "2099-01-01"}),
    "later and kept": (
        {"start_after": 600, "retention_seconds": 90},
        {"startAfter": 600, "retentionSeconds": 90},
    ),
    "group": ({"group": {"id": "h"}}, {"group": {"id": "h"}}),
    "tier": ({"group": {"id": "h", "tier": "gold"}}, {"group": {"id": "h", "tier": "gold"}}),
    "dead letter": ({"dead_letter": "dead"}, {"deadLetter": "dead"}),
    "taken back": (
        {"dead_letter": None, "heartbeat_seconds": None, "retry_delay_max": None},
        {"deadLetter": None, "heartbeatSeconds": None, "retryDelayMax": None},
    ),
}
SENT = {"priority": 1, "deadLetter": "graves", "heartbeatSeconds": 50, "startAfter": 30, "retentionSeconds": 5_000}
SENT |= {"retryBackoff": True, "retryDelayMax": 9, "group": {"id": "g", "tier": "tin"}}


@pytest.fixture(autouse=True)
async def queues(pair: Pair) -> None:
    for name in ("dead", "graves"):
        await pair.boss.create_queue(name)
    await pair.boss.create_queue("mail", retry_limit=3, heartbeat_seconds=30, dead_letter="graves")


async def shape(pair: Pair, job_id: Any, since: datetime) -> dict[str, Any]:
    """A job's row without what is its own, and with waits in place of instants: to ten seconds, as calls take time."""
    row = await pair.job(job_id)
    waits = {
        "wait": round((row["start_after"] - since).total_seconds() / 10),
        "kept": round((row["keep_until"] - row["start_after"]).total_seconds()),
    }
    return {key: value for key, value in row.items() if key not in OWN} | waits


async def sent(pair: Pair, count: int = 1, **options: Any) -> list[str]:
    return [await pair.node.call("send", "mail", {"n": number}, {**options}) for number in range(count)]


async def ids(pair: Pair) -> list[str]:
    return [str(row["id"]) for row in await pair.rows("select id from pgboss.job order by created_on")]


@pytest.mark.parametrize(("ours", "theirs"), CASES.values(), ids=CASES)
async def test_the_same_change_leaves_the_same_row(pair: Pair, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    since = datetime.now(UTC)
    one, other = await sent(pair, 2, **SENT)
    response = await pair.boss.update("mail", {"new": True}, id=one, **ours)
    answer = await pair.node.call("update", "mail", {"new": True}, {"id": other, **theirs})
    assert (response.updated, [str(job) for job in response.jobs]) == (answer["updated"], [one])
    assert await shape(pair, one, since) == await shape(pair, other, since)
    assert (await pair.job(one))["data"] == {"new": True}


@pytest.mark.parametrize(("ours", "theirs"), CASES.values(), ids=CASES)
async def test_the_same_upsert_sends_the_same_job(pair: Pair, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    since = datetime.now(UTC)
    response = await pair.boss.upsert("mail", {"n": 1}, singleton_key="ours", **ours)
    answer = await pair.node.call("upsert", "mail", {"n": 1}, {"singletonKey": "theirs", **theirs})
    assert (response.updated, response.inserted) == (answer["updated"], answer["inserted"]) == (0, 1)
    left, right = await shape(pair, response.jobs[0], since), await shape(pair, answer["jobs"][0], since)
    assert (left.pop("singleton_key"), right.pop("singleton_key")) == ("ours", "theirs")
    assert left == right
    assert left["upsert_by_key"] is True


async def test_a_payload_stays_unless_there_is_a_new_one_even_none(pair: Pair) -> None:
    one, other = await sent(pair, 2)
    await pair.boss.update("mail", id=one, priority=5)
    assert (await pair.job(one))["data"] == {"n": 0}
    await pair.boss.update("mail", None, id=one)
    await pair.node.call("update", "mail", None, {"id": other})
    query = "select id::text, data::text from pgboss.job"
    assert {row["id"]: row["data"] for row in await pair.rows(query)} == {one: "null", other: "null"}


@pytest.mark.parametrize(("match", "changed"), [(None, [2]), ("newest", [2]), ("oldest", [0]), ("all", [0, 1, 2])])
async def test_a_key_means_the_jobs_that_node_means_by_it(pair: Pair, match: Any, changed: list[int]) -> None:
    jobs = await sent(pair, 3, singletonKey="k")
    await sent(pair, 1, singletonKey="other")
    chosen = {} if match is None else {"match": match}
    ours = await pair.boss.update("mail", {"by": "us"}, singleton_key="k", **chosen)
    theirs = await pair.node.call("update", "mail", {"by": "node"}, {"singletonKey": "k", **chosen})
    assert sorted(map(str, ours.jobs)) == sorted(theirs["jobs"]) == sorted(jobs[number] for number in changed)


async def test_only_what_waits_is_changed(pair: Pair) -> None:
    (job,) = await sent(pair, singletonKey="k")
    await pair.node.call("fetch", "mail")
    assert (await pair.boss.update("mail", {}, id=job)).jobs == ()
    assert (await pair.boss.update("mail", {}, singleton_key="k", match="all")).updated == 0
    assert (await pair.job(job))["data"] == {"n": 0}


async def test_an_upsert_changes_what_waits_whoever_sent_it(pair: Pair) -> None:
    (job,) = await sent(pair, singletonKey="k")
    ours = await pair.boss.upsert("mail", {"by": "us"}, singleton_key="k")
    assert ([str(each) for each in ours.jobs], ours.updated, ours.inserted) == ([job], 1, 0)
    made = await pair.boss.upsert("mail", {"by": "us"}, singleton_key="new")
    theirs = await pair.node.call("upsert", "mail", {"by": "node"}, {"singletonKey": "new"})
    assert theirs == {"jobs": [str(made.jobs[0])], "updated": 1, "inserted": 0}
    assert await ids(pair) == [job, str(made.jobs[0])]


async def test_an_upsert_by_id_sends_a_job_of_this_id_that_node_then_changes(pair: Pair) -> None:
    chosen = uuid4()
    made = await pair.boss.upsert("mail", {"n": 1}, id=chosen)
    assert (made.jobs, made.inserted) == ((chosen,), 1)
    assert (await pair.job(chosen))["upsert_by_key"] is None
    assert (await pair.node.call("upsert", "mail", {"n": 2}, {"id": str(chosen)}))["updated"] == 1
    await pair.node.call("fetch", "mail")
    ours = await pair.boss.upsert("mail", {"n": 3}, id=chosen)
    theirs = await pair.node.call("upsert", "mail", {"n": 3}, {"id": str(chosen)})
    assert (ours.jobs, ours.updated, ours.inserted) == ((), theirs["updated"], theirs["inserted"]) == ((), 0, 0)


async def test_upserts_of_one_key_at_the_same_time_agree_on_one_job(pair: Pair) -> None:
    ours = [pair.boss.upsert("mail", {"by": "us"}, singleton_key="k") for _ in range(4)]
    *responses, theirs = await asyncio.gather(*ours, pair.node.call("upsert", "mail", {}, {"singletonKey": "k"}))
    (job,) = await ids(pair)
    assert {str(each) for response in responses for each in response.jobs} | set(theirs["jobs"]) == {job}
    assert sum(response.inserted for response in responses) + theirs["inserted"] == 1


async def waits_for_a_lock(pair: Pair) -> bool:
    query = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    return bool(await pair.rows(query))


async def test_an_upsert_waits_for_another_one_of_its_key_and_changes_its_job(pair: Pair) -> None:
    async with await psycopg.AsyncConnection.connect(pair.dsn) as connection:
        first = await pair.boss.upsert("mail", {"n": 1}, singleton_key="k", connection=connection)
        second = asyncio.create_task(pair.boss.upsert("mail", {"n": 2}, singleton_key="k"))
        await eventually(lambda: waits_for_a_lock(pair))
        await connection.commit()
    assert (await second).updated == 1
    assert (await second).jobs == first.jobs
    assert (await pair.job(first.jobs[0]))["data"] == {"n": 2}


async def test_a_job_that_is_pulled_forward_is_told_to_workers(pair: Pair) -> None:
    await pair.boss.create_queue("told", notify=True)
    late = await pair.boss.send_after("told", {}, 600)
    async with await psycopg.AsyncConnection.connect(pair.dsn, autocommit=True) as listening:
        (channel,) = (await (await listening.execute("select jobcore.pgboss_channel()")).fetchall())[0]
        await listening.execute(psycopg.sql.SQL("listen {}").format(psycopg.sql.Identifier(channel)))
        await pair.boss.update("told", id=late or "", start_after=0)
        heard = [notify.payload async for notify in listening.notifies(timeout=10, stop_after=1)]
    assert heard == ["told"]
    assert [UUID(job["id"]) for job in await pair.node.call("fetch", "told")] == [late]


async def test_a_change_is_rolled_back_with_the_callers_transaction(pair: Pair) -> None:
    (job,) = await sent(pair)
    async with await psycopg.AsyncConnection.connect(pair.dsn) as connection:
        await connection.execute("set role jobcore_worker")
        await pair.boss.update("mail", {"gone": True}, id=job, connection=connection)
        await pair.boss.upsert("mail", {"gone": True}, singleton_key="k", connection=connection)
        await connection.rollback()
    assert await ids(pair) == [job]
    assert (await pair.job(job))["data"] == {"n": 0}


async def test_a_worker_of_ours_gets_what_was_changed_before(app: App, pair: Pair) -> None:
    (job,) = await app.enqueue("mail", payload={"n": 1}, delay=timedelta(hours=1))
    assert (await pair.boss.update("mail", {"n": 21}, id=job, start_after=0)).jobs == (job,)
    async with app.working(TrivialExecutor({"mail": doubled})):
        await app.wait_for_status("completed", job)
    assert (await pair.job(job))["output"] == {"doubled": 42}


@pytest.mark.parametrize(
    ("ours", "theirs", "reason"),
    [
        ({}, {}, "exactly one"),
        ({"id": uuid4(), "singleton_key": "k"}, {"id": str(uuid4()), "singletonKey": "k"}, "exactly one"),
        ({"id": uuid4(), "match": "all"}, {"id": str(uuid4()), "match": "all"}, "match goes with"),
        ({"singleton_key": "k", "match": "any"}, {"singletonKey": "k", "match": "any"}, "newest"),
        ({"singleton_key": "k", "priority": 1.5}, {"singletonKey": "k", "priority": 1.5}, "priority"),
        ({"singleton_key": "k", "retry_limit": None}, {"singletonKey": "k", "retryLimit": None}, "retry_limit"),
        ({"singleton_key": "k", "retry_delay_max": 5}, {"singletonKey": "k", "retryDelayMax": 5}, "retry_backoff"),
        ({"singleton_key": "k", "dead_letter": "no"}, {"singletonKey": "k", "deadLetter": "no"}, "dead letter"),
    ],
)
@pytest.mark.parametrize("verb", ["update", "upsert"])
async def test_what_node_refuses_is_refused(pair: Pair, verb: str, ours: Any, theirs: Any, reason: str) -> None:
    await sent(pair, singletonKey="k")
    with pytest.raises(InputError, match=reason):
        await getattr(pair.boss, verb)("mail", {}, **ours)
    assert await pair.node.refusal(verb, "mail", {}, theirs) is not None


async def test_a_strict_queue_wants_a_key_and_a_queue_has_to_be_there(pair: Pair) -> None:
    await pair.boss.create_queue("strict", policy="key_strict_fifo")
    with pytest.raises(InputError, match="singletonKey"):
        await pair.boss.upsert("strict", {}, id=uuid4())
    assert (await pair.boss.upsert("strict", {}, singleton_key="k")).inserted == 1
    assert (await pair.boss.update("strict", {}, id=uuid4())).updated == 0
    for verb in (pair.boss.update, pair.boss.upsert):
        with pytest.raises(QueueNotFoundError, match="nowhere"):
            await verb("nowhere", {}, singleton_key="k")
    wrong: Any = {"singleton_key": "k", "singleton_seconds": 5}
    with pytest.raises(InputError, match="unknown options: singleton_seconds"):
        await pair.boss.upsert("mail", {}, **wrong)


async def test_an_instant_is_kept_to_the_microsecond(pair: Pair) -> None:
    at = datetime(2099, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)
    (job,) = await sent(pair, retentionSeconds=60)
    await pair.boss.update("mail", id=job, start_after=at)
    row = await pair.job(job)
    assert (row["start_after"], row["keep_until"] - at) == (at, timedelta(seconds=60))
