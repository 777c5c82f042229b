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


FILTERS: dict[str, tuple[dict[str, Any], dict[str, Any], list[int]]] = {
    "least": ({"min_priority": 0}, {"minPriority": 0}, [2, 1, 0]),
    "most": ({"max_priority": 1}, {"maxPriority": 1}, [1, 0, -1]),
    "between": ({"min_priority": 0, "max_priority": 1}, {"minPriority": 0, "maxPriority": 1}, [1, 0]),
    "just one": ({"min_priority": 1, "max_priority": 1}, {"minPriority": 1, "maxPriority": 1}, [1]),
    "not due": ({"ignore_start_after": True}, {"ignoreStartAfter": True}, [5, 2, 1, 0, -1]),
    "due": ({"ignore_start_after": False}, {"ignoreStartAfter": False}, [2, 1, 0, -1]),
    "groups": ({"ignore_groups": ["g2", "g1", "none"]}, {"ignoreGroups": ["g2", "g1", "none"]}, [0, -1]),
    "no groups": ({"ignore_groups": []}, {"ignoreGroups": []}, [2, 1, 0, -1]),
    "null groups": ({"ignore_groups": None}, {"ignoreGroups": None}, [2, 1, 0, -1]),
    "all": (
        {"ignore_start_after": True, "min_priority": 2, "ignore_groups": ["g2"], "group_concurrency": 1},
        {"ignoreStartAfter": True, "minPriority": 2, "ignoreGroups": ["g2"], "groupConcurrency": 1},
        [5],
    ),
}


@pytest.mark.parametrize("policy", ["standard", "singleton", "stately", "key_strict_fifo"])
@pytest.mark.parametrize(("ours", "theirs", "expected"), FILTERS.values(), ids=FILTERS)
async def test_a_filtered_fetch_gives_out_what_nodes_gives_out(
    pair: Pair, policy: str, ours: dict[str, Any], theirs: dict[str, Any], expected: list[int]
) -> None:
    """The jobs of the priorities that are expected, in their order."""
    for queue in ("ours", "theirs"):
        await pair.boss.create_queue(queue, policy=policy)
        for priority in (-1, 0, 1, 2, 5):
            options = {"priority": priority, "singletonKey": str(priority), "startAfter": 600 if priority == 5 else 0}
            group = {"group": {"id": f"g{priority}"}} if priority > 0 else {}
            await pair.node.call("send", queue, {"n": priority}, {**options, **group})
    found = await pair.boss.fetch("ours", batch_size=9, include_metadata=True, **ours)
    by_node = await pair.node.call("fetch", "theirs", {"batchSize": 9, **theirs})
    assert [job.priority for job in found] == expected
    assert sorted((job["data"]["n"] for job in by_node), reverse=True) == expected


async def test_a_key_in_strict_order_is_not_overtaken_by_a_filter(pair: Pair) -> None:
    await pair.boss.create_queue("strict", policy="key_strict_fifo")
    first = await pair.boss.send("strict", singleton_key="k", start_after=600)
    await pair.boss.send("strict", singleton_key="k", priority=9)
    (job,) = await pair.boss.fetch("strict", batch_size=5, ignore_start_after=True)
    assert job.id == first
    assert await pair.boss.fetch("strict", min_priority=9) == []
    assert await pair.node.call("fetch", "strict", {"minPriority": 9}) == []


async def test_to_fetch_without_priority_does_nothing_but_warn(pair: Pair) -> None:
    await pair.boss.create_queue("mail")
    await pair.boss.send("mail")
    first = await pair.boss.send("mail", priority=1)
    with pytest.warns(DeprecationWarning, match="priority=False"):
        assert [job.id for job in await pair.boss.fetch("mail", priority=False)] == [first]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"batch_size": 1.5}, {"batchSize": 1.5}),
        ({"batch_size": 0}, {"batchSize": 0}),
        ({"min_priority": 0.5}, {"minPriority": 0.5}),
        ({"max_priority": "1"}, {"maxPriority": "1"}),
        ({"min_priority": 2, "max_priority": 1}, {"minPriority": 2, "maxPriority": 1}),
        ({"ignore_start_after": "yes"}, {"ignoreStartAfter": "yes"}),
        ({"priority": "no"}, {"priority": "no"}),
        ({"ignore_groups": "g1"}, {"ignoreGroups": "g1"}),
    ],
)
async def test_filters_that_node_refuses_are_refused(pair: Pair, ours: Any, theirs: Any) -> None:
    await pair.boss.create_queue("mail")
    with pytest.raises(InputError, match=next(iter(ours))):
        await pair.boss.fetch("mail", **ours)
    assert await pair.node.refusal("fetch", "mail", theirs) is not None


async def test_what_cannot_be_meant_is_refused(pair: Pair) -> None:
    await pair.boss.create_queue("mail")
    with pytest.raises(InputError, match="batch_size"):
        await pair.boss.fetch("mail", batch_size=0)
    wrong: Any = {"batchSize": 5}
    with pytest.raises(InputError, match="unknown options: batchSize"):
        await pair.boss.fetch("mail", **wrong)
    with pytest.raises(InputError, match="group_concurrency"):
        await pair.boss.fetch("mail", group_concurrency=0)
    with pytest.raises(QueueNotFoundError, match="nowhere"):
        await pair.boss.fetch("nowhere")
