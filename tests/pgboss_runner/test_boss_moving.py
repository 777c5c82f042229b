"""Cancelling, resuming, retrying, deleting and redriving with the face, beside Node on the same database."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest

from jobcore.errors import InputError, NaiveDatetimeError
from jobcore_pgboss.boss.errors import QueueNotFoundError
from pgboss_runner.boss_face import Pair
from pgboss_runner.test_boss_settling import alike, fetched


async def buried(pair: Pair, *numbers: int) -> None:
    """Jobs of `mail` that lie in `dead`."""
    await pair.node.call("createQueue", "dead")
    await pair.node.call("createQueue", "mail", {"deadLetter": "dead", "retryLimit": 0})
    for number in numbers:
        await pair.node.call("send", "mail", {"number": number}, {"priority": number})
        (job,) = await pair.node.call("fetch", "mail")
        await pair.node.call("fail", "mail", job["id"])


async def numbers_in(pair: Pair, queue: str, state: str = "created") -> list[int]:
    query = "select data ->> 'number' as n from pgboss.job where name = %s and state = %s::pgboss.job_state order by 1"
    return [int(row["n"]) for row in await pair.rows(query, queue, state)]


async def test_a_job_is_cancelled_and_resumed_as_node_does_it(pair: Pair) -> None:
    await pair.node.call("createQueue", "mail")
    ours, theirs = [await pair.node.call("send", "mail") for _ in range(2)]

    assert (await pair.boss.cancel("mail", ours)).affected == 1
    await pair.node.call("cancel", "mail", theirs)
    assert (await pair.job(ours))["state"] == "cancelled"
    assert await alike(pair, ours, theirs)

    assert (await pair.boss.resume("mail", [ours, theirs])).affected == 2
    assert (await pair.job(ours))["state"] == "created"
    assert (await pair.job(ours))["completed_on"] is None
    assert {job["id"] for job in await pair.node.call("fetch", "mail", {"batchSize": 5})} == {ours, theirs}


async def test_only_the_attempt_that_runs_is_cancelled(pair: Pair) -> None:
    await pair.node.call("createQueue", "mail")
    (job,) = await fetched(pair, "mail")

    assert (await pair.boss.cancel("mail", (job["id"], 5))).affected == 0
    assert (await pair.boss.cancel("mail", (job["id"], 0))).affected == 1
    assert (await pair.boss.cancel("mail", job["id"])).affected == 0


async def test_a_failed_job_gets_one_more_attempt_as_with_node(pair: Pair) -> None:
    await pair.node.call("createQueue", "mail", {"retryLimit": 0})
    ours, theirs = await fetched(pair, "mail", 2)
    await pair.node.call("fail", "mail", [ours["id"], theirs["id"]])

    assert (await pair.boss.retry("mail", ours["id"])).affected == 1
    await pair.node.call("retry", "mail", theirs["id"])

    assert (await pair.job(ours["id"]))["retry_limit"] == 1
    assert await alike(pair, ours["id"], theirs["id"])


async def test_a_deleted_job_is_gone_in_the_callers_transaction(pair: Pair) -> None:
    await pair.node.call("createQueue", "mail")
    kept, deleted = [await pair.node.call("send", "mail") for _ in range(2)]

    async with await psycopg.AsyncConnection.connect(pair.dsn) as connection:
        await pair.boss.delete_job("mail", kept, connection=connection)
        await connection.rollback()
    assert (await pair.boss.delete_job("mail", deleted)).affected == 1

    assert [str(row["id"]) for row in await pair.rows("select id from pgboss.job where name = 'mail'")] == [kept]


async def test_dead_letters_are_sent_once_more_as_node_sends_them(pair: Pair) -> None:
    await buried(pair, 1, 2)

    assert await pair.boss.redrive("dead", limit=1) == 1
    assert await numbers_in(pair, "mail") == [1]
    assert await pair.node.call("redrive", "dead") == 1

    ours, theirs = await pair.rows("select id from pgboss.job where name = 'mail' and state = 'created' order by data")
    await pair.rows("update pgboss.job set priority = 0 where name = 'mail' returning id")
    assert await alike(pair, ours["id"], theirs["id"])
    roots = await pair.rows(
        "select a.source_root_id = b.id as its_own from pgboss.job a join pgboss.job b using (name, data)"
        " where name = 'mail' and a.state = 'created' and b.state = 'failed'"
    )
    assert [row["its_own"] for row in roots] == [True, True]


async def test_filters_choose_what_is_redriven_and_where_to(pair: Pair) -> None:
    await buried(pair, 1, 2, 3)
    await pair.node.call("createQueue", "elsewhere")
    before = datetime(2020, 1, 1, tzinfo=UTC)

    assert await pair.boss.redrive("dead", created_before=before) == 0
    assert await pair.boss.redrive("dead", source_name="elsewhere") == 0
    assert await pair.boss.redrive("dead", data={"number": 2}, destination="elsewhere") == 1
    (one,) = await pair.rows("""select id from pgboss.job where name = 'dead' and data = '{"number": 3}'""")
    assert await pair.boss.redrive("dead", ids=[one["id"]]) == 1

    assert await numbers_in(pair, "elsewhere") == [2]
    assert await numbers_in(pair, "mail") == [3]
    assert await numbers_in(pair, "dead") == [1]


async def test_a_dead_letter_that_its_queue_has_no_room_for_fails_with_nodes_words(pair: Pair) -> None:
    await buried(pair, 1, 2)
    await pair.node.call("createQueue", "narrow", {"policy": "short"})
    await pair.node.call("send", "narrow")
    outputs = "select output, state::text from pgboss.job where name = 'dead' and data = %s::jsonb"

    assert await pair.boss.redrive("dead", destination="narrow", limit=1) == 0
    assert await pair.node.call("redrive", "dead", {"destination": "narrow"}) == 0

    ours, theirs = [await pair.rows(outputs, f'{{"number": {number}}}') for number in (1, 2)]
    assert ours == theirs
    assert ours[0]["state"] == "failed"
    assert ours[0]["output"]["reason"] == "redrive_conflict"


async def test_a_preview_counts_what_node_counts(pair: Pair) -> None:
    await buried(pair, 1, 2, 3)
    await pair.node.call("send", "dead", {"number": 4})

    preview = await pair.boss.preview_redrive("dead")
    theirs = await pair.node.call("previewRedrive", "dead")

    assert (preview.total, preview.unroutable) == (theirs["total"], theirs["unroutable"]) == (4, 1)
    assert preview.destinations == {each["name"]: each["count"] for each in theirs["destinations"]} == {"mail": 3}
    assert (await pair.boss.preview_redrive("dead", limit=2)).destinations == {"mail": 2}


async def test_what_cannot_be_meant_is_refused(pair: Pair) -> None:
    await pair.node.call("createQueue", "dead")
    with pytest.raises(QueueNotFoundError, match="nowhere"):
        await pair.boss.redrive("nowhere")
    with pytest.raises(QueueNotFoundError, match="nowhere"):
        await pair.boss.preview_redrive("nowhere")
    with pytest.raises(QueueNotFoundError, match="nowhere"):
        await pair.boss.cancel("nowhere", uuid4())
    with pytest.raises(InputError, match="limit"):
        await pair.boss.redrive("dead", limit=0)
    with pytest.raises(InputError, match="ids"):
        await pair.boss.redrive("dead", ids=[])
    with pytest.raises(NaiveDatetimeError):
        await pair.boss.redrive("dead", created_before=datetime(2020, 1, 1))
