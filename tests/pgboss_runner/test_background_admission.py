"""Jobs with limits that Node's workers run: what they held is free as soon as Node's end of them is seen."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

import pytest

from jobcore.models import Admission, Gate
from jobcore_devkit.postgres import PostgresServer
from pgboss_runner.harness import TENANT, App, TrivialExecutor, eventually, noop, opened
from pgboss_runner.supervised import Node, busy, node_boss, node_dsn_of

ONE_AT_A_TIME = Admission(gates=(Gate(name="one", limit=1),))
NODE: dict[str, Any] = {"schedule": False, "supervise": False}
PROMPT = 5.0
"""Seconds from Node's end of a job to the next one's place in the queue; the mirror looks every 0.1 s here."""

pytestmark = pytest.mark.node


@pytest.fixture
async def node(app: App, postgres_server: PostgresServer) -> AsyncGenerator[Node]:
    """A Node beside a worker of ours, which admits and mirrors, and runs none of these jobs."""
    async with (
        node_boss(node_dsn_of(app, postgres_server), **NODE) as node,
        opened(app.dsn, supervision=busy(schedule=False)) as ours,
        ours.working(TrivialExecutor({"noop": noop})),
    ):
        yield node


async def two_jobs(app: App, **payload: Any) -> list[UUID]:
    """Two jobs of which one at a time may be in the queue; the first one is."""
    payload = {"tenantId": str(TENANT), **payload}
    jobs = await app.enqueue("by-node", payload=payload, max_attempts=1, admission=ONE_AT_A_TIME, count=2)
    await eventually(lambda: is_queued(app, jobs[0]))
    assert not await is_queued(app, jobs[1])
    return jobs


async def is_queued(app: App, job_id: UUID) -> bool:
    return bool(await app.rows("select from pgboss.job where id = %s", job_id))


async def seconds_to_the_next(app: App, first: UUID, second: UUID) -> float:
    (row,) = await app.rows(
        "select extract(epoch from s.taken_at - j.completed_at) as seconds from jobs j, jobcore.slots s "
        "where j.job_id = %s and s.job_id = %s",
        first,
        second,
    )
    return float(row["seconds"])


async def assert_nothing_is_held(app: App) -> None:
    assert await app.rows("select from jobcore.slots union all select from jobcore.admissions") == []


@pytest.mark.parametrize(("payload", "end"), [({}, "completed"), ({"fail": True}, "failed")])
async def test_one_that_node_worked_lets_the_next_one_pass(
    app: App, node: Node, payload: dict[str, Any], end: str
) -> None:
    first, second = await two_jobs(app, **payload)
    await node.call("work", "by-node")
    await app.wait_for_status(end, first, second, seconds=30)
    await assert_nothing_is_held(app)


@pytest.mark.parametrize(("method", "end"), [("complete", "completed"), ("fail", "failed")])
async def test_the_next_one_is_admitted_as_soon_as_the_mirror_looks(
    app: App, node: Node, method: str, end: str, record_property: Any
) -> None:
    first, second = await two_jobs(app)
    await node.call("fetch", "by-node")
    await node.call(method, "by-node", str(first))
    await app.wait_for_status(end, first)
    await eventually(lambda: is_queued(app, second))
    seconds = await seconds_to_the_next(app, first, second)
    record_property("seconds_to_the_next", seconds)
    assert seconds < PROMPT


@pytest.mark.parametrize("method", ["cancel", "deleteJob"])
async def test_one_that_node_cancels_or_deletes_lets_the_next_one_pass(app: App, node: Node, method: str) -> None:
    first, second = await two_jobs(app)
    await node.call(method, "by-node", str(first))
    await app.wait_for_status("cancelled", first)
    await eventually(lambda: is_queued(app, second))
    await node.call("work", "by-node")
    await app.wait_for_status("completed", second, seconds=30)
    await assert_nothing_is_held(app)
