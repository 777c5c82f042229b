"""One queue, worked by a real Node and by us: what one side does to a job, the other side sees."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

import orjson
import pytest

from jobcore.execution.abort import Abort
from jobcore.models import Claim
from jobcore.ports.runner import ClaimSession
from jobcore_devkit.postgres import PostgresServer
from pgboss_runner.harness import TENANT, App, TrivialExecutor, eventually, noop, opened
from pgboss_runner.supervised import Node, busy, node_boss, node_dsn_of

pytestmark = pytest.mark.node


@pytest.fixture
async def node(app: App, postgres_server: PostgresServer) -> AsyncGenerator[Node]:
    """A Node that minds nothing but what the test tells it."""
    async with node_boss(node_dsn_of(app, postgres_server), schedule=False, supervise=False) as node:
        yield node


async def doubled(claim: Claim, session: ClaimSession, abort: Abort) -> Any:
    return {"doubled": 2 * orjson.loads(claim.payload)["n"]}


def failing(times: int) -> Any:
    left = times

    async def fails(claim: Claim, session: ClaimSession, abort: Abort) -> Any:
        nonlocal left
        left -= 1
        if left >= 0:
            raise ValueError("not yet")
        return {"after": times}

    return fails


async def queue_row(app: App, job_id: UUID) -> dict[str, Any]:
    (row,) = await app.queue_rows(job_id)
    return row


async def test_node_reads_what_our_handler_returned(app: App, node: Node) -> None:
    await node.call("createQueue", "double")
    job_id = UUID(await node.call("send", "double", {"n": 21}))
    async with app.working(TrivialExecutor({"double": doubled})):
        await app.wait_for_status("completed", job_id)
    seen = await node.call("getJobById", "double", str(job_id))
    assert (seen["state"], seen["output"], seen["data"]) == ("completed", {"doubled": 42}, {"n": 21})


async def test_we_retry_as_often_as_node_asked(app: App, node: Node) -> None:
    await node.call("createQueue", "twice-bad")
    job_id = UUID(await node.call("send", "twice-bad", {}, {"retryLimit": 3, "retryDelay": 1, "retryBackoff": True}))
    async with app.working(TrivialExecutor({"twice-bad": failing(2)})):
        await app.wait_for_status("completed", job_id)
    seen = await node.call("getJobById", "twice-bad", str(job_id))
    assert (seen["state"], seen["retryCount"]) == ("completed", 2)
    job = await app.job(job_id)
    assert (job["attempt"], job["max_attempts"], job["result"]) == (3, 4, {"after": 2})


async def test_a_failure_in_node_loses_nothing_of_ours(app: App, node: Node) -> None:
    await app.enqueue("shared")  # makes the queue
    (job_id,) = await app.enqueue(
        "shared", payload={"tenantId": str(TENANT), "n": 1}, metadata={"kept": True}, priority=7, max_attempts=4
    )
    before = await app.job(job_id)
    (claimed,) = await node.call("fetch", "shared")
    assert claimed["id"] == str(job_id)  # the higher priority
    await node.call("fail", "shared", str(job_id), {"message": "no"})

    row = await queue_row(app, job_id)
    assert (row["state"], row["priority"], row["group_id"]) == ("retry", 7, str(TENANT))
    assert await app.job(job_id) == before
    async with app.working(TrivialExecutor({"shared": noop})):
        await app.wait_for_status("completed", job_id)
    job = await app.job(job_id)
    assert (job["metadata"], job["tenant"], job["attempt"]) == ({"kept": True}, TENANT, 2)


async def test_node_redrives_what_we_buried(app: App, node: Node) -> None:
    await node.call("createQueue", "graves")
    await node.call("createQueue", "deadly", {"deadLetter": "graves", "retryLimit": 0})
    job_id = UUID(await node.call("send", "deadly", {"n": 3}))
    async with app.working(TrivialExecutor({"deadly": failing(1)})):
        await app.wait_for_status("failed", job_id)
        (copy,) = await node.call("fetch", "graves", {"includeMetadata": True})
        assert (copy["data"], copy["sourceName"], copy["sourceId"]) == ({"n": 3}, "deadly", str(job_id))
        await node.call("fail", "graves", copy["id"])
        await node.call("retry", "graves", copy["id"])
        assert await node.call("redrive", "graves") is not None

        async def is_back() -> bool:
            rows = await app.rows("select status from public.jobs where type = 'deadly' and job_id <> %s", job_id)
            return [row["status"] for row in rows] == ["completed"]

        await eventually(is_back)


async def test_what_node_cancels_waits_until_node_resumes_it(app: App, node: Node) -> None:
    await app.enqueue("pausing")
    (job_id,) = await app.enqueue("pausing")
    await node.call("cancel", "pausing", str(job_id))
    executor = TrivialExecutor({"pausing": noop})
    async with opened(app.dsn, supervision=busy()) as mirroring, mirroring.working(executor):
        await app.wait_for_status("cancelled", job_id)
        assert all(claim.job_id != job_id for claim in executor.started)
        await node.call("resume", "pausing", str(job_id))
        await app.wait_for_status("completed", job_id)


async def test_node_sees_what_we_cancelled_and_what_we_tried_again(app: App, node: Node) -> None:
    await node.call("createQueue", "ours-to-stop")
    (job_id,) = await app.enqueue("ours-to-stop")
    assert await app.runner.cancel(TENANT, job_id, reason="no longer", cancelled_by="test")
    assert (await node.call("getJobById", "ours-to-stop", str(job_id)))["state"] == "cancelled"
    assert await node.call("fetch", "ours-to-stop") == []
    assert await app.runner.retry(TENANT, job_id)
    (again,) = await node.call("fetch", "ours-to-stop")
    assert again["id"] == str(job_id)


@pytest.mark.parametrize("sender", ["node", "us"])
async def test_the_more_important_goes_first_and_the_delayed_waits(app: App, node: Node, sender: str) -> None:
    await node.call("createQueue", "ordered")
    wanted = [("late", 9, 3600), ("third", 1, 0), ("first", 5, 0), ("second", 2, 0)]
    for name, priority, delay in wanted:
        if sender == "node":
            await node.call("send", "ordered", {"name": name}, {"priority": priority, "startAfter": delay})
        else:
            await app.rows(
                "select jobcore.enqueue('ordered', jsonb_build_object('tenantId', %s::text, 'name', %s::text),"
                " jsonb_build_object('priority', %s::int, 'delay', %s::float8))",
                str(TENANT),
                name,
                priority,
                delay,
            )
    if sender == "us":
        fetched = await node.call("fetch", "ordered", {"batchSize": 10})
        names = {job["data"]["name"]: position for position, job in enumerate(fetched)}
        assert set(names) == {"first", "second", "third"}
        return
    executor = TrivialExecutor({"ordered": noop})
    async with app.working(executor, concurrency=1):
        await executor.wait_started(3)
    assert [orjson.loads(claim.payload)["name"] for claim in executor.started] == ["first", "second", "third"]


async def test_throttled_and_debounced_jobs_of_node_run_once_a_slot(app: App, node: Node) -> None:
    await node.call("createQueue", "slots")
    first = await node.call("sendThrottled", "slots", {"n": 1}, None, 3600)
    assert await node.call("sendThrottled", "slots", {"n": 2}, None, 3600) is None
    executor = TrivialExecutor({"slots": noop})
    async with app.working(executor):
        await app.wait_for_status("completed", UUID(first))
    assert (await queue_row(app, UUID(first)))["state"] == "completed"  # the slot stays taken
    assert await node.call("sendThrottled", "slots", {"n": 3}, None, 3600) is None
    later = await node.call("sendDebounced", "slots", {"n": 4}, None, 3600, "other")
    assert (await node.call("getJobById", "slots", later))["state"] == "created"


async def test_a_child_of_nodes_flow_runs_after_its_parents(app: App, node: Node) -> None:
    for queue in ("parent", "child"):
        await node.call("createQueue", queue)
    await node.call(
        "flow",
        [
            {"ref": "a", "name": "parent", "data": {"n": 1}},
            {"ref": "b", "name": "child", "data": {"n": 2}, "dependsOn": ["a"]},
        ],
    )
    order: list[str] = []

    async def noted(claim: Claim, session: ClaimSession, abort: Abort) -> None:
        order.append(claim.name)

    executor = TrivialExecutor({"parent": noted, "child": noted})
    async with opened(app.dsn, supervision=busy()) as serving, serving.working(executor):
        await executor.wait_started(2)
    assert order == ["parent", "child"]


async def test_our_notification_wakes_a_node_that_seldom_polls(app: App, postgres_server: PostgresServer) -> None:
    await app.enqueue("told")  # makes the queue, with notifications
    options = {"useListenNotify": True, "schedule": False, "supervise": False}
    async with node_boss(node_dsn_of(app, postgres_server), **options) as listening:
        await listening.call("work", "told", {"pollingIntervalSeconds": 3600, "notify": True})
        (job_id,) = await app.enqueue("told")
        await eventually(lambda: is_done_in_queue(app, job_id), seconds=20)


async def is_done_in_queue(app: App, job_id: UUID) -> bool:
    return (await queue_row(app, job_id))["state"] == "completed"


async def test_node_and_we_share_a_queue_and_each_job_runs_once(app: App, node: Node) -> None:
    await node.call("createQueue", "both")
    await node.call("work", "both", {"pollingIntervalSeconds": 0.5})
    ours = await app.enqueue("both", count=60)
    theirs = [UUID(await node.call("send", "both", {"n": n})) for n in range(40)]
    executor = TrivialExecutor({"both": noop})
    async with opened(app.dsn, supervision=busy()) as serving, serving.working(executor):
        await serving.wait_for_status("completed", *ours, *theirs, seconds=60)
    started = [claim.job_id for claim in executor.started]
    assert len(started) == len(set(started))
    rows = await app.queue_rows(*ours, *theirs)
    by_node = {row["id"] for row in rows if (row["output"] or {}).get("by") == "node"}
    assert by_node.isdisjoint(started)
    assert by_node | set(started) == {*ours, *theirs}


async def test_jobs_in_a_table_of_their_own_are_worked(app: App, node: Node) -> None:
    await node.call("createQueue", "own-table", {"partition": True})
    theirs = UUID(await node.call("send", "own-table", {"n": 5}))
    (ours,) = await app.enqueue("own-table", payload={"tenantId": str(TENANT), "n": 6})
    async with app.working(TrivialExecutor({"own-table": doubled})):
        await app.wait_for_status("completed", theirs, ours)
    assert (await node.call("getJobById", "own-table", str(ours)))["output"] == {"doubled": 12}
