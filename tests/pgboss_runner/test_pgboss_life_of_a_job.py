"""From the enqueue to the end, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import psycopg
import pytest

from jobcore.errors import InputError
from jobcore.models import Outcome
from pgboss_runner.harness import TENANT, Again, App, TrivialExecutor, eventually, new_job, noop, opened


async def test_a_job_is_worked_and_its_row_is_right(app: App) -> None:
    executor = TrivialExecutor({"noop": noop})
    (job_id,) = await app.enqueue()
    async with app.working(executor):
        await app.wait_for_status("completed", job_id)
    job = await app.job(job_id)
    assert (job["attempt"], job["progress"], job["rescues"]) == (1, 100, 0)
    assert job["completed_at"] is not None
    assert await app.queue_rows(job_id) == []


async def test_a_notification_starts_a_job_within_milliseconds_of_its_commit(app: App) -> None:
    executor = TrivialExecutor({"noop": noop})
    async with opened(app.dsn, poll_interval_seconds=60) as patient, patient.working(executor):
        first = await patient.enqueue()  # by now the worker listens, or finds it by its first look
        await patient.wait_for_status("completed", *first)
        begin = asyncio.get_running_loop().time()
        await patient.enqueue()
        await executor.wait_started(2)
        assert asyncio.get_running_loop().time() - begin < 0.1


async def test_an_enqueue_in_the_callers_transaction_commits_with_it(app: App) -> None:
    executor = TrivialExecutor({"noop": noop})
    async with app.working(executor), await psycopg.AsyncConnection.connect(app.dsn) as connection:
        (job_id,) = await app.enqueue(connection=connection)
        await asyncio.sleep(0.5)
        assert executor.started == []
        await connection.commit()
        await app.wait_for_status("completed", job_id)


async def test_an_enqueue_in_the_callers_transaction_rolls_back_with_it(app: App) -> None:
    async with await psycopg.AsyncConnection.connect(app.dsn) as connection:
        (job_id,) = await app.enqueue(connection=connection)
        await connection.rollback()
    assert await app.queue_rows(job_id) == []
    assert await app.rows("select from public.jobs where job_id = %s", job_id) == []


async def test_a_blocking_connection_can_carry_an_enqueue(app: App) -> None:
    with psycopg.connect(app.dsn) as connection:
        (job_id,) = await app.enqueue(connection=connection)
        assert await app.rows("select from public.jobs where job_id = %s", job_id) == []
    assert (await app.job(job_id))["status"] == "queued"


async def test_anything_else_is_refused_as_a_connection(app: App) -> None:
    with pytest.raises(InputError, match="or Django's connection, not builtins.str"):
        await app.enqueue(connection="postgresql://")


async def test_an_enqueue_sent_twice_makes_one_job(app: App) -> None:
    job = new_job("noop")
    first, second = [(await app.runner.submit([job]))[0] for _ in range(2)]
    assert (first.deduplicated, second.deduplicated) == (False, True)
    assert len(await app.queue_rows(job.job_id)) == 1


async def test_a_held_dedupe_key_answers_with_the_job_that_holds_it(app: App) -> None:
    (first,) = await app.enqueue(dedupe_key="one")
    (second,) = await app.runner.submit([new_job("noop", dedupe_key="one")])
    assert (second.job_id, second.deduplicated) == (first, True)


async def test_concurrent_enqueues_are_all_accepted_and_a_bad_one_harms_none(app: App) -> None:
    bad = new_job("noop", payload={"text": "x"})
    bad = type(bad)(**{**{f: getattr(bad, f) for f in bad.__slots__}, "payload": b'{"text": "\\u0000"}'})
    results = await asyncio.gather(
        *(app.enqueue() for _ in range(20)), app.runner.submit([bad]), return_exceptions=True
    )
    assert isinstance(results[-1], psycopg.DataError)
    assert [type(result) for result in results[:-1]] == [list] * 20
    assert (await app.runner.queue_sizes(["noop"]))["noop"] == 20


async def test_a_failed_attempt_is_retried_and_each_is_on_record(app: App) -> None:
    async def thrice(claim, session, abort):
        if claim.attempt < 3:
            raise RuntimeError(f"attempt {claim.attempt}")
        return claim.attempt

    (job_id,) = await app.enqueue("thrice")
    async with app.working(TrivialExecutor({"thrice": thrice})):
        await app.wait_for_status("completed", job_id)
    details = await app.rows("select step_name, result from job_details where job_id = %s order by retry_count", job_id)
    assert [(row["step_name"], row["result"]["message"]) for row in details] == [
        ("attempt 1", "attempt 1"),
        ("attempt 2", "attempt 2"),
    ]
    assert (await app.job(job_id))["attempt"] == 3


async def test_a_job_without_attempts_left_fails_for_good(app: App) -> None:
    async def never(claim, session, abort):
        raise ValueError("no")

    (job_id,) = await app.enqueue("never", max_attempts=2)
    executor = TrivialExecutor({"never": never})
    async with app.working(executor):
        await app.wait_for_status("failed", job_id)
    assert len(executor.started) == 2
    assert (await app.job(job_id))["error"]["message"] == "no"
    assert await app.queue_rows(job_id) == []


async def test_an_operator_can_retry_a_failed_job_and_its_attempts_count_on(app: App) -> None:
    async def second_life(claim, session, abort):
        if claim.attempt == 1:
            raise ValueError("no")

    (job_id,) = await app.enqueue("phoenix", max_attempts=1)
    async with app.working(TrivialExecutor({"phoenix": second_life})):
        await app.wait_for_status("failed", job_id)
        assert await app.runner.retry(TENANT, job_id)
        await app.wait_for_status("completed", job_id)
        assert not await app.runner.retry(TENANT, job_id)
    assert (await app.job(job_id))["attempt"] == 2


async def test_a_snooze_costs_no_attempt(app: App) -> None:
    seen: list[int] = []

    async def snoozes(claim, session, abort):
        seen.append(claim.attempt)
        return Again(Outcome.SNOOZED, timedelta(milliseconds=50)) if len(seen) < 4 else None

    (job_id,) = await app.enqueue("sleepy", max_attempts=1)
    async with app.working(TrivialExecutor({"sleepy": snoozes})):
        await app.wait_for_status("completed", job_id)
    assert seen == [1, 1, 1, 1]


async def test_a_delayed_job_never_runs_early(app: App) -> None:
    async def now(claim, session, abort):
        return None

    (job_id,) = await app.enqueue(delay=timedelta(seconds=0.7))
    async with app.working(TrivialExecutor({"noop": now})):
        await app.wait_for_status("completed", job_id)
    job = await app.job(job_id)
    waited = (job["completed_at"] - job["created_at"]).total_seconds()
    assert 0.7 <= waited < 1.5


async def test_more_important_jobs_run_first(app: App) -> None:
    ids = [(await app.enqueue(priority=priority))[0] for priority in (0, 5, 10)]
    executor = TrivialExecutor({"noop": noop})
    async with app.working(executor, concurrency=1):
        await app.wait_for_status("completed", *ids)
    assert [claim.priority for claim in executor.started] == [10, 5, 0]


async def test_no_more_jobs_run_at_once_than_there_are_slots(app: App) -> None:
    running, most = 0, 0

    async def counted(claim, session, abort):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1

    ids = await app.enqueue("counted", count=30)
    async with app.working(TrivialExecutor({"counted": counted}), concurrency=4):
        await app.wait_for_status("completed", *ids)
    assert most == 4


async def test_a_busy_queue_does_not_starve_the_others(app: App) -> None:
    async def slow(claim, session, abort):
        await asyncio.sleep(0.01)

    await app.enqueue("a-busy", count=300)
    (rare,) = await app.enqueue("z-rare")
    executor = TrivialExecutor({"a-busy": slow, "z-rare": slow})
    async with app.working(executor, concurrency=2):
        await app.wait_for_status("completed", rare)
    assert len(executor.started) < 200


async def test_a_running_job_is_shown_as_running(app: App) -> None:
    done = asyncio.Event()

    async def waits(claim, session, abort):
        await done.wait()

    (job_id,) = await app.enqueue("waits")
    async with app.working(TrivialExecutor({"waits": waits})) as worker:
        await app.wait_for_status("processing", job_id, seconds=1)
        assert [claim.job_id for claim in worker.running()] == [job_id]
        assert (await app.job(job_id))["worker_id"] == worker.worker_id
        done.set()
        await app.wait_for_status("completed", job_id)


async def test_progress_details_and_steps_are_written_under_the_claim(app: App) -> None:
    async def reports(claim, session, abort):
        await session.progress(40, "so far")
        await session.write_detail("item-1", "completed", b'{"n": 1}', None)
        first = await session.save_step("step#1", b"1")
        again = await session.save_step("step#1", b"2")
        await session.heartbeat()
        return [first.decode(), again.decode(), sorted(await session.load_steps())]

    (job_id,) = await app.enqueue("reports")
    async with app.working(TrivialExecutor({"reports": reports})):
        await app.wait_for_status("completed", job_id)
    job = await app.job(job_id)
    assert job["result"] == ["1", "1", ["step#1"]]
    assert job["progress_message"] == "so far"


async def test_an_ending_that_postgresql_cannot_store_fails_its_job_alone(app: App) -> None:
    async def unstorable(claim, session, abort):
        return "\x00" if claim.payload.find(b"bad") > 0 else "fine"

    bad = await app.enqueue("poison", payload={"tenantId": str(TENANT), "bad": True})
    good = await app.enqueue("poison", count=5)
    async with app.working(TrivialExecutor({"poison": unstorable})):
        await app.wait_for_status("failed", *bad)
        await app.wait_for_status("completed", *good)
    assert "refused to store" in (await app.job(bad[0]))["error"]["message"]


async def test_ended_rows_are_kept_where_the_settings_say_so(app: App, database_dsn: str) -> None:
    async with opened(database_dsn, ended_rows="keep") as keeping:
        (job_id,) = await keeping.enqueue("kept")
        async with keeping.working(TrivialExecutor({"kept": noop})):
            await keeping.wait_for_status("completed", job_id)
        (row,) = await keeping.queue_rows(job_id)
    assert row["state"] == "completed"
    assert row["completed_on"] is not None


async def test_health_tells_the_queue_size_and_the_schema(app: App) -> None:
    await app.enqueue(count=3)
    health = await app.runner.health()
    assert (health.healthy, health.queue_size, health.facts["schema_version"]) == (True, 3, 46)


async def test_a_fire_of_a_schedule_makes_one_job_with_three_workers(app: App) -> None:
    from jobcore.ids import uuid7
    from jobcore.models import Schedule

    executor = TrivialExecutor({"tick": noop})
    schedule = Schedule(
        tenant=TENANT, schedule_id=uuid7(), key="tick", name="tick", handler="tick", interval=timedelta(seconds=1)
    )
    await app.store.put_schedule(schedule)
    async with app.working(executor), app.working(executor), app.working(executor):
        await executor.wait_started(2)

    async def ended() -> bool:
        return len(await app.rows("select from jobs where type = 'tick' and status = 'completed'")) >= 2

    await eventually(ended)
    fires = [row["fire_time"] for row in await app.rows("select fire_time from jobs where type = 'tick'")]
    assert len(fires) == len(set(fires))
