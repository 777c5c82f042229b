"""Why jobs that a real Node sent, or works, are not running."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from uuid import UUID

import pytest

from jobcore import JobApp
from jobcore.ports import Severity
from jobcore.states import JobState
from jobcore_devkit.databases import database_name
from jobcore_devkit.postgres import PostgresServer
from jobcore_postgres.migrations import migrate
from pgboss_runner.harness import TENANT, App, eventually
from pgboss_runner.supervised import Node, node_boss, node_dsn_of
from pgboss_runner.why_app import announce, asking, codes, explain, reason

pytestmark = pytest.mark.node

DATA = {"tenantId": str(TENANT)}


@pytest.fixture
async def asked(app: App) -> AsyncGenerator[JobApp]:
    async with asking(app.dsn) as asked:
        yield asked


@pytest.fixture
async def node(app: App, postgres_server: PostgresServer) -> AsyncGenerator[Node]:
    options = {"schedule": False, "supervise": False, "instanceHeartbeatSeconds": 1}
    async with node_boss(node_dsn_of(app, postgres_server), **options) as node:
        yield node


async def test_a_job_that_no_worker_of_ours_has_seen_is_found_in_the_queue(asked: JobApp, node: Node) -> None:
    await node.call("createQueue", "sent")
    job_id = await node.call("send", "sent", DATA, {"startAfter": 3_600, "retryLimit": 4})
    explanation = await explain(asked, job_id)
    assert (explanation.name, explanation.queue, explanation.status) == ("sent", "sent", JobState.QUEUED)
    assert await codes(asked, job_id) == ["no_worker", "not_due"]


async def test_a_queue_that_node_works_does_not_lack_a_worker(app: App, asked: JobApp, node: Node) -> None:
    await node.call("createQueue", "theirs")
    job_id = await node.call("send", "theirs", DATA, {"startAfter": 3_600})
    assert (await reason(asked, "no_worker", job_id)).severity is Severity.BLOCKED
    await node.call("work", "theirs", {})

    async def is_known() -> bool:
        return (await reason(asked, "no_worker", job_id)).severity is Severity.INFO

    await eventually(is_known)
    told, told_tenant = (
        await reason(asked, "no_worker", job_id),
        await reason(asked, "no_worker", job_id, operator=False),
    )
    assert "The queue 'theirs' is served by Node: " in told.summary
    assert "is served by Node, and" in told_tenant.summary
    assert told_tenant.facts["node_instances"] == 1


async def test_a_job_that_node_runs_is_told_as_running(app: App, asked: JobApp, node: Node) -> None:
    await node.call("createQueue", "busy")
    job_id = await node.call("send", "busy", DATA)
    assert len(await node.call("fetch", "busy")) == 1
    told = await reason(asked, "running", job_id)
    assert "by Node, or by a worker that has not reported its start yet" in told.summary


async def test_a_failed_head_blocks_its_key_of_a_strict_fifo_queue(app: App, asked: JobApp, node: Node) -> None:
    await node.call("createQueue", "fifo", {"policy": "key_strict_fifo", "retryLimit": 0})
    first, second, third, other = [
        await node.call("send", "fifo", DATA, {"singletonKey": key}) for key in ("a", "a", "a", "b")
    ]
    await announce(asked, "fifo")
    assert "which was sent before it and has not run" in (await reason(asked, "held_key", second)).summary
    [taken] = await node.call("fetch", "fifo")
    assert taken["id"] == first
    assert (await reason(asked, "held_key", second)).facts["held_by"] == first
    await node.call("fail", "fifo", first)
    for job_id in (second, third):
        told = await reason(asked, "held_key", job_id)
        assert told.severity is Severity.BLOCKED
        assert f"the key 'a' is held by job {first}, which has failed" in told.summary
        assert f"`jobcore jobs retry {first} --tenant {TENANT}`" in told.remedy
    assert "held_key" not in await codes(asked, other)
    assert [job["id"] for job in await node.call("fetch", "fifo", {"batchSize": 5})] == [other]


async def test_a_flows_child_names_the_parents_that_it_waits_for(app: App, asked: JobApp, node: Node) -> None:
    for queue in ("parent", "child"):
        await node.call("createQueue", queue, {"retryLimit": 0})
    sent = await node.call(
        "flow",
        [
            {"ref": "child", "name": "child", "data": DATA, "dependsOn": ["one", "two"]},
            {"ref": "one", "name": "parent", "data": DATA},
            {"ref": "two", "name": "parent", "data": DATA},
        ],
    )
    await announce(asked, "parent", "child")
    child = UUID(sent["child"])
    told = await reason(asked, "flow_parents", child)
    assert told.severity is Severity.WAITING
    assert "waits for 2 parents: " in told.summary
    assert f"{sent['one']} of parent (created)" in told.summary
    assert await codes(asked, child) == ["flow_parents"]
    jobs = await node.call("fetch", "parent", {"batchSize": 2})
    await node.call("complete", "parent", sent["one"])
    await node.call("fail", "parent", sent["two"])
    told = await reason(asked, "flow_parents", child)
    assert len(jobs) == 2
    assert told.severity is Severity.BLOCKED
    assert f"waits for 1 parent: {sent['two']} of parent (failed)" in told.summary
    await app.rows("delete from pgboss.job where id = %s returning id", UUID(sent["two"]))
    assert f"{sent['two']} of parent (deleted)" in (await reason(asked, "flow_parents", child)).summary


async def test_every_reason_can_be_looked_for_on_the_oldest_schema(
    empty_database_dsn: str, postgres_server: PostgresServer
) -> None:
    node_dsn = postgres_server.dsn(database_name(empty_database_dsn), tcp=True)
    async with node_boss(node_dsn, release="pg-boss-42", schedule=False, supervise=False) as node:
        await asyncio.to_thread(migrate, empty_database_dsn)
        await node.call("createQueue", "old")
        job_id = await node.call("send", "old", DATA)
        async with asking(empty_database_dsn, group_limits={"old": {"default": 1}}) as asked:
            assert await codes(asked, job_id) == ["no_worker"]
            await node.call("fetch", "old")
            assert await codes(asked, job_id) == ["running"]
