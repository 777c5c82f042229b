"""How long a job that Node sent waits between its attempts, whoever failed the last one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

import pytest

from jobcore import JobContext, Retry, job
from jobcore.app.facade import JobApp
from jobcore.settings import Settings
from jobcore_devkit.postgres import PostgresServer
from pgboss_runner.harness import App, eventually
from pgboss_runner.supervised import Node, node_boss, node_dsn_of

TOLERANCE = 5
"""Seconds between a failure and our look at it, at most."""
CASES: dict[str, tuple[dict[str, Any], list[tuple[float, float]]]] = {
    "doubling": ({"retryDelay": 100, "retryBackoff": True}, [(100, 200), (200, 400)]),
    "constant": ({"retryDelay": 100}, [(100, 100), (100, 100)]),
    "bounded": ({"retryDelay": 100, "retryBackoff": True, "retryDelayMax": 150}, [(100, 150), (150, 150)]),
}

pytestmark = pytest.mark.node


@job("stumbles")
async def stumbles(ctx: JobContext, data: dict[str, Any]) -> None:
    raise RuntimeError("again")


@pytest.fixture
async def node(app: App, postgres_server: PostgresServer) -> AsyncGenerator[Node]:
    async with node_boss(node_dsn_of(app, postgres_server), schedule=False, supervise=False) as node:
        await node.call("createQueue", "stumbles", {"retryLimit": 2})
        yield node


@pytest.fixture
async def worked(app: App) -> AsyncGenerator[None]:
    """A worker of ours with the real executor, whose default policy waits one second, then two."""
    settings = Settings.load(env={"DATABASE_URL": app.dsn, "JOBCORE_PGBOSS__POLL_INTERVAL_SECONDS": "0.2"})
    async with JobApp(settings, handlers=[stumbles, hurried]) as application:
        worker = application.worker()
        await worker.start()
        yield
        await worker.stop()


async def seconds_to_wait(app: App, job_id: UUID, attempt: int) -> float:
    """Wait until this attempt has failed; return the seconds to the next, and make it due."""

    async def has_failed() -> bool:
        return bool(
            await app.rows(
                "select from pgboss.job where id = %s and state = 'retry' and retry_count = %s", job_id, attempt - 1
            )
        )

    await eventually(has_failed)
    (row,) = await app.rows(
        "select extract(epoch from start_after - pgboss.job_now())::float8 as wait from pgboss.job where id = %s",
        job_id,
    )
    await app.rows("update pgboss.job set start_after = pgboss.job_now() where id = %s returning id", job_id)
    return row["wait"]


def assert_within(waits: list[float], bounds: list[tuple[float, float]]) -> None:
    for wait, (least, most) in zip(waits, bounds, strict=True):
        assert least - TOLERANCE <= wait <= most


@pytest.mark.parametrize(("options", "bounds"), CASES.values(), ids=CASES)
async def test_node_waits_so_long(
    app: App, node: Node, options: dict[str, Any], bounds: list[tuple[float, float]]
) -> None:
    job_id = UUID(await node.call("send", "stumbles", {}, options))
    waits: list[float] = []
    for attempt in (1, 2):
        await node.call("fetch", "stumbles")
        await node.call("fail", "stumbles", str(job_id))
        waits.append(await seconds_to_wait(app, job_id, attempt))
    assert_within(waits, bounds)


@pytest.mark.parametrize(("options", "bounds"), CASES.values(), ids=CASES)
async def test_we_wait_as_long_as_node(
    app: App, node: Node, worked: None, options: dict[str, Any], bounds: list[tuple[float, float]]
) -> None:
    job_id = UUID(await node.call("send", "stumbles", {}, options))
    assert_within([await seconds_to_wait(app, job_id, attempt) for attempt in (1, 2)], bounds)
    await app.wait_for_status("failed", job_id)


async def test_without_a_delay_we_try_again_at_once_as_node_does(app: App, node: Node, worked: None) -> None:
    job_id = UUID(await node.call("send", "stumbles", {}))
    await app.wait_for_status("failed", job_id)
    (row,) = await app.rows(
        "select attempt, extract(epoch from completed_at - created_at)::float8 as took from jobs where job_id = %s",
        job_id,
    )
    assert row["attempt"] == 3
    assert row["took"] < 3  # the handler's own policy would have waited as long


@job("hurried")
async def hurried(ctx: JobContext, data: dict[str, Any]) -> None:
    if ctx.attempt == 1:
        raise Retry
    await asyncio.sleep(0)


async def test_a_job_that_we_sent_waits_as_its_handlers_policy_says(app: App, node: Node, worked: None) -> None:
    """Whatever Node's queue says."""
    await node.call("createQueue", "hurried", {"retryDelay": 3600})
    (job_id,) = await app.enqueue("hurried")
    await app.wait_for_status("completed", job_id)
