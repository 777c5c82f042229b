"""P01 to P06: the Community runner, with the legacy scheduler beside it."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from jobcore import JobContext, JobRunnerFactory, JobScheduler, JobState
from jobcore.app import JobRunnerFace
from jobcore.errors import JobNotFoundError
from requirements.words import TENANT, Tables, ended
from support.fleet import eventually
from support.history import install_event_log, read_history

QUICK = {"max_attempts": 3, "initial_interval_ms": 50}


def moves_of(dsn: str, job_id: UUID) -> list[str]:
    """The states that a job committed, one after the other."""
    states = [move.target for move in read_history(dsn, log=None, ledger=None).moves if move.job_id == job_id]
    return [state for n, state in enumerate(states) if n == 0 or states[n - 1] != state]


async def test_p01_p05_the_legacy_scheduler_and_the_runner_are_one_queue(factory: JobRunnerFactory) -> None:
    seen: list[tuple[str, Any]] = []

    async def old(job_id: str, data: dict[str, Any]) -> None:
        seen.append((job_id, data["n"]))

    scheduler = await JobScheduler.get_instance()
    scheduler.register_job_handler("old", old)
    await scheduler.start()
    runner = await factory.create_job_runner()
    assert runner.get_runner_type() == "pgboss"
    legacy = await scheduler.schedule_immediate_job("old", {"tenantId": TENANT, "n": 1})
    modern = await runner.schedule_job("old", {"tenantId": TENANT, "n": 2})
    for job_id in (legacy, modern.job_id):
        assert (await ended(runner, job_id)).status is JobState.COMPLETED
    assert sorted(seen, key=lambda call: call[1]) == [(legacy, 1), (str(modern.job_id), 2)]
    await scheduler.stop()


async def test_p05_every_call_of_the_legacy_scheduler(factory: JobRunnerFactory, tables: Tables) -> None:
    seen: list[int] = []

    async def old(job_id: str, data: dict[str, Any]) -> None:
        seen.append(data["n"])

    scheduler = await JobScheduler.get_instance()
    scheduler.register_job_handler("old", old)
    await scheduler.start()
    at = datetime.now(UTC) + timedelta(seconds=0.5)
    later = await scheduler.schedule_scheduled_job("old", at, {"n": 1})
    never = await scheduler.schedule_scheduled_job("old", at + timedelta(hours=1), {"n": 2})
    assert await scheduler.cancel_job(never)
    nightly = await scheduler.schedule_recurring_job("old", "0 3 * * *", {"n": 3})
    often = await scheduler.schedule_recurring_job("old", "1 second", {"tenantId": TENANT, "n": 4})
    assert tables.one("select pattern from cron_jobs where schedule_id = %s", nightly) == {"pattern": "0 3 * * *"}

    async def all_ran() -> bool:
        return {1, 4} <= set(seen)

    await eventually(all_ran, "the delayed and the recurring job run", patience=20)
    assert await scheduler.cancel_job(often, TENANT)
    assert await scheduler.cancel_job(nightly)
    assert 2 not in seen
    assert tables.job(later)["started_at"] >= at
    assert tables.job(later)["tenant"] == UUID(int=0)
    await scheduler.stop()


async def test_p02_immediate_delayed_and_recurring_jobs_run(runner: JobRunnerFace) -> None:
    seen: list[str] = []

    async def note(job_id: str, data: dict[str, Any]) -> None:
        seen.append(data["how"])

    runner.register_handler({"name": "note", "handler": note})
    await runner.start()
    soon = datetime.now(UTC) + timedelta(seconds=0.5)
    await runner.schedule_job("note", {"tenantId": TENANT, "how": "now"})
    await runner.schedule_job_at("note", {"tenantId": TENANT, "how": "later"}, soon)
    recurring = await runner.schedule_recurring_job("note", {"tenantId": TENANT, "how": "again"}, "* * * * * *")

    async def all_three() -> bool:
        return set(seen) == {"now", "later", "again"}

    await eventually(all_three, "all three run", patience=20)
    assert await runner.cancel_job(recurring.job_id, TENANT)


async def test_p03_a_failed_attempt_is_retried_with_growing_waits_up_to_three(
    runner: JobRunnerFace, tables: Tables
) -> None:
    async def fail(job_id: str, data: dict[str, Any]) -> None:
        raise RuntimeError("no")

    runner.register_handler({"name": "fail", "handler": fail, "retry": {"max_attempts": 3, "initial_interval_ms": 200}})
    await runner.start()
    scheduled = await runner.schedule_job("fail", {"tenantId": TENANT})
    assert (await ended(runner, scheduled.job_id)).attempt == 3
    first, second, third = (
        row["processed_at"]
        for row in tables.all(
            "select processed_at from job_details where job_id = %s order by processed_at", scheduled.job_id
        )
    )
    assert second - first >= timedelta(milliseconds=200)
    assert third - second >= timedelta(milliseconds=400)


async def test_p04_the_row_goes_from_queued_to_its_end(runner: JobRunnerFace, environment: str) -> None:
    install_event_log(environment)

    async def slow(ctx: JobContext, data: dict[str, Any]) -> None:
        shown = asyncio.Event()

        async def processing() -> bool:
            return (await runner.get_job_status(ctx.job_id, TENANT)).status is JobState.PROCESSING

        await eventually(processing, "the row says that the handler runs", patience=10)
        shown.set()
        if data["fails"]:
            raise RuntimeError("no")

    runner.register_handler({"name": "slow", "handler": slow, "retry": {"max_attempts": 1}})
    await runner.start()
    good = await runner.schedule_job("slow", {"tenantId": TENANT, "fails": False})
    bad = await runner.schedule_job("slow", {"tenantId": TENANT, "fails": True})
    await ended(runner, good.job_id)
    await ended(runner, bad.job_id)
    assert moves_of(environment, good.job_id) == ["queued", "processing", "completed"]
    assert moves_of(environment, bad.job_id) == ["queued", "processing", "failed"]


async def test_p06_an_error_is_logged_recorded_and_harms_no_other_job(
    runner: JobRunnerFace, tables: Tables, caplog: pytest.LogCaptureFixture
) -> None:
    async def picky(job_id: str, data: dict[str, Any]) -> None:
        if data["n"] == 2:
            raise KeyError("password=hunter2 of client 2")

    runner.register_handler({"name": "picky", "handler": picky, "retry": {"max_attempts": 1}})
    await runner.start()
    with caplog.at_level(logging.ERROR, "jobcore"):
        jobs = [await runner.schedule_job("picky", {"tenantId": TENANT, "n": n}) for n in (1, 2, 3)]
        statuses = [await ended(runner, scheduled.job_id) for scheduled in jobs]
    assert [status.status.value for status in statuses] == ["completed", "failed", "completed"]
    (line,) = [record for record in caplog.records if vars(record).get("jobId") == str(jobs[1].job_id)]
    assert (line.levelno, vars(line)["job"]) == (logging.ERROR, "picky")
    error = tables.job(jobs[1].job_id)["error"]
    assert error["type"] == "KeyError"
    assert "hunter2" not in f"{line.getMessage()} {error}"
    with pytest.raises(JobNotFoundError):
        await runner.get_job_status(UUID(int=1), TENANT)
