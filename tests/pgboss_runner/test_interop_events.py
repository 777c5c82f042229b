"""What Node sends without naming our queue: events, schedules in a time zone, and the children of flows."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
import pytest

from jobcore_devkit.postgres import PostgresServer
from pgboss_runner.harness import App, TrivialExecutor, eventually, noop, opened
from pgboss_runner.supervised import QUIET, Node, busy, node_boss, node_dsn_of

FARAWAY = ZoneInfo("Pacific/Kiritimati")
"""Fourteen hours ahead of UTC."""

pytestmark = pytest.mark.node


@pytest.fixture
async def node(app: App, postgres_server: PostgresServer) -> AsyncGenerator[Node]:
    async with node_boss(node_dsn_of(app, postgres_server), schedule=False, supervise=False) as node:
        yield node


async def test_what_node_publishes_we_work_in_every_queue_that_subscribed(app: App, node: Node) -> None:
    executor = TrivialExecutor({"send-welcome": noop, "count-user": noop, "left": noop})
    async with app.working(executor):  # which makes the queues
        for queue in executor.works:
            await node.call("subscribe", "user-created", queue)
        await node.call("unsubscribe", "user-created", "left")
        await node.call("publish", "user-created", {"n": 7}, {"priority": 3})
        await executor.wait_started(2)
        await eventually(lambda: all_done(app, 2))
    assert sorted(claim.name for claim in executor.started) == ["count-user", "send-welcome"]
    assert {(claim.priority, claim.payload) for claim in executor.started} == {(3, b'{"n": 7}')}


async def all_done(app: App, wanted: int) -> bool:
    rows = await app.rows("select status from public.jobs")
    return [row["status"] for row in rows] == ["completed"] * wanted


async def test_a_schedule_that_node_wrote_is_fired_by_us_in_its_time_zone(app: App, node: Node) -> None:
    """Both say this hour or the next of a day, far from here; only one means it."""
    now = datetime.now(UTC).astimezone(FARAWAY)
    cron = f"* {now.hour},{(now + timedelta(hours=1)).hour} * * *"
    await node.call("createQueue", "daily")
    await node.call("schedule", "daily", cron, {"due": True}, {"tz": FARAWAY.key, "key": "faraway", "priority": 5})
    await node.call("schedule", "daily", cron, {"due": False}, {"tz": "UTC", "key": "here"})
    executor = TrivialExecutor({"daily": noop})
    settings = busy(enabled=False, cron_interval_seconds=0.2)
    async with opened(app.dsn, supervision=settings) as firing, firing.working(executor):
        await executor.wait_started(1)
        await eventually(lambda: is_told(app))
    assert [(orjson.loads(claim.payload), claim.priority) for claim in executor.started] == [({"due": True}, 5)]
    (seen,) = await node.call("getSchedules", "daily", "faraway")
    assert seen["lastJobId"] == str(executor.started[0].job_id)
    await node.call("unschedule", "daily", "faraway")
    assert [row["key"] for row in await node.call("getSchedules", "daily")] == ["here"]


async def is_told(app: App) -> bool:
    return bool(await app.rows("select from pgboss.schedule where last_job_id is not null"))


async def test_node_lets_a_child_run_once_we_worked_its_parent(app: App, postgres_server: PostgresServer) -> None:
    """Our workers see to no flows here."""
    async with node_boss(node_dsn_of(app, postgres_server), flowIntervalSeconds=1, schedule=False) as node:
        for queue in ("parent", "child"):
            await node.call("createQueue", queue)
        await app.rows("insert into jobcore.pgboss_queues values ('parent', true) returning name")
        sent = await node.call(
            "flow",
            [{"ref": "a", "name": "parent"}, {"ref": "b", "name": "child", "dependsOn": ["a"]}],
        )
        await node.call("work", "child")
        async with opened(app.dsn, supervision=QUIET) as working, working.working(TrivialExecutor({"parent": noop})):
            await app.wait_for_status("completed", UUID(sent["a"]))
        await eventually(lambda: is_completed(app, sent["b"]), seconds=20)


async def is_completed(app: App, job_id: str) -> bool:
    return bool(await app.rows("select from pgboss.job where id = %s and state = 'completed'", job_id))


async def test_we_count_what_node_runs_of_a_group(app: App, node: Node) -> None:
    await node.call("createQueue", "counted")
    ids = [UUID(await node.call("send", "counted", {"n": n}, {"group": {"id": "one"}})) for n in range(2)]
    (running,) = await node.call("fetch", "counted")
    executor = TrivialExecutor({"counted": noop, "other": noop})
    limits = {"counted": {"default": 1}}
    async with opened(app.dsn, group_limits=limits) as limited, limited.working(executor):
        (other,) = await limited.enqueue("other")
        await limited.wait_for_status("completed", other)
        assert [claim.name for claim in executor.started] == ["other"]
        await node.call("complete", "counted", running["id"])
        await limited.wait_for_status("completed", *(job_id for job_id in ids if str(job_id) != running["id"]))
