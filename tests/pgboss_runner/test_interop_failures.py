"""What fails on one side of a shared queue: how long it waits, where its copy lands, and who sweeps whose jobs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from jobcore.execution.abort import Abort
from jobcore.models import Claim, Outcome
from jobcore.ports.runner import ClaimSession
from jobcore_devkit.postgres import PostgresServer
from pgboss_runner.harness import TENANT, Again, App, TrivialExecutor, eventually, noop, opened
from pgboss_runner.supervised import Node, busy, node_boss, node_dsn_of
from pgboss_runner.test_interop_life import failing, queue_row

OF_ITS_OWN = {
    "id",
    "createdOn",
    "startAfter",
    "keepUntil",
    "sourceId",
    "sourceCreatedOn",
    "sourceOutput",
    "sourceRootId",
}

pytestmark = pytest.mark.node


@pytest.fixture
async def node(app: App, postgres_server: PostgresServer) -> AsyncGenerator[Node]:
    async with node_boss(node_dsn_of(app, postgres_server), schedule=False, supervise=False) as node:
        yield node


async def test_our_copy_in_a_dead_letter_queue_is_the_one_that_node_makes(app: App, node: Node) -> None:
    await node.call("createQueue", "graves", {"retryLimit": 5, "expireInSeconds": 99, "heartbeatSeconds": 33})
    await node.call("createQueue", "deadly", {"deadLetter": "graves", "retryLimit": 0})
    options = {"priority": 4, "singletonKey": "k", "group": {"id": "g", "tier": "t"}}
    theirs = await node.call("send", "deadly", {"n": 1}, options)
    await node.call("fetch", "deadly")
    await node.call("fail", "deadly", theirs, {"message": "not yet"})
    (of_node,) = await node.call("fetch", "graves", {"includeMetadata": True})
    ours = await node.call("send", "deadly", {"n": 1}, options)
    async with app.working(TrivialExecutor({"deadly": failing(1)})):
        await app.wait_for_status("failed", UUID(ours))
    (of_us,) = await node.call("fetch", "graves", {"includeMetadata": True})
    alike = {key for key in of_node if key not in OF_ITS_OWN and not key.endswith("On")}
    assert {key: of_us[key] for key in alike} == {key: of_node[key] for key in alike}
    assert (of_us["sourceId"], of_us["sourceRootId"], of_us["output"]) == (ours, ours, None)
    assert of_us["sourceOutput"]["message"] == of_node["sourceOutput"]["message"] == "not yet"


async def test_a_redriven_job_that_fails_here_again_still_tells_where_it_began(app: App, node: Node) -> None:
    await node.call("createQueue", "graves")
    await node.call("createQueue", "deadly", {"deadLetter": "graves", "retryLimit": 0})
    first = await node.call("send", "deadly", {"n": 1})
    async with app.working(TrivialExecutor({"deadly": failing(2)})):
        await app.wait_for_status("failed", UUID(first))
        await node.call("redrive", "graves")
        await eventually(lambda: has_rows(app, "graves", 1))
    (copy,) = await node.call("fetch", "graves", {"includeMetadata": True})
    assert copy["sourceRootId"] == first
    assert copy["sourceId"] != first


async def has_rows(app: App, queue: str, count: int) -> bool:
    rows = await app.rows("select from public.jobs where type = 'deadly' and status = 'failed'")
    return len(rows) == 2 and len(await app.rows("select from pgboss.job where name = %s", queue)) == count


async def test_we_work_what_node_buried(app: App, node: Node) -> None:
    await node.call("createQueue", "graves")
    await app.enqueue("shared")  # makes the queue
    await node.call("updateQueue", "shared", {"deadLetter": "graves"})
    (job_id,) = await app.enqueue("shared", max_attempts=1, priority=1)
    (claimed,) = await node.call("fetch", "shared")
    assert claimed["id"] == str(job_id)
    await node.call("fail", "shared", str(job_id), {"message": "no"})
    executor = TrivialExecutor({"graves": noop})
    async with app.working(executor):
        await executor.wait_started(1)
    (job,) = await app.rows("select tenant, payload from public.jobs where type = 'graves'")
    assert job == {"tenant": TENANT, "payload": {"tenantId": str(TENANT)}}


@pytest.mark.parametrize(("backoff", "least", "most"), [(2.0, 10, 20), (1.0, 10, 10)], ids=["backoff", "constant"])
async def test_our_retry_policy_holds_when_node_fails_the_job(
    app: App, node: Node, backoff: float, least: float, most: float
) -> None:
    (job_id,) = await app.enqueue(
        "patient", retry_delay=timedelta(seconds=10), retry_backoff=backoff, retry_delay_max=timedelta(hours=1)
    )
    await node.call("fetch", "patient")
    await node.call("fail", "patient", str(job_id))
    (row,) = await app.rows(
        "select extract(epoch from start_after - pgboss.job_now())::float8 as wait from pgboss.job where id = %s",
        job_id,
    )
    assert least - 2 < row["wait"] <= most


async def test_what_cannot_wait_for_its_retry_beside_another_fails_as_in_node(app: App, node: Node) -> None:
    """A stately queue holds one job a key in each state."""
    await node.call("createQueue", "stately", {"policy": "stately", "retryLimit": 3, "retryDelay": 3600})
    outcomes: list[str] = []
    for side in ("node", "us"):
        key = {"singletonKey": side}
        first = await node.call("send", "stately", {"n": 1}, key)
        await node.call("fetch", "stately")
        await node.call("fail", "stately", first)  # waits in the state retry
        second = await node.call("send", "stately", {"n": 2}, key)
        if side == "node":
            await node.call("fetch", "stately")
            await node.call("fail", "stately", second, {"message": "not yet"})
        else:
            async with app.working(TrivialExecutor({"stately": failing(1)})):
                await app.wait_for_status("failed", UUID(second))
            assert (await app.job(UUID(second)))["error"]["message"] == "not yet"
        found = await queue_row(app, UUID(second))
        outcomes.append((found["state"], found["output"]["message"]))
    assert outcomes == [("failed", "not yet")] * 2


@pytest.mark.parametrize("policy", ["short", "stately", "exclusive"])
@pytest.mark.parametrize("outcome", [Outcome.RELEASED, Outcome.SNOOZED])
async def test_what_is_handed_back_while_another_waits_is_not_lost(
    app: App, node: Node, policy: str, outcome: Outcome
) -> None:
    """A worker that stops has claimed the one job that may wait, and a second one waits by now."""
    await node.call("createQueue", "narrow", {"policy": policy})
    first = UUID(await node.call("send", "narrow", {"n": 1}))
    begun, ends = asyncio.Event(), asyncio.Event()

    async def handed_back(claim: Claim, session: ClaimSession, abort: Abort) -> Any:
        begun.set()
        await ends.wait()
        return Again(outcome, timedelta(seconds=0))

    async with app.working(TrivialExecutor({"narrow": handed_back}), concurrency=1) as worker:
        await begun.wait()
        second = await node.call("send", "narrow", {"n": 2})
        assert (second is None) == (policy == "exclusive")
        stopping = asyncio.create_task(worker.stop(timedelta(seconds=5)))
        ends.set()
        await stopping
    assert (await queue_row(app, first))["state"] in ("created", "retry")
    async with app.working(TrivialExecutor({"narrow": noop})):
        await app.wait_for_status("completed", first, *([UUID(second)] if second else []))
    assert (await app.job(first))["attempt"] == 1


async def test_node_does_not_sweep_what_we_still_work_on(app: App, postgres_server: PostgresServer) -> None:
    options = {"superviseIntervalSeconds": 1, "monitorIntervalSeconds": 1, "schedule": False}
    ends = asyncio.Event()

    async def long(claim: Claim, session: ClaimSession, abort: Abort) -> None:
        await ends.wait()

    async with node_boss(node_dsn_of(app, postgres_server), **options):
        executor = TrivialExecutor({"long": long})
        async with app.working(executor):  # with leases of 2 seconds
            (job_id,) = await app.enqueue("long")
            await executor.wait_started(1)
            for _ in range(3):
                swept = await monitored(app)
                await eventually(lambda swept=swept: monitored_after(app, swept))
            ends.set()
            await app.wait_for_status("completed", job_id)
    job = await app.job(job_id)
    assert (job["attempt"], job["rescues"]) == (1, 0)


async def monitored(app: App) -> Any:
    ((stamp,),) = [row.values() for row in await app.rows("select monitor_on from pgboss.queue where name = 'long'")]
    return stamp


async def monitored_after(app: App, stamp: Any) -> bool:
    now = await monitored(app)
    return now is not None and (stamp is None or now > stamp)


async def test_what_node_sweeps_of_our_dead_worker_runs_again_and_jobs_tells_so(app: App, node: Node) -> None:
    (job_id,) = await app.enqueue("orphan", max_attempts=3, retry_delay=timedelta())
    (fetched,) = await app.rows("select * from jobcore.pgboss_fetch(array['orphan'], 1, 60)")
    await app.rows(
        "select * from jobcore.job_claim(jsonb_build_array(jsonb_build_object("
        "'tenant', %s::uuid, 'job_id', %s::uuid, 'attempt', 1, 'token', 't')), gen_random_uuid())",
        fetched["tenant"],
        job_id,
    )
    await app.rows(
        "update pgboss.job set heartbeat_on = now() - interval '1 hour', retry_backoff = false, retry_delay = 0"
        " where id = %s returning id",
        job_id,
    )
    await node.call("supervised", "orphan")
    assert (await queue_row(app, job_id))["state"] == "retry"
    async with app.working(TrivialExecutor({"orphan": noop})):
        await app.wait_for_status("completed", job_id)
    job = await app.job(job_id)
    assert (job["attempt"], job["tenant"]) == (2, TENANT)


async def test_we_do_not_sweep_what_node_touches(app: App, node: Node) -> None:
    await node.call("createQueue", "touched")
    kept, left = [
        UUID(await node.call("send", "touched", {"n": n}, {"heartbeatSeconds": 10, "retryLimit": 1})) for n in range(2)
    ]
    await node.call("fetch", "touched", {"batchSize": 2})
    await app.rows("update pgboss.job set heartbeat_on = now() - interval '1 minute' returning id")
    await node.call("touch", "touched", str(kept))
    async with opened(app.dsn, supervision=busy()) as sweeping, sweeping.working(TrivialExecutor({"noop": noop})):
        await eventually(lambda: is_swept(app, left))
    assert (await queue_row(app, kept))["state"] == "active"
    await node.call("complete", "touched", str(kept))


async def is_swept(app: App, job_id: UUID) -> bool:
    return (await queue_row(app, job_id))["state"] == "retry"


async def test_what_node_cancels_while_we_run_it_is_aborted(app: App, node: Node) -> None:
    aborted = asyncio.Event()

    async def waits(claim: Claim, session: ClaimSession, abort: Abort) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            aborted.set()

    executor = TrivialExecutor({"running": waits})
    async with opened(app.dsn, supervision=busy()) as mirroring, mirroring.working(executor):
        (job_id,) = await app.enqueue("running")
        await executor.wait_started(1)
        await node.call("cancel", "running", str(job_id))
        await asyncio.wait_for(aborted.wait(), 5)
        await app.wait_for_status("cancelled", job_id)
    assert (await queue_row(app, job_id))["state"] == "cancelled"


async def waiting(claim: Claim, session: ClaimSession, abort: Abort) -> Any:
    return Again(Outcome.RETRY, timedelta(hours=1))


async def test_our_lease_does_not_stay_with_a_job_that_goes_back(app: App, node: Node) -> None:
    """Else Node would sweep it: who fetches without `work` beats for none but a queue that asks for it."""
    await node.call("createQueue", "silent", {"retryDelay": 3600})
    await node.call("createQueue", "beating", {"retryDelay": 3600, "heartbeatSeconds": 40})
    ids = [UUID(await node.call("send", queue, {"n": 1})) for queue in ("silent", "beating")]
    async with app.working(TrivialExecutor({"silent": waiting, "beating": waiting})):
        await eventually(lambda: both_failed_once(app, *ids))
    assert [(await queue_row(app, job_id))["heartbeat_seconds"] for job_id in ids] == [None, 40]


async def both_failed_once(app: App, *job_ids: UUID) -> bool:
    rows = await app.rows(
        "select from public.jobs where job_id = any(%s) and attempt = 1 and status = 'queued'", list(job_ids)
    )
    return len(rows) == 2
