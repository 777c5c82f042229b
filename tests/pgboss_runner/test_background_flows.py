"""Flows that Node sent, led on by a worker of ours."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from jobcore_devkit.postgres import PostgresServer
from pgboss_runner.harness import App, TrivialExecutor, noop, opened
from pgboss_runner.supervised import busy, node_boss, node_dsn_of


@pytest.mark.node
async def test_a_child_runs_after_all_its_parents(app: App, postgres_server: PostgresServer) -> None:
    """Two parents, one worked by Node and one by us; no Node is left when the child becomes free."""
    async with node_boss(node_dsn_of(app, postgres_server), schedule=False, supervise=False) as node:
        for queue in ("parent", "other-parent", "child"):
            await node.call("createQueue", queue)
        sent = await node.call(
            "flow",
            [
                {"ref": "child", "name": "child", "dependsOn": ["one", "two"]},
                {"ref": "one", "name": "parent"},
                {"ref": "two", "name": "other-parent"},
            ],
        )
        ids = {ref: UUID(job_id) for ref, job_id in sent.items()}
        (job,) = await node.call("fetch", "other-parent")
        await node.call("complete", "other-parent", job["id"])

    executor = TrivialExecutor({"parent": noop, "child": noop})
    async with opened(app.dsn, supervision=busy()) as leading, leading.working(executor):
        await app.wait_for_status("completed", ids["one"], ids["two"], ids["child"])
    assert [claim.name for claim in executor.started] == ["parent", "child"]
    assert await app.rows("select from pgboss.job where blocking or blocked or pending_dependencies > 0") == []


async def test_one_pass_an_interval_is_taken(app: App) -> None:
    taken = await asyncio.gather(*(app.rows("select jobcore.pgboss_flow_claim(30)") for _ in range(6)))
    assert sorted(len(rows) for rows in taken) == [0, 0, 0, 0, 0, 1]
