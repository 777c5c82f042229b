"""What pg-boss's policies and group limits allow to run at once, kept by workers of ours; Node made the queues."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

import orjson
import pytest

from jobcore.execution.abort import Abort
from jobcore.models import Claim
from jobcore.ports.runner import ClaimSession
from jobcore_devkit.postgres import PostgresServer
from pgboss_runner.harness import App, TrivialExecutor, opened
from pgboss_runner.supervised import Node, node_boss, node_dsn_of

pytestmark = pytest.mark.node


@pytest.fixture
async def node(app: App, postgres_server: PostgresServer) -> AsyncGenerator[Node]:
    async with node_boss(node_dsn_of(app, postgres_server), schedule=False, supervise=False) as node:
        yield node


class Watch:
    """A handler that remembers how many of each kind ran at once, in which order, and fails those that are to fail."""

    def __init__(self) -> None:
        self.running: dict[str, int] = defaultdict(int)
        self.most: dict[str, int] = defaultdict(int)
        self.most_together = 0
        self.order: dict[str, list[int]] = defaultdict(list)

    async def __call__(self, claim: Claim, session: ClaimSession, abort: Abort) -> None:
        data = orjson.loads(claim.payload)
        kind = data.get("kind", "")
        self.running[kind] += 1
        self.most[kind] = max(self.most[kind], self.running[kind])
        self.most_together = max(self.most_together, sum(self.running.values()))
        self.order[kind].append(data["n"])
        await asyncio.sleep(0.03)  # long enough for others to begin beside it, if they may
        self.running[kind] -= 1
        if data.get("fails_first") and claim.attempt == 1:
            raise ValueError("not yet")


async def send(node: Node, queue: str, number: int, kind: str = "", **options: Any) -> UUID | None:
    data = {"n": number, "kind": kind, "fails_first": options.pop("fails_first", False)}
    job_id = await node.call("send", queue, data, options)
    return None if job_id is None else UUID(job_id)


async def work_all(app: App, queue: str, ids: list[UUID | None], **settings: Any) -> Watch:
    """Work these jobs with two workers until all are completed."""
    watch = Watch()
    async with (
        opened(app.dsn, **settings) as other,
        asyncio.timeout(60),
        (other if settings else app).working(TrivialExecutor({queue: watch})),
        other.working(TrivialExecutor({queue: watch})),
    ):
        await other.wait_for_status("completed", *(job_id for job_id in ids if job_id), seconds=50)
    return watch


async def test_standard_jobs_run_side_by_side(app: App, node: Node) -> None:
    await node.call("createQueue", "standard-queue", {"policy": "standard"})
    ids = [await send(node, "standard-queue", number) for number in range(10)]
    assert (await work_all(app, "standard-queue", ids)).most_together > 1


async def test_short_keeps_one_waiting_and_lets_others_run(app: App, node: Node) -> None:
    await node.call("createQueue", "short-queue", {"policy": "short"})
    first, second = await send(node, "short-queue", 1), await send(node, "short-queue", 2)
    assert second is None
    assert (await work_all(app, "short-queue", [first])).order[""] == [1]
    assert await send(node, "short-queue", 3) is not None


@pytest.mark.parametrize("policy", ["singleton", "stately"])
async def test_one_of_a_key_runs_at_a_time_and_other_keys_beside_it(app: App, node: Node, policy: str) -> None:
    await node.call("createQueue", f"{policy}-queue", {"policy": policy})
    ids = [
        await send(node, f"{policy}-queue", number, key, singletonKey=key)
        for number in range(3 if policy == "singleton" else 1)
        for key in ("a", "b", "c")
    ]
    assert None not in ids
    watch = await work_all(app, f"{policy}-queue", ids)
    assert set(watch.most.values()) == {1}
    assert watch.most_together > 1


async def test_exclusive_has_one_waiting_or_running(app: App, node: Node) -> None:
    await node.call("createQueue", "exclusive-queue", {"policy": "exclusive"})
    first, second = await send(node, "exclusive-queue", 1), await send(node, "exclusive-queue", 2)
    assert second is None
    assert (await work_all(app, "exclusive-queue", [first])).order[""] == [1]
    assert await send(node, "exclusive-queue", 3) is not None


async def test_strict_fifo_keeps_the_order_of_a_key_through_a_failure(app: App, node: Node) -> None:
    await node.call("createQueue", "fifo-queue", {"policy": "key_strict_fifo", "retryDelay": 0, "retryLimit": 2})
    ids: list[UUID | None] = []
    for number in range(4):
        for key in ("a", "b"):
            fails = {"fails_first": number == 1 and key == "a"}
            ids.append(await send(node, "fifo-queue", number, key, singletonKey=key, **fails))
    watch = await work_all(app, "fifo-queue", ids)
    assert watch.order == {"a": [0, 1, 1, 2, 3], "b": [0, 1, 2, 3]}
    assert set(watch.most.values()) == {1}
    assert watch.most_together == 2


async def test_a_group_has_so_many_running_and_its_tier_more(app: App, node: Node) -> None:
    await node.call("createQueue", "grouped")
    ids: list[UUID | None] = []
    for number in range(6):
        ids.append(await send(node, "grouped", number, "plain", group={"id": "plain"}))
        ids.append(await send(node, "grouped", number, "gold", group={"id": "gold", "tier": "gold"}))
    limits = {"grouped": {"default": 1, "tiers": {"gold": 3}}}
    watch = await work_all(app, "grouped", ids, group_limits=limits)
    assert watch.most == {"plain": 1, "gold": 3}


async def test_node_counts_what_we_run_of_a_group(app: App, node: Node) -> None:
    await node.call("createQueue", "counted")
    for number in range(2):
        await send(node, "counted", number, group={"id": "one"})
    rows = await app.rows("select job_id from jobcore.pgboss_fetch(array['counted'], 1, 300)")
    assert len(rows) == 1
    assert await node.call("fetch", "counted", {"groupConcurrency": 1}) == []
    assert len(await node.call("fetch", "counted")) == 1
