"""Sending with the face, beside Node on the same database: the same call leaves the same row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from jobcore.errors import InputError, NaiveDatetimeError
from jobcore_pgboss.boss.errors import QueueNotFoundError
from pgboss_runner.boss_face import Pair

OWN = {"id", "created_on", "start_after", "keep_until"}
"""What two jobs that were sent alike differ in."""

CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "nothing": ({}, {}),
    "priority": ({"priority": 7}, {"priority": 7}),
    "retries": (
        {"retry_limit": 4, "retry_delay": 5, "retry_backoff": True, "retry_delay_max": 60},
        {"retryLimit": 4, "retryDelay": 5, "retryBackoff": True, "retryDelayMax": 60},
    ),
    "times": (
        {"expire_in_seconds": 60, "retention_seconds": 90, "delete_after_seconds": 30, "heartbeat_seconds": 20},
        {"expireInSeconds": 60, "retentionSeconds": 90, "deleteAfterSeconds": 30, "heartbeatSeconds": 20},
    ),
    "group": ({"group": {"id": "g", "tier": "gold"}}, {"group": {"id": "g", "tier": "gold"}}),
    "key": ({"singleton_key": "k"}, {"singletonKey": "k"}),
    "dead letter": ({"dead_letter": "dead"}, {"deadLetter": "dead"}),
}


@pytest.fixture(autouse=True)
async def queues(pair: Pair) -> None:
    await pair.boss.create_queue("dead")
    await pair.boss.create_queue("mail", retry_limit=3, heartbeat_seconds=30)


async def shape(pair: Pair, job_id: Any) -> dict[str, Any]:
    """A job's row without what is its own, and with the waits in place of the instants."""
    row = await pair.job(job_id)
    waits = {
        "wait": round((row["start_after"] - row["created_on"]).total_seconds()),
        "kept": round((row["keep_until"] - row["start_after"]).total_seconds()),
    }
    return {key: value for key, value in row.items() if key not in OWN} | waits


@pytest.mark.parametrize(("ours", "theirs"), CASES.values(), ids=CASES)
async def test_the_same_call_leaves_the_same_row(pair: Pair, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    data = {"to": "ada", "list": [1, None, "ü"]}
    sent = await pair.boss.send("mail", data, **ours)
    assert await shape(pair, sent) == await shape(pair, await pair.node.call("send", "mail", data, theirs))


@pytest.mark.parametrize(
    "after",
    [
        *(90, "90", "5 minutes", "PT1H", "2027-01", "2099-01-01", "2099-01-01T10:00:00", "2099-01-01T10:00:00+05:30"),
        *("2099-01-01 10:00:00 Asia/Tokyo", "20990101T100000Z", "20990101Z", "Jan 1 2099 10:00Z"),
    ],
)
async def test_a_job_starts_when_node_would_start_it(pair: Pair, after: Any) -> None:
    ours = await pair.job(await pair.boss.send_after("mail", {}, after))
    theirs = await pair.job(await pair.node.call("sendAfter", "mail", {}, None, after))
    assert abs(ours["start_after"] - theirs["start_after"]) < timedelta(seconds=5)


async def test_an_instant_is_kept_to_the_microsecond(pair: Pair) -> None:
    at = datetime(2099, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)
    assert (await pair.job(await pair.boss.send_after("mail", {}, at)))["start_after"] == at
    with pytest.raises(NaiveDatetimeError):
        await pair.boss.send_after("mail", {}, datetime(2099, 5, 6))


@pytest.mark.parametrize("after", ["soon", "20990101T100000", "2099-13-01", "9 o'clockZ"])
async def test_text_that_is_no_time_is_refused_as_node_refuses_it(pair: Pair, after: str) -> None:
    with pytest.raises(InputError, match=r"send: .*(syntax|range)"):
        await pair.boss.send_after("mail", {}, after)
    assert await pair.node.refusal("sendAfter", "mail", {}, None, after) is not None
    with pytest.raises(InputError, match="start_after"):
        await pair.boss.send_after("mail", {}, float("inf"))


async def test_one_job_a_slot_whoever_sends_it(pair: Pair) -> None:
    assert await pair.boss.send_throttled("mail", {}, 3600, "k") is not None
    assert await pair.boss.send_throttled("mail", {}, 3600, "k") is None
    assert await pair.node.call("sendThrottled", "mail", {}, None, 3600, "k") is None
    assert await pair.boss.send_throttled("mail", {}, 3600, "other") is not None


async def test_a_debounced_job_waits_for_the_next_slot_once(pair: Pair) -> None:
    assert await pair.node.call("sendDebounced", "mail", {}, None, 3600, "k") is not None
    late = await pair.boss.send_debounced("mail", {}, 3600, "k")
    assert late is not None
    assert (await pair.job(late))["start_after"] > datetime.now(UTC)
    assert await pair.boss.send_debounced("mail", {}, 3600, "k") is None
    assert await pair.node.call("sendDebounced", "mail", {}, None, 3600, "k") is None


async def test_a_policy_that_lets_a_job_not_in_answers_none(pair: Pair) -> None:
    await pair.boss.create_queue("narrow", policy="short")
    assert await pair.boss.send("narrow") is not None
    assert await pair.boss.send("narrow") is None
    assert await pair.node.call("send", "narrow") is None


async def test_many_are_sent_in_one_call(pair: Pair) -> None:
    chosen = uuid4()
    made = await pair.boss.insert("mail", [{"data": {"n": 1}, "id": chosen}, {"data": {"n": 2}, "priority": 5}])
    assert made[0] == chosen
    fetched = {job["id"]: job["data"] for job in await pair.node.call("fetch", "mail", {"batchSize": 5})}
    assert fetched == {str(made[0]): {"n": 1}, str(made[1]): {"n": 2}}
    assert await pair.boss.insert("mail", [{"id": chosen}]) == []
    with pytest.raises(InputError, match="twice"):
        await pair.boss.insert("mail", [{"id": chosen}, {"id": str(chosen)}])


async def test_a_rolled_back_transaction_takes_its_job_along(pair: Pair) -> None:
    async with await psycopg.AsyncConnection.connect(pair.dsn) as connection:
        gone = await pair.boss.send("mail", {}, connection=connection)
        await connection.rollback()
        kept = await pair.boss.send("mail", {}, connection=connection)
    found = await pair.rows("select id from pgboss.job where id = any(%s)", [gone, kept])
    assert [row["id"] for row in found] == [kept]


async def test_node_hears_of_a_job_in_a_queue_that_notifies(pair: Pair) -> None:
    await pair.boss.create_queue("told", notify=True)
    async with await psycopg.AsyncConnection.connect(pair.dsn, autocommit=True) as listening:
        (channel,) = (await (await listening.execute("select jobcore.pgboss_channel()")).fetchall())[0]
        await listening.execute(psycopg.sql.SQL("listen {}").format(psycopg.sql.Identifier(channel)))
        await pair.boss.send_after("told", {}, 60)
        await pair.boss.send("told")
        heard = [notify.payload async for notify in listening.notifies(timeout=10, stop_after=1)]
    assert heard == ["told"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"priority": 1.5}, "priority"),
        ({"retry_limit": -1}, "retry_limit"),
        ({"retry_delay_max": 5}, "retry_backoff"),
        ({"expire_in_seconds": 0}, "expire_in_seconds"),
        ({"expire_in_seconds": 90_000}, "24 hours"),
        ({"heartbeat_seconds": 5}, "heartbeat_seconds"),
        ({"group": {"id": ""}}, "group"),
        ({"retries": 3}, "unknown"),
    ],
)
async def test_what_pg_boss_refuses_is_refused(pair: Pair, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        await pair.boss.send("mail", {}, **options)
    assert await pair.rows("select from pgboss.job") == []


async def test_a_queue_that_is_not_there_is_named(pair: Pair) -> None:
    with pytest.raises(QueueNotFoundError, match="nowhere"):
        await pair.boss.send("nowhere")
    with pytest.raises(QueueNotFoundError, match="nowhere"):
        await pair.boss.insert("nowhere", [{}])
    with pytest.raises(InputError, match="dead letter queue 'nowhere'"):
        await pair.boss.send("mail", {}, dead_letter="nowhere")
    with pytest.raises(InputError, match="alphanumeric"):
        await pair.boss.send("no spaces")


async def test_a_strict_queue_wants_a_key(pair: Pair) -> None:
    await pair.boss.create_queue("strict", policy="key_strict_fifo")
    with pytest.raises(InputError, match="singletonKey"):
        await pair.boss.send("strict")
    with pytest.raises(InputError, match="singletonKey"):
        await pair.boss.send("strict", singleton_key="")
    assert isinstance(await pair.boss.send("strict", singleton_key="k"), UUID)


@pytest.mark.parametrize(
    "options",
    [
        {"expire_in_seconds": 1.5},
        {"expire_in_seconds": None},
        {"retention_seconds": 1.5},
        {"delete_after_seconds": 0.5},
        {"priority": 2**40},
        {"id": "seven"},
    ],
    ids=str,
)
async def test_what_no_column_holds_is_refused_before_the_database_says_it(pair: Pair, options: Any) -> None:
    await pair.node.call("createQueue", "mail")
    with pytest.raises(InputError):
        await pair.boss.send("mail", **options)
    assert await pair.rows("select from pgboss.job") == []


async def test_what_is_no_id_is_refused(pair: Pair) -> None:
    await pair.node.call("createQueue", "mail")
    wrong: Any = "seven"
    with pytest.raises(InputError, match="seven"):
        await pair.boss.get_job_by_id("mail", wrong)
    with pytest.raises(InputError):
        await pair.boss.update("mail", id=wrong, priority=1)
