"""Who owns a job: fences, leases, cancellation, rescue, and the ways in which a worker stops."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import orjson
import psycopg
import pytest

from jobcore.errors import ForeignConnectionError, StaleClaimError
from jobcore.models import Outcome, Settlement
from pgboss_runner.harness import FAST, TENANT, App, TrivialExecutor, eventually, noop


async def hangs(claim, session, abort):
    await asyncio.Event().wait()


async def claim_by_hand(app: App, queue: str) -> dict:
    (row,) = await app.rows("select * from jobcore.pgboss_fetch(array[%s], 1, 300)", queue)
    return row


def settlement_of(row: dict, outcome: str = "completed") -> str:
    return orjson.dumps(
        [
            {
                "tenant": row["tenant"],
                "job_id": row["job_id"],
                "queue": row["queue"],
                "retry_count": row["retry_count"],
                "started_us": row["started_us"],
                "attempt": row["retry_count"] + 1,
                "outcome": outcome,
            }
        ]
    ).decode()


async def settle_by_hand(app: App, row: dict, outcome: str = "completed") -> bool:
    (answer,) = await app.rows("select * from jobcore.pgboss_settle(%s)", settlement_of(row, outcome))
    return answer["applied"]


async def test_a_claim_settles_exactly_once(app: App) -> None:
    await app.enqueue()
    row = await claim_by_hand(app, "noop")
    answers = await asyncio.gather(*(settle_by_hand(app, row) for _ in range(5)))
    assert sorted(answers) == [False] * 4 + [True]


async def test_a_zombie_cannot_complete_a_job_it_lost(app: App) -> None:
    (job_id,) = await app.enqueue()
    zombie = await claim_by_hand(app, "noop")
    await app.rows("update pgboss.job set heartbeat_on = now() - interval '1 hour' where id = %s returning id", job_id)
    assert len(await app.rows("select * from jobcore.pgboss_rescue(array['noop'], 10)")) == 1
    heir = await claim_by_hand(app, "noop")
    assert heir["retry_count"] == zombie["retry_count"] + 1
    assert not await settle_by_hand(app, zombie)
    assert (await app.job(job_id))["status"] == "queued"
    assert await settle_by_hand(app, heir)


async def test_a_released_claim_costs_no_attempt_and_its_old_fence_is_void(app: App) -> None:
    await app.enqueue(max_attempts=1)
    first = await claim_by_hand(app, "noop")
    assert await settle_by_hand(app, first, "released")
    second = await claim_by_hand(app, "noop")
    assert second["retry_count"] == first["retry_count"]
    assert not await settle_by_hand(app, first)
    assert await settle_by_hand(app, second)


async def test_a_waiting_job_is_cancelled_at_once(app: App) -> None:
    (queued,) = await app.enqueue()
    (delayed,) = await app.enqueue(delay=timedelta(hours=1))
    for job_id in (queued, delayed):
        assert await app.runner.cancel(TENANT, job_id, reason="not needed", cancelled_by="ann")
        assert not await app.runner.cancel(TENANT, job_id)
        job = await app.job(job_id)
        assert (job["status"], job["error"]["reason"]) == ("cancelled", "not needed")
    assert await app.queue_rows(queued, delayed) == []


@pytest.mark.parametrize("deaf", [False, True], ids=["told", "polled"])
async def test_a_running_job_is_cancelled_within_a_second(app: App, deaf: bool) -> None:
    (job_id,) = await app.enqueue("hangs")
    executor = TrivialExecutor({"hangs": hangs})
    async with app.working(executor) as worker:
        await executor.wait_started(1)
        if deaf:
            await worker._roles.end("listener")
        assert await app.runner.cancel(TENANT, job_id, reason="enough", cancelled_by="ann")
        await app.wait_for_status("cancelled", job_id, seconds=1)
    job = await app.job(job_id)
    assert job["error"] == {"reason": "enough", "cancelled_by": "ann"}


async def test_nothing_is_cancelled_that_does_not_exist(app: App) -> None:
    (job_id,) = await app.enqueue()
    assert not await app.runner.cancel(TENANT, TENANT)
    assert not await app.runner.cancel(job_id, job_id)
    assert (await app.job(job_id))["status"] == "queued"


async def test_a_silent_workers_job_is_rescued_without_cost(app: App) -> None:
    (job_id,) = await app.enqueue(max_attempts=1)
    for rescues in range(1, 6):
        await claim_by_hand(app, "noop")
        await app.rows(
            "update pgboss.job set heartbeat_on = now() - interval '1 hour' where id = %s returning id", job_id
        )
        (rescued,) = await app.rows("select * from jobcore.pgboss_rescue(array['noop'], 10)")
        assert rescued["follow"] == "queued"
        assert (await app.job(job_id))["rescues"] == rescues
    async with app.working(TrivialExecutor({"noop": noop})):
        await app.wait_for_status("completed", job_id)
    lost = await app.rows("select status, result from job_details where job_id = %s", job_id)
    assert {row["status"] for row in lost} == {"lost"}
    assert all("lease lost by worker" in row["result"]["message"] for row in lost)


async def test_a_job_that_kills_every_worker_fails_after_five_rescues(app: App) -> None:
    (job_id,) = await app.enqueue(max_attempts=1)
    follows = []
    for _ in range(6):
        await claim_by_hand(app, "noop")
        await app.rows(
            "update pgboss.job set heartbeat_on = now() - interval '1 hour' where id = %s returning id", job_id
        )
        follows += [row["follow"] for row in await app.rows("select * from jobcore.pgboss_rescue(array['noop'], 10)")]
    assert follows == ["queued"] * 5 + ["failed"]


async def test_a_job_past_its_time_out_has_used_an_attempt(app: App) -> None:
    (job_id,) = await app.enqueue(max_attempts=2)
    follows = []
    for _ in range(2):
        await app.rows("update pgboss.job set start_after = now() where id = %s returning id", job_id)
        await claim_by_hand(app, "noop")
        await app.rows("update pgboss.job set started_on = now() - interval '1 day' where id = %s returning id", job_id)
        follows += [row["follow"] for row in await app.rows("select * from jobcore.pgboss_rescue(array['noop'], 10)")]
    assert follows == ["queued", "failed"]
    assert (await app.job(job_id))["rescues"] == 0


async def test_heartbeats_keep_a_long_job(app: App) -> None:
    outlived = asyncio.Event()

    async def long(claim, session, abort):
        await outlived.wait()

    (job_id,) = await app.enqueue("long")

    async def is_kept_long_past_its_first_lease() -> bool:
        later = timedelta(seconds=FAST["lease_seconds"] * 1.75)
        kept = "select id from pgboss.job where id = %s and heartbeat_on > started_on + %s"
        return await app.rows(kept, job_id, later) != []

    executor = TrivialExecutor({"long": long})
    async with app.working(executor), app.working(executor):
        await eventually(is_kept_long_past_its_first_lease)
        outlived.set()
        await app.wait_for_status("completed", job_id)
    assert len(executor.started) == 1


async def test_a_worker_that_lost_its_claim_stops_the_handler(app: App) -> None:
    stopped = asyncio.Event()

    async def notices(claim, session, abort):
        await abort.wait()
        stopped.set()
        with pytest.raises(StaleClaimError):
            await session.progress(50, None)

    (job_id,) = await app.enqueue("notices")
    executor = TrivialExecutor({"notices": notices})
    executor.execute = _through(notices)
    async with app.working(executor):
        await eventually(lambda: _is_active(app, job_id))
        await app.rows("delete from pgboss.job where id = %s returning id", job_id)
        async with asyncio.timeout(2):
            await stopped.wait()
    assert [(one.claim.job_id, applied) for one, applied in app.recorder.settled] == [(job_id, False)]


def _through(work):
    async def execute(claim, session, abort):
        await work(claim, session, abort)
        return Settlement(claim=claim, outcome=Outcome.RELEASED, settled=True)

    return execute


async def _is_active(app: App, job_id) -> bool:
    return any(row["state"] == "active" for row in await app.queue_rows(job_id))


async def test_drain_waits_for_running_jobs_and_begins_no_more(app: App) -> None:
    let_go = asyncio.Event()

    async def waits(claim, session, abort):
        await let_go.wait()

    executor = TrivialExecutor({"waits": waits})
    first = await app.enqueue("waits", count=2)
    async with app.working(executor) as worker:
        await executor.wait_started(2)
        draining = asyncio.create_task(worker.drain())
        await asyncio.sleep(0.1)
        later = await app.enqueue("waits", count=3)
        await asyncio.sleep(0.3)
        assert not draining.done()
        let_go.set()
        await draining
        await worker.wait_closed()
        await app.wait_for_status("completed", *first)
        await app.wait_for_status("queued", *later)


async def test_stop_hands_running_jobs_back_without_cost(app: App) -> None:
    ids = await app.enqueue("hangs", count=20, max_attempts=1)
    executor = TrivialExecutor({"hangs": hangs})
    async with app.working(executor, concurrency=5) as worker:
        await executor.wait_started(5)
        await worker.stop(timedelta())
    await app.wait_for_status("queued", *ids)
    assert {row["state"] for row in await app.queue_rows(*ids)} == {"created"}
    again = TrivialExecutor({"hangs": noop})
    async with app.working(again):
        await app.wait_for_status("completed", *ids)
    assert {claim.attempt for claim in again.started} == {1}


async def test_a_handlers_rows_commit_with_its_completion(app: App) -> None:
    async with await psycopg.AsyncConnection.connect(app.dsn, autocommit=True) as connection:
        await connection.execute("create table effects (job uuid)")

    async def completes_in(claim, session, abort):
        done = Settlement(claim=claim, outcome=Outcome.COMPLETED, result=b'"mine"', settled=True)
        async with await psycopg.AsyncConnection.connect(app.dsn) as connection:
            await connection.execute("insert into effects values (%s)", (claim.job_id,))
            await session.settle_in(connection, done)
        return done

    (job_id,) = await app.enqueue("unit")
    async with app.working(TrivialExecutor({"unit": completes_in})):
        await app.wait_for_status("completed", job_id)
    assert (await app.job(job_id))["result"] == "mine"
    assert len(await app.rows("select from effects")) == 1
    assert [applied for _, applied in app.recorder.settled] == [True]


async def test_a_stale_claim_cannot_complete_in_a_transaction(app: App) -> None:
    refused = asyncio.Event()

    async def too_late(claim, session, abort):
        await app.rows("delete from pgboss.job where id = %s returning id", claim.job_id)
        async with await psycopg.AsyncConnection.connect(app.dsn) as connection:
            with pytest.raises(StaleClaimError):
                await session.settle_in(connection, Settlement(claim=claim, outcome=Outcome.COMPLETED))
        refused.set()

    await app.enqueue("late")
    async with app.working(TrivialExecutor({"late": too_late})), asyncio.timeout(5):
        await refused.wait()


async def test_another_databases_connection_is_refused(app: App, empty_database_dsn: str) -> None:
    async with await psycopg.AsyncConnection.connect(empty_database_dsn) as connection:
        with pytest.raises(ForeignConnectionError):
            await app.enqueue(connection=connection)


async def test_a_tenants_role_settles_and_enqueues_for_its_tenant_only(app: App) -> None:
    await app.enqueue()
    row = await claim_by_hand(app, "noop")
    other = "22222222-2222-7222-8222-222222222222"
    async with await psycopg.AsyncConnection.connect(app.dsn) as connection:
        await connection.execute("set local role jobcore_tenant")
        await connection.execute("select set_config('jobcore.tenant', %s, true)", (other,))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await connection.execute("select * from jobcore.pgboss_settle_tenant_or_engine(%s)", (settlement_of(row),))
        await connection.rollback()
        await connection.execute("set local role jobcore_tenant")
        await connection.execute("select set_config('jobcore.tenant', %s, true)", (str(TENANT),))
        (follow_up,) = await app.enqueue(connection=connection)
        cursor = await connection.execute(
            "select applied from jobcore.pgboss_settle_tenant_or_engine(%s)", (settlement_of(row),)
        )
        assert await cursor.fetchall() == [(True,)]
    assert (await app.job(row["job_id"]))["status"] == "completed"
    assert (await app.job(follow_up))["status"] == "queued"


@pytest.mark.parametrize("outcome", ["completed", "cancelled", "snoozed"])
async def test_a_tenant_cannot_settle_anothers_queue_row_under_its_own_name(app: App, outcome: str) -> None:
    (job_id,) = await app.enqueue()
    row = await claim_by_hand(app, "noop")
    before = await app.queue_rows(job_id)
    other = "22222222-2222-7222-8222-222222222222"
    forged = [{**element, "tenant": other, "outcome": outcome} for element in orjson.loads(settlement_of(row))]
    async with await psycopg.AsyncConnection.connect(app.dsn) as connection:
        await connection.execute("set local role jobcore_tenant")
        await connection.execute("select set_config('jobcore.tenant', %s, true)", (other,))
        cursor = await connection.execute(
            "select applied from jobcore.pgboss_tenant_settle(%s)", (orjson.dumps(forged).decode(),)
        )
        assert await cursor.fetchall() == [(False,)]
    assert await app.queue_rows(job_id) == before


async def test_a_job_that_node_retries_for_ever_holds_nobody_up(app: App) -> None:
    (ours,) = await app.enqueue()
    (node,) = await app.rows(
        "insert into pgboss.job (name, data, priority, retry_limit) values ('noop', '{}', 9, 2147483647) returning id"
    )
    async with app.working(TrivialExecutor({"noop": noop})):
        await app.wait_for_status("completed", ours, node["id"])
    assert (await app.job(node["id"]))["max_attempts"] == 1_000_000


async def test_a_drain_is_overtaken_by_a_stop(app: App) -> None:
    (job_id,) = await app.enqueue("hangs")
    executor = TrivialExecutor({"hangs": hangs})
    async with app.working(executor) as worker:
        await executor.wait_started(1)
        draining = asyncio.create_task(worker.drain())
        await asyncio.sleep(0.05)
        async with asyncio.timeout(3):
            await worker.stop(timedelta())
            await worker.stop()
            await draining
            await worker.wait_closed()
    await app.wait_for_status("queued", job_id)
