"""Why a job of the queue is not running: each reason that pg-boss's tables tell, in a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql

from jobcore import JobApp
from jobcore.errors import JobNotFoundError
from jobcore.models import Outcome, Settlement
from jobcore.ports import Severity
from jobcore_devkit.databases import database_name
from jobcore_devkit.postgres import PostgresServer
from pgboss_runner.harness import TENANT, App, TrivialExecutor
from pgboss_runner.why_app import OTHER_TENANT, announce, asking, codes, reason, ship

LOGIN = "test_why_login"


@pytest.fixture
async def asked(app: App) -> AsyncGenerator[JobApp]:
    async with asking(app.dsn) as asked:
        yield asked


async def claim(app: App, queue: str, count: int = 1) -> list[UUID]:
    rows = await app.rows("select job_id from jobcore.pgboss_fetch(array[%s], %s, 300)", queue, count)
    assert len(rows) == count
    return [row["job_id"] for row in rows]


async def change(app: App, job_id: UUID, what: str) -> None:
    """Alter a queue row, as time or another program would."""
    query = sql.SQL("update pgboss.job set {} where id = %s returning id").format(sql.SQL(what))  # type: ignore[arg-type]
    assert await app.rows(query, job_id)  # type: ignore[arg-type]


async def test_a_job_of_a_live_workers_queue_is_ready(app: App, asked: JobApp) -> None:
    [job_id] = await app.enqueue("ship")
    await announce(asked, "ship")
    assert await codes(asked, job_id) == ["ready"]


# -- its time ----------------------------------------------------------------------------------------------------------


async def test_a_delayed_job_waits_for_its_time(asked: JobApp) -> None:
    handle = await asked.enqueue(ship, {}, tenant=TENANT, delay=3_600)
    told = await reason(asked, "not_due", handle.job_id)
    assert told.severity is Severity.WAITING
    assert told.summary.startswith("It waits for its time, at ")
    assert told.summary.endswith(", in 60 min.")
    assert (told.facts["retries"], told.facts["error"]) == (False, None)


async def test_a_failed_attempt_waits_for_the_next_and_tells_the_last_error(app: App, asked: JobApp) -> None:
    async def fail(claim: Any, *_: Any) -> Settlement:
        error = {"type": "ValueError", "message": "no mail server"}
        return Settlement(claim=claim, outcome=Outcome.RETRY, error=error, retry_in=timedelta(hours=3))

    [job_id] = await app.enqueue("ship")
    executor = TrivialExecutor({"ship": fail})
    async with app.working(executor):
        await executor.wait_started(1)
        async with asyncio.timeout(10):
            while "not_due" not in await codes(asked, job_id):  # noqa: ASYNC110 - the condition is in the database
                await asyncio.sleep(0.02)
    told = await reason(asked, "not_due", job_id)
    assert "its next attempt, 2 of 3, at " in told.summary
    assert told.summary.endswith("in 3 h. The last one ended with ValueError: no mail server")
    assert told.facts["retries"] is True


# -- who holds it ------------------------------------------------------------------------------------------------------


async def test_a_running_job_names_its_worker_and_its_lease(app: App, asked: JobApp) -> None:
    release = asyncio.Event()

    async def hold(*_: Any) -> None:
        """A handler that does not heed its cancellation, so that the job is still running when it is looked at."""
        try:
            await release.wait()
        except asyncio.CancelledError:
            await release.wait()
            raise

    [job_id] = await app.enqueue("ship")
    executor = TrivialExecutor({"ship": hold})
    async with app.working(executor) as worker:
        await announce(asked, "ship", worker_id=worker.worker_id)
        await app.wait_for_status("processing", job_id)
        told, told_tenant = (
            await reason(asked, "running", job_id),
            await reason(asked, "running", job_id, operator=False),
        )
        assert await codes(asked, job_id) == ["running"]
        await app.runner.cancel(TENANT, job_id)
        cancelled = await reason(asked, "running", job_id)
        release.set()
    assert f"by worker {worker.worker_id} (box:7); its lease lasts until " in told.summary
    assert "attempt 1 of 3" in told.summary
    assert f"`jobcore jobs cancel {job_id} --tenant {TENANT}`" in told.remedy
    assert told.facts["lease_until"] > told.facts["claimed_at"]
    assert "box" not in str(told_tenant)
    assert str(worker.worker_id) not in str(told_tenant)
    assert cancelled.facts["cancel_requested"] is True
    assert "cancellation was asked for" in cancelled.remedy


async def test_a_job_whose_worker_died_says_so(app: App, asked: JobApp) -> None:
    [job_id] = await app.enqueue("ship")
    await claim(app, "ship")
    await change(app, job_id, "heartbeat_on = now() - interval '10 minutes'")
    told = await reason(asked, "running", job_id)
    assert told.severity is Severity.WAITING
    assert "its lease ran out at" in told.summary
    assert told.facts["lease_lost"] is True


async def test_a_deleted_queue_row_is_told_with_what_becomes_of_the_job(app: App, asked: JobApp) -> None:
    [job_id], [other] = await app.enqueue("ship"), await app.enqueue("gone")
    await app.rows("delete from pgboss.job where id = %s returning id", job_id)
    await app.rows("select pgboss.delete_queue('gone')")
    told = await reason(asked, "not_in_queue", job_id)
    assert told.severity is Severity.BLOCKED
    assert "Its row is gone from pg-boss" in told.summary
    assert "cancels it within 60 s" in told.remedy
    assert "Its queue 'gone' and its row are gone" in (await reason(asked, "not_in_queue", other)).summary


# -- limits ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["singleton", "stately"])
async def test_a_key_that_another_job_runs_with_is_held_by_it(app: App, asked: JobApp, policy: str) -> None:
    await app.rows("select pgboss.create_queue('ship', jsonb_build_object('policy', %s::text))", policy)
    [running] = await app.enqueue("ship")
    await claim(app, "ship")
    [waiting] = await app.enqueue("ship")
    told = await reason(asked, "held_key", waiting)
    assert told.severity is Severity.WAITING
    assert f"The policy {policy} of the queue 'ship' runs one job a key" in told.summary
    assert f"the queue is held by job {running}, which is running" in told.summary
    assert told.facts["held_by"] == str(running)


async def test_another_tenants_holder_is_named_to_operators_only(app: App, asked: JobApp) -> None:
    await app.rows("select pgboss.create_queue('ship', '{\"policy\": \"singleton\"}')")
    [running] = await app.enqueue("ship", tenant=OTHER_TENANT, payload={"tenantId": str(OTHER_TENANT)})
    await claim(app, "ship")
    [waiting] = await app.enqueue("ship")
    assert str(running) in (await reason(asked, "held_key", waiting)).summary
    told = await reason(asked, "held_key", waiting, operator=False)
    assert "held by another tenant's job, which is running" in told.summary
    assert (str(running) in str(told), str(OTHER_TENANT) in str(told)) == (False, False)


async def test_a_full_group_names_the_jobs_that_fill_it(app: App) -> None:
    limits = {"ship": {"default": 2, "tiers": {"gold": 3}}}
    async with asking(app.dsn, group_limits=limits) as asked:
        running = await app.enqueue("ship", count=2)
        await claim(app, "ship", 2)
        [waiting], [golden] = await app.enqueue("ship"), await app.enqueue("ship")
        await change(app, golden, "group_tier = 'gold'")
        told = await reason(asked, "group_limit", waiting)
        assert told.severity is Severity.WAITING
        assert f"Its group '{TENANT}' has 2 jobs running" in told.summary
        assert "pgboss.group_limits allows 2 in the queue 'ship'" in told.summary
        assert set(told.facts["held_by"]) == set(map(str, running))
        assert "group_limit" not in await codes(asked, golden)


async def test_a_groups_jobs_of_other_tenants_are_counted_and_not_named(app: App) -> None:
    async with asking(app.dsn, group_limits={"ship": {"default": 1}}) as asked:
        payload = {"tenantId": str(OTHER_TENANT)}
        [running] = await app.enqueue("ship", tenant=OTHER_TENANT, payload=payload)
        [waiting] = await app.enqueue("ship")
        await change(app, waiting, "group_id = 'shared'")
        await change(app, running, "group_id = 'shared', state = 'active', started_on = now()")
        told = await reason(asked, "group_limit", waiting, operator=False)
        assert "Running: 1 job of other tenants." in told.summary
        assert str(running) not in str(told)
        assert str(running) in str(await reason(asked, "group_limit", waiting))


async def test_jobs_that_stand_before_it_are_counted_and_the_first_is_named(app: App, asked: JobApp) -> None:
    [first, *_] = await app.enqueue("ship", count=2, priority=5)
    await app.enqueue("ship", tenant=OTHER_TENANT, payload={"tenantId": str(OTHER_TENANT)})
    await app.enqueue("ship", delay=timedelta(hours=1))
    [waiting] = await app.enqueue("ship")
    await app.enqueue("ship")
    told = await reason(asked, "jobs_ahead", waiting)
    assert told.summary.startswith("3 jobs of the queue stand before it (2 of a higher priority); the first ")
    assert "None of the queue's jobs is running." in told.summary
    assert f"`jobcore why {first} --tenant {TENANT}`" in told.remedy
    told = await reason(asked, "jobs_ahead", waiting, operator=False)
    assert told.summary.startswith("2 jobs of its tenant stand before it; ")
    assert "ahead" not in told.facts
    assert "jobs_ahead" not in await codes(asked, first)


async def test_a_deep_backlog_is_counted_to_ten_thousand(app: App, asked: JobApp) -> None:
    await app.enqueue("ship")
    await app.rows(
        "insert into pgboss.job (name, policy, group_id, data, created_on)"
        " select 'ship', 'standard', %s, '{}', now() - interval '1 hour' from generate_series(1, 12000)"
        " returning null",
        str(TENANT),
    )
    [waiting] = await app.enqueue("ship")
    told = await reason(asked, "jobs_ahead", waiting)
    assert told.summary.startswith("More than 10,000 jobs of the queue stand before it; ")


async def test_whether_the_jobs_ahead_move_is_told(app: App, asked: JobApp) -> None:
    await app.enqueue("ship", count=3)
    [waiting] = await app.enqueue("ship")
    [running] = await claim(app, "ship")
    moving = await reason(asked, "jobs_ahead", waiting)
    assert "2 jobs of the queue stand before it" in moving.summary
    assert "The queue moves" in moving.summary
    await change(app, running, "started_on = now() - interval '20 minutes'")
    halted = await reason(asked, "jobs_ahead", waiting)
    assert "does not move: no job of it has begun or ended for 20 min" in halted.summary
    assert (moving.facts["moves"], halted.facts["moves"]) == (True, False)


async def test_workers_whose_hands_are_full_are_told_with_their_number(app: App, asked: JobApp) -> None:
    await app.enqueue("ship", count=2)
    [waiting] = await app.enqueue("ship")
    await announce(asked, "ship", "mail", concurrency=2)
    await claim(app, "ship")
    assert "workers_busy" not in await codes(asked, waiting)
    await claim(app, "ship")
    told = await reason(asked, "workers_busy", waiting)
    assert told.severity is Severity.WAITING
    assert "The live workers of the queue 'ship' have no free slot: 1 worker, 2 slots, 2 jobs claimed" in told.summary


# -- who asks ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def worker_dsn(postgres_server: PostgresServer, database_dsn: str) -> str:
    """The test's database as a login of the engine's role, which lost two rights on the queue there."""
    with psycopg.connect(database_dsn, autocommit=True) as connection:
        if connection.execute("select from pg_roles where rolname = %s", (LOGIN,)).fetchone() is None:
            connection.execute(sql.SQL("create role {} login in role jobcore_worker").format(sql.Identifier(LOGIN)))
        connection.execute("revoke update, delete on pgboss.job from jobcore_worker")
    return postgres_server.dsn(database_name(database_dsn), user=LOGIN)


async def test_a_login_that_may_not_take_jobs_is_told_what_it_lacks(app: App, worker_dsn: str) -> None:
    [job_id] = await app.enqueue("ship")
    async with asking(worker_dsn) as asked:
        told = await reason(asked, "no_permission", job_id)
        assert told.severity is Severity.BLOCKED
        assert f"The login '{LOGIN}' lacks update on pgboss.job, delete on pgboss.job" in told.summary
        assert "Grant it jobcore_worker" in told.remedy
        assert LOGIN not in str(await reason(asked, "no_permission", job_id, operator=False))


async def test_no_reason_quotes_a_payload(app: App, asked: JobApp) -> None:
    [job_id] = await app.enqueue("ship", payload={"tenantId": str(TENANT), "token": "hunter2"})
    await app.enqueue("ship", payload={"tenantId": str(TENANT), "token": "hunter2"})
    assert "hunter2" not in str(await asked.why(job_id, tenant=TENANT, for_operator=True))


async def test_another_tenants_job_and_one_that_is_nowhere_are_not_found(app: App, asked: JobApp) -> None:
    [job_id] = await app.enqueue("ship")
    for tenant, wanted in ((OTHER_TENANT, job_id), (TENANT, uuid4())):
        with pytest.raises(JobNotFoundError):
            await asked.why(wanted, tenant=tenant, for_operator=True)


async def test_a_job_whose_end_is_known_has_no_other_reason(app: App, asked: JobApp) -> None:
    [job_id] = await app.enqueue("ship")
    await app.enqueue("ship")
    await app.runner.cancel(TENANT, job_id, reason="enough")
    assert await codes(asked, job_id) == ["ended"]
