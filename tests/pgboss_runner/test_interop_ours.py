"""Jobs of ours in Node's hands: under the policies of its queues, its group limits, and in tables of their own."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import timedelta
from uuid import UUID

import pytest

from jobcore.ids import uuid7
from jobcore.models import Schedule
from jobcore_devkit.postgres import PostgresServer
from jobcore_pgboss.refusals import QueueRefusalError
from pgboss_runner.harness import TENANT, App, TrivialExecutor, new_job, noop
from pgboss_runner.supervised import Node, node_boss, node_dsn_of

OTHER = UUID("22222222-2222-7222-8222-222222222222")

pytestmark = pytest.mark.node


@pytest.fixture
async def node(app: App, postgres_server: PostgresServer) -> AsyncGenerator[Node]:
    async with node_boss(node_dsn_of(app, postgres_server), schedule=False, supervise=False) as node:
        yield node


async def is_let_in(app: App, node: Node, sender: str, queue: str) -> bool:
    """Send a job, and tell whether the queue took it."""
    if sender == "node":
        return await node.call("send", queue, {"n": 1}) is not None
    try:
        await app.enqueue(queue)
    except QueueRefusalError as refusal:
        assert "pg-boss refuses another job while one is" in str(refusal)  # noqa: PT017 - the others are let in
        return False
    return True


@pytest.mark.parametrize("policy", ["standard", "short", "singleton", "stately", "exclusive"])
async def test_a_policy_lets_in_of_ours_what_it_lets_in_of_nodes(app: App, node: Node, policy: str) -> None:
    seen: dict[str, list[object]] = {}
    for sender in ("node", "us"):
        queue = f"of-{sender}"
        await node.call("createQueue", queue, {"policy": policy})
        found: list[object] = [await is_let_in(app, node, sender, queue) for _ in range(2)]
        (first, *more) = await node.call("fetch", queue, {"batchSize": 5})
        found += [len(more), await is_let_in(app, node, sender, queue), await is_let_in(app, node, sender, queue)]
        found.append(len(await node.call("fetch", queue)))
        await node.call("complete", queue, first["id"])
        found += [await is_let_in(app, node, sender, queue), len(await node.call("fetch", queue))]
        seen[sender] = found
    assert seen["us"] == seen["node"]
    refused = await app.rows("select from public.jobs b where type = 'of-us' and not exists (select from pgboss.job j"
                             " where j.id = b.job_id)")  # fmt: skip
    assert refused == []  # nothing stays behind of what was not let in


async def test_a_queue_of_strict_order_tells_that_it_wants_keys(app: App, node: Node) -> None:
    await node.call("createQueue", "in-order", {"policy": "key_strict_fifo"})
    with pytest.raises(QueueRefusalError, match="takes only jobs with a singletonKey"):
        await app.enqueue("in-order")
    assert await app.rows("select from public.jobs") == []


async def test_a_refused_job_takes_none_of_its_batch_along_but_its_callers(app: App, node: Node) -> None:
    await node.call("createQueue", "narrow", {"policy": "short"})
    with pytest.raises(QueueRefusalError):
        await app.runner.submit([new_job("wide"), new_job("narrow"), new_job("narrow")])
    assert await app.rows("select from public.jobs") == []


async def test_a_schedule_that_a_policy_lets_not_in_holds_up_no_other(app: App, node: Node) -> None:
    await node.call("createQueue", "narrow", {"policy": "short"})
    await node.call("send", "narrow", {"n": 1})
    for handler in ("narrow", "wide"):
        await app.store.put_schedule(
            Schedule(
                tenant=TENANT,
                schedule_id=uuid7(),
                key=handler,
                name=handler,
                handler=handler,
                interval=timedelta(seconds=1),
            )
        )
    executor = TrivialExecutor({"wide": noop})
    async with app.working(executor):
        await executor.wait_started(2)
    assert await app.rows("select from public.jobs where type = 'narrow'") == []


async def test_a_tenant_is_a_group_to_node(app: App, node: Node) -> None:
    await node.call("createQueue", "tenants")
    for tenant in (TENANT, OTHER):
        await app.enqueue("tenants", count=3, tenant=tenant, payload={"tenantId": str(tenant)})
    fetched = await node.call(
        "fetch", "tenants", {"batchSize": 6, "groupConcurrency": {"default": 2}, "includeMetadata": True}
    )
    assert sorted(job["groupId"] for job in fetched) == sorted([str(TENANT), str(OTHER)] * 2)


async def test_jobs_of_ours_are_worked_by_node_in_a_table_of_their_own(app: App, node: Node) -> None:
    await node.call("createQueue", "own-table", {"partition": True})
    (job_id,) = await app.enqueue("own-table")
    (fetched,) = await node.call("fetch", "own-table")
    await node.call("complete", "own-table", str(job_id), {"by": "node"})
    assert fetched["id"] == str(job_id)
    (row,) = await app.rows("select tableoid::regclass::text as place, output from pgboss.job where id = %s", job_id)
    assert row["place"] != "pgboss.job_common"
    assert row["output"] == {"by": "node"}
