"""The usual end, written for many jobs at once: each gets its own, and what does not fit goes another way."""

from __future__ import annotations

from typing import Any

import orjson

from jobcore.execution.abort import Abort
from jobcore.models import Claim
from jobcore.ports.runner import ClaimSession
from pgboss_runner.harness import TENANT, App, TrivialExecutor, noop


async def echo(claim: Claim, session: ClaimSession, abort: Abort) -> Any:
    number = orjson.loads(claim.payload)["number"]
    return {"number": number} if number % 3 else None


async def test_each_job_gets_its_own_result_and_the_name_of_its_worker(app: App) -> None:
    ids = [(await app.enqueue("echo", payload={"tenantId": str(TENANT), "number": number}))[0] for number in range(40)]
    async with app.working(TrivialExecutor({"echo": echo})) as worker:
        await app.wait_for_status("completed", *ids)
        for number, job_id in enumerate(ids):
            job = await app.job(job_id)
            assert job["result"] == ({"number": number} if number % 3 else None)
            assert job["worker_id"] == worker.worker_id
            assert job["created_at"] <= job["completed_at"]
            assert job["progress"] == 100
    assert await app.queue_rows(*ids) == []


async def test_a_queue_that_keeps_its_rows_keeps_them(app: App) -> None:
    ids = await app.enqueue(count=30)
    await app.rows("update jobcore.pgboss_queues set delete_ended = false returning name")
    async with app.working(TrivialExecutor({"noop": noop})):
        await app.wait_for_status("completed", *ids)
    assert {row["state"] for row in await app.queue_rows(*ids)} == {"completed"}
    assert all(applied for _, applied in app.recorder.settled)


async def test_a_job_that_ended_otherwise_meanwhile_is_not_completed(app: App) -> None:
    (job_id,) = await app.enqueue("ended-elsewhere")

    async def end_elsewhere(claim: Claim, session: ClaimSession, abort: Abort) -> None:
        await app.rows(
            "select * from jobcore.job_settle(jsonb_build_array(jsonb_build_object("
            "'tenant', %s::uuid, 'job_id', %s::uuid, 'attempt', 1, 'outcome', 'cancelled')))",
            claim.tenant,
            claim.job_id,
        )

    async with app.working(TrivialExecutor({"ended-elsewhere": end_elsewhere})) as worker:
        await app.wait_for_status("cancelled", job_id)
        await worker.drain()
    assert [applied for _, applied in app.recorder.settled] == [False]
    assert (await app.job(job_id))["status"] == "cancelled"
    assert await app.queue_rows(job_id) == []
