"""The functions of the protocol: what each writes, and the fences that keep a stale worker out."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from jobcore.errors import InputError, PayloadLimitError, StaleClaimError
from jobcore.ids import uuid7
from jobcore.models import Claim, Lease, Outcome, Settlement
from jobcore.states import JobState, is_legal
from jobcore_postgres import wire
from jobcore_postgres.store import PostgresStore
from postgres_storage.builders import OTHER_TENANT, TENANT, call, lease_of, new_job, running, settle, until_blocked

WORKER = uuid4()


async def test_a_batch_keeps_the_order_of_its_elements(store: PostgresStore) -> None:
    jobs = [new_job(tenant=tenant) for tenant in (OTHER_TENANT, TENANT, OTHER_TENANT)]
    jobs.reverse()
    made = await call(store, "job_new", _new(jobs))
    assert [(row["ord"], row["job_id"], row["tenant"], row["inserted"]) for row in made] == [
        (place, job.job_id, job.tenant, True) for place, job in enumerate(jobs, 1)
    ]
    leases = [lease_of(job, tenant=job.tenant) for job in jobs]
    stale = Lease(uuid7(), TENANT, 1, "nobody's")
    assert await store.claim([leases[2], stale, leases[0]], worker_id=WORKER) == [True, False, True]
    assert await store.claim([], worker_id=WORKER) == []


async def test_a_batch_with_jobs_that_exist_answers_for_each_element(store: PostgresStore) -> None:
    known, holder = new_job(), new_job(dedupe_key="k")
    await store.create_job(known)
    await store.create_job(holder)
    fresh, twice = new_job(), new_job(dedupe_key="twice")
    same_key = new_job(dedupe_key="twice")
    batch = [known, fresh, new_job(dedupe_key="k"), twice, same_key, fresh]
    answers = await call(store, "job_new", _new(batch))
    assert [(row["job_id"], row["inserted"]) for row in answers] == [
        (known.job_id, False),
        (fresh.job_id, True),
        (holder.job_id, False),
        (twice.job_id, True),
        (twice.job_id, False),
        (fresh.job_id, False),
    ]


async def test_one_job_a_fire_of_a_schedule(store: PostgresStore, admin: psycopg.Connection) -> None:
    fire: dict[str, Any] = {"schedule_id": uuid7(), "fire_time": (await _now(admin))}
    first = new_job(**fire)
    second = new_job(**fire)
    assert not (await store.create_job(first)).deduplicated
    again = await store.create_job(second)
    assert (again.job_id, again.deduplicated) == (first.job_id, True)


async def test_a_key_that_frees_itself_while_one_waits_for_it_is_taken(
    store: PostgresStore, admin: psycopg.Connection
) -> None:
    holder = await running(store, dedupe_key="k")
    async with store.database.connection() as connection, connection.transaction():
        await connection.execute("update jobs set held_key = null where job_id = %s", (holder.job_id,))
        waiting = asyncio.create_task(store.create_job(new_job(dedupe_key="k")))
        await until_blocked(admin)
    assert not (await waiting).deduplicated


async def test_two_enqueues_of_one_key_at_once_make_one_job(store: PostgresStore) -> None:
    made = await asyncio.gather(*(store.create_job(new_job(dedupe_key="k")) for _ in range(8)))
    assert len({one.job_id for one in made}) == 1
    assert sum(not one.deduplicated for one in made) == 1


async def test_a_claim_starts_the_attempt(store: PostgresStore) -> None:
    lease = await running(store)
    job = await store.get_job(TENANT, lease.job_id)
    assert (job.status, job.attempt) == (JobState.PROCESSING, 1)
    assert job.started_at is not None
    assert job.updated_at is not None


async def test_a_claim_is_safe_to_repeat_and_keeps_its_start(store: PostgresStore) -> None:
    lease = await running(store)
    begun = (await store.get_job(TENANT, lease.job_id)).started_at
    assert await store.claim([lease], worker_id=WORKER) == [True]
    assert (await store.get_job(TENANT, lease.job_id)).started_at == begun


async def test_a_higher_attempt_takes_over_and_the_old_lease_writes_nothing_more(store: PostgresStore) -> None:
    old = await running(store)
    new = lease_of(old.job_id, 2)
    assert await store.claim([new], worker_id=WORKER) == [True]
    assert await store.claim([old], worker_id=WORKER) == [False]
    for write in (
        store.write_progress(old, 50, None),
        store.write_detail(old, "item", "done", None, None),
        store.load_steps(old),
        store.save_step(old, "a#1", b"1"),
    ):
        with pytest.raises(StaleClaimError, match=f"Attempt 1 of job {old.job_id} no longer holds"):
            await write
    assert (await settle(store, old, "completed"))["applied"] is False
    assert (await settle(store, new, "completed"))["applied"] is True


async def test_the_same_attempt_under_another_token_is_refused(store: PostgresStore) -> None:
    lease = await running(store)
    rival = lease_of(lease.job_id, 1)
    assert await store.claim([rival], worker_id=WORKER) == [False]
    assert (await settle(store, rival, "completed"))["applied"] is False


async def test_a_stale_epoch_claims_and_settles_nothing(store: PostgresStore, admin: psycopg.Connection) -> None:
    lease = await running(store)
    admin.execute("update jobs set epoch = 1 where job_id = %s", (lease.job_id,))
    element = {"tenant": TENANT, "job_id": lease.job_id, "attempt": 2, "token": "t", "epoch": 0}
    assert (await call(store, "job_claim", [element], WORKER))[0]["granted"] is False
    assert (await settle(store, lease, "completed", epoch=0))["applied"] is False
    assert (await settle(store, lease, "completed", epoch=1))["applied"] is True


@pytest.mark.parametrize("end", ["completed", "failed", "cancelled"])
async def test_an_ended_job_is_neither_claimed_nor_settled_again(store: PostgresStore, end: str) -> None:
    lease = await running(store)
    assert (await settle(store, lease, end))["follow"] == end
    ended = await store.get_job(TENANT, lease.job_id)
    assert await store.claim([lease_of(lease.job_id, 9)], worker_id=WORKER) == [False]
    for outcome in ("completed", "failed", "retry", "cancelled", "released", "lost", "snoozed"):
        assert (await settle(store, Lease(lease.job_id, TENANT, 9, "t"), outcome))["applied"] is False
    assert await store.get_job(TENANT, lease.job_id) == ended


async def test_a_completed_job_keeps_its_result_and_no_attempt_row(store: PostgresStore) -> None:
    lease = await running(store)
    answer = await settle(store, lease, "completed", result={"n": 1}, duration_ms=12)
    job = await store.get_job(TENANT, lease.job_id)
    assert (answer["applied"], answer["follow"]) == (True, "completed")
    assert (job.result, job.progress, job.error) == ({"n": 1}, 100, None)
    assert job.completed_at is not None
    assert await store.get_details(TENANT, lease.job_id) == []


async def test_a_retry_queues_the_job_with_its_attempt_told(store: PostgresStore, admin: psycopg.Connection) -> None:
    lease = await running(store)
    answer = await settle(
        store, lease, "retry", error={"message": "boom"}, run_at_ms=60_000, duration_ms=5, worker=WORKER
    )
    job = await store.get_job(TENANT, lease.job_id)
    assert (answer["follow"], answer["run_at"]) == ("queued", job.run_at)
    assert (job.status, job.attempt, job.error) == (JobState.QUEUED, 1, {"message": "boom"})
    assert timedelta(seconds=58) < job.run_at - await _now(admin) <= timedelta(seconds=60)
    (told,) = await store.get_details(TENANT, lease.job_id)
    assert (told.step_name, told.status, told.retry_count, told.result) == (
        "attempt 1",
        "failed",
        0,
        {"message": "boom"},
    )
    assert told.metadata is not None
    assert (told.metadata["duration_ms"], told.metadata["worker"]) == (5, str(WORKER))
    assert (await settle(store, lease, "completed"))["applied"] is False
    assert await store.claim([lease], worker_id=WORKER) == [False]
    assert await store.claim([lease_of(lease.job_id, 2)], worker_id=WORKER) == [True]


@pytest.mark.parametrize("outcome", ["snoozed", "released"])
async def test_a_snooze_and_a_hand_back_cost_no_attempt(store: PostgresStore, outcome: str) -> None:
    lease = await running(store)
    await settle(store, lease, outcome, run_at_ms=1000)
    job = await store.get_job(TENANT, lease.job_id)
    assert (job.status, job.attempt, job.error) == (JobState.QUEUED, 0, None)
    assert await store.get_details(TENANT, lease.job_id) == []
    assert await store.claim([lease_of(lease.job_id, 1)], worker_id=WORKER) == [True]


async def test_a_lost_lease_adds_an_attempt_at_most_five_times_and_then_fails(store: PostgresStore) -> None:
    lease = await running(store, max_attempts=1)
    for rescue in range(1, 6):
        answer = await settle(store, lease, "lost", error={"message": "the worker died"})
        assert (answer["follow"], answer["max_attempts"]) == ("queued", 1 + rescue)
        lease = lease_of(lease.job_id, rescue + 1)
        assert await store.claim([lease], worker_id=WORKER) == [True]
    answer = await settle(store, lease, "lost", error={"message": "the worker died"})
    job = await store.get_job(TENANT, lease.job_id)
    assert (answer["follow"], job.status, job.rescues, job.max_attempts) == ("failed", JobState.FAILED, 6, 6)
    statuses = [detail.status for detail in await store.get_details(TENANT, lease.job_id)]
    assert statuses == ["lost"] * 6


async def test_a_settlement_whose_claim_was_never_written_counts(store: PostgresStore) -> None:
    job = new_job()
    await store.create_job(job)
    await store.update_job_status(TENANT, job.job_id, JobState.QUEUED)
    lease = lease_of(job)
    assert (await settle(store, lease, "completed", started_at="2030-01-01T00:00:00Z"))["applied"] is True
    record = await store.get_job(TENANT, job.job_id)
    assert (record.status, record.attempt) == (JobState.COMPLETED, 1)
    assert record.started_at is not None


async def test_a_settlement_makes_no_move_that_is_not_legal(store: PostgresStore, admin: psycopg.Connection) -> None:
    for source in JobState:
        for outcome in ("completed", "failed", "retry", "snoozed", "cancelled", "released", "lost"):
            job = new_job()
            await store.create_job(job)
            admin.execute("update jobs set status = %s where job_id = %s", (source.value, job.job_id))
            answer = await settle(store, lease_of(job), outcome)
            if answer["applied"]:
                assert not source.is_terminal
                assert is_legal(source, JobState(answer["follow"])), (source, outcome)
            else:
                assert source.is_terminal or not is_legal(source, JobState(outcome)), (source, outcome)
                assert (await store.get_job(TENANT, job.job_id)).status is source


async def test_a_job_that_no_engine_admitted_can_fail_but_not_complete(store: PostgresStore) -> None:
    job = new_job()
    await store.create_job(job)
    assert (await settle(store, lease_of(job), "completed"))["applied"] is False
    assert (await settle(store, lease_of(job), "failed"))["applied"] is True


async def test_without_a_token_the_callers_own_fence_decides(store: PostgresStore) -> None:
    lease = await running(store)
    element = {"tenant": TENANT, "job_id": lease.job_id, "attempt": 1, "token": None, "outcome": "completed"}
    assert (await call(store, "job_settle", [element]))[0]["applied"] is True


async def test_a_requested_cancellation_overtakes_the_next_run(store: PostgresStore) -> None:
    for outcome in ("retry", "snoozed", "released", "lost"):
        lease = await running(store)
        assert (await call(store, "job_cancel_request", TENANT, lease.job_id, "changed my mind", "ann"))[0][
            "job_cancel_request"
        ]
        assert (await settle(store, lease, outcome, error={"message": "boom"}))["follow"] == "cancelled"
        job = await store.get_job(TENANT, lease.job_id)
        assert job.error == {"reason": "changed my mind", "cancelled_by": "ann"}
        assert job.completed_at is not None


async def test_a_cancel_request_wakes_listeners_and_is_shown_to_a_claim(
    store: PostgresStore, admin: psycopg.Connection
) -> None:
    admin.execute("listen jobcore_cancel")
    lease = await running(store)
    for reason in ("first", "second"):
        await call(store, "job_cancel_request", TENANT, lease.job_id, reason, None)
    heard = {notice.payload for notice in admin.notifies(timeout=5, stop_after=1)}
    assert heard == {str(lease.job_id)}
    claimed = await call(store, "job_claim", [_claim(lease_of(lease.job_id, 2))], WORKER)
    assert claimed[0]["granted"] is True
    assert claimed[0]["cancel_requested"]["reason"] == "first"

    await settle(store, lease_of(lease.job_id, 3), "cancelled")
    ended = await call(store, "job_cancel_request", TENANT, lease.job_id, "late", None)
    assert ended[0]["job_cancel_request"] is False


async def test_an_operators_retry_renews_the_attempts_under_a_new_epoch(store: PostgresStore) -> None:
    lease = await running(store, max_attempts=2, dedupe_key="k")
    await store.write_progress(lease, 40, "half")
    await settle(store, lease, "failed", error={"message": "boom"})
    healthy = await running(store)
    rows = await call(store, "job_requeue", TENANT, [lease.job_id, healthy.job_id, uuid7()])
    assert [row["job_id"] for row in rows] == [lease.job_id]
    job = await store.get_job(TENANT, lease.job_id)
    assert (job.status, job.epoch, job.attempt, job.max_attempts) == (JobState.QUEUED, 1, 1, 3)
    assert (job.error, job.completed_at, job.progress) == (None, None, None)
    assert (await store.create_job(new_job(dedupe_key="k"))).job_id == lease.job_id
    assert await store.claim([lease_of(lease.job_id, 2)], worker_id=WORKER) == [True]


async def test_a_requeued_job_leaves_its_key_to_the_one_that_took_it(store: PostgresStore) -> None:
    lease = await running(store, dedupe_key="k")
    await settle(store, lease, "failed")
    successor = (await store.create_job(new_job(dedupe_key="k"))).job_id
    assert len(await call(store, "job_requeue", TENANT, [lease.job_id])) == 1
    assert (await store.create_job(new_job(dedupe_key="k"))).job_id == successor


async def test_progress_is_bounded_and_kept(store: PostgresStore) -> None:
    lease = await running(store)
    await store.write_progress(lease, 12.5, "reading\0")
    await store.write_progress(lease, 25, None)
    job = await store.get_job(TENANT, lease.job_id)
    assert (job.progress, job.progress_message) == (25, "reading\ufffd")
    with pytest.raises(InputError, match="0 to 100"):
        await store.write_progress(lease, 101, None)


async def test_the_first_stored_step_wins_and_later_attempts_find_it(store: PostgresStore) -> None:
    lease = await running(store)
    assert await store.save_step(lease, "charge#1", b'{"id":7}') == b'{"id": 7}'
    assert await store.save_step(lease, "charge#1", b'{"id":8}') == b'{"id": 7}'
    assert await store.save_step(lease, "nothing#1", b"null") == b"null"
    await settle(store, lease, "retry")
    second = lease_of(lease.job_id, 2)
    await store.claim([second], worker_id=WORKER)
    assert await store.load_steps(second) == {"charge#1": b'{"id": 7}', "nothing#1": b"null"}
    with pytest.raises(PayloadLimitError, match="step 'x' holds a NUL"):
        await store.save_step(second, "x", b'"\\u0000"')


async def test_a_workers_details_are_items_apart_from_attempts_and_steps(store: PostgresStore) -> None:
    lease = await running(store)
    first = await store.write_detail(lease, "attempt 1", "done", b'{"a": 1}', {"page": 1})
    assert await store.write_detail(lease, "attempt 1", "again", None, None) == first
    await settle(store, lease, "failed", error={"message": "boom"})
    told = [(d.step_name, d.status, d.result, d.metadata) for d in await store.get_details(TENANT, lease.job_id)]
    assert told[0] == ("attempt 1", "again", {"a": 1}, {"page": 1})
    assert told[1][:3] == ("attempt 1", "failed", {"message": "boom"})


async def test_a_takeover_waits_for_a_write_that_has_passed_its_fence(
    store: PostgresStore, admin: psycopg.Connection
) -> None:
    lease = await running(store)
    async with store.database.connection() as connection, connection.transaction():
        await connection.execute(
            "select jobcore.job_step_save(%s, %s, %s, 'a#1', '1')", (TENANT, lease.job_id, lease.token)
        )
        takeover = asyncio.create_task(store.claim([lease_of(lease.job_id, 2)], worker_id=WORKER))
        await until_blocked(admin)
    assert await takeover == [True]


async def test_batches_in_opposite_orders_do_not_deadlock(store: PostgresStore) -> None:
    jobs = [new_job() for _ in range(60)]
    await call(store, "job_new", _new(jobs))

    async def claim(attempt: int, backwards: bool) -> None:
        leases = [lease_of(job, attempt) for job in jobs]
        await store.claim(leases[::-1] if backwards else leases, worker_id=WORKER)

    await asyncio.gather(*(claim(attempt, backwards=attempt % 2 == 0) for attempt in range(1, 17)))
    assert {(await store.get_job(TENANT, job.job_id)).attempt for job in jobs} == {16}


async def test_the_wire_writes_settlements_as_the_function_reads_them(store: PostgresStore) -> None:
    lease = await running(store)
    claim = Claim(
        lease=lease,
        name="send-mail",
        queue="send-mail",
        payload=b"{}",
        max_attempts=3,
        created_at=(await store.get_job(TENANT, lease.job_id)).created_at,
        runner_type="pgboss",
    )
    settlement = Settlement(
        claim=claim, outcome=Outcome.COMPLETED, result=b'{"ok":true}', duration=timedelta(milliseconds=1500)
    )
    async with store.database.connection() as connection:
        cursor = await connection.execute(
            "select applied, follow from jobcore.job_settle(%s::jsonb)", (wire.settlements([settlement], WORKER),)
        )
        assert await cursor.fetchall() == [(True, "completed")]
    assert (await store.get_job(TENANT, lease.job_id)).result == {"ok": True}


def _new(jobs: list[Any]) -> Jsonb:
    return Jsonb(json.loads(wire.new_jobs(jobs, JobState.QUEUED)))


def _claim(lease: Lease) -> dict[str, Any]:
    return {"tenant": lease.tenant, "job_id": lease.job_id, "attempt": lease.attempt, "token": lease.token}


async def _now(admin: psycopg.Connection) -> Any:
    row = admin.execute("select now()").fetchone()
    assert row is not None
    return row[0]
