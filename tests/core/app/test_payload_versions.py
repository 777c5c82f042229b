"""Builds of an application that differ in a payload's version, over one store."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import orjson
import psycopg
import pytest

from jobcore import JobApp, JobContext, JobData, JobState, RetryPolicy, job
from jobcore.errors import InvalidHandlerError, PayloadInvalidError, PayloadVersionError
from jobcore.memory import MemoryRunner, MemoryStore
from jobcore.memory.clock import MovableClock
from jobcore.ports import Severity
from jobcore.settings import Settings
from jobcore.testing import memory_app
from pgboss_runner.harness import eventually

TENANT = uuid4()
QUICK = RetryPolicy(max_attempts=100, initial_interval=timedelta(milliseconds=50), max_interval=timedelta(seconds=1))


class OldGreeting(JobData):
    name: str


class Greeting(JobData):
    names: list[str]


@job("greet", retry=QUICK)
async def old_greet(ctx: JobContext, data: OldGreeting) -> str:
    return f"old {data.name}"


@job("greet", version=2, retry=QUICK)
async def greet(ctx: JobContext, data: Greeting) -> str:
    return f"new {' '.join(data.names)}"


@greet.upcast(from_version=1)
def several(payload: dict[str, Any]) -> dict[str, Any]:
    payload["names"] = [payload.pop("name")]
    return payload


@asynccontextmanager
async def build(store: MemoryStore, handler: Any) -> AsyncGenerator[tuple[JobApp, MemoryRunner]]:
    runner = MemoryRunner(store, mode="manual")
    async with memory_app(runner=runner, handlers=[handler]) as app:
        yield app, runner


async def test_a_job_carries_the_version_that_it_was_enqueued_with() -> None:
    async with memory_app(handlers=[greet]) as app:
        handle = await app.enqueue(greet, Greeting(names=["Ada"]), tenant=TENANT)
        assert (await app.get_job(TENANT, handle.job_id)).payload == {
            "tenantId": str(TENANT), "names": ["Ada"], "payloadVersion": 2,
        }  # fmt: skip
    async with memory_app(handlers=[old_greet]) as app:
        handle = await app.enqueue(old_greet, OldGreeting(name="Ada"), tenant=TENANT)
        assert (await app.get_job(TENANT, handle.job_id)).payload == {"tenantId": str(TENANT), "name": "Ada"}


async def test_an_older_build_enqueues_and_a_newer_one_runs() -> None:
    store = MemoryStore(MovableClock())
    async with build(store, old_greet) as (app, _):
        handle = await app.enqueue(old_greet, OldGreeting(name="Ada"), tenant=TENANT)
    async with build(store, greet) as (app, runner):
        await runner.drain()
        assert (await app.get_job(TENANT, handle.job_id)).result == "new Ada"


async def test_a_sender_may_say_which_version_it_writes() -> None:
    async with memory_app(handlers=[greet]) as app:
        older = await app.enqueue("greet", {"name": "Ada", "payloadVersion": 1}, tenant=TENANT)
        assert "payloadVersion" not in (await app.get_job(TENANT, older.job_id)).payload
        with pytest.raises(PayloadVersionError, match="of version 3, and this build knows version 2"):
            await app.enqueue("greet", {"names": ["Ada"], "payloadVersion": 3}, tenant=TENANT)
        with pytest.raises(PayloadInvalidError, match="names: Field required"):
            await app.enqueue("greet", {"name": "Ada"}, tenant=TENANT)
        runner = await app.runner()
        await runner.drain()
        assert (await app.get_job(TENANT, older.job_id)).result == "new Ada"


async def test_a_schedule_that_an_older_build_made_fires_and_is_triggered_as_what_it_is() -> None:
    store = MemoryStore(MovableClock())
    async with build(store, old_greet) as (app, _):
        await app.schedule("daily", old_greet, timedelta(days=1), OldGreeting(name="Ada"), tenant=TENANT)
    async with build(store, greet) as (app, runner):
        triggered = await app.trigger_schedule(TENANT, "daily")
        await runner.advance(timedelta(days=1, minutes=1))
        await runner.drain()
        jobs = await app.find_jobs(TENANT)
        assert triggered.job_id in {found.job_id for found in jobs}
        assert [found.result for found in jobs] == ["new Ada"] * 2


async def test_why_tells_a_payload_of_a_newer_build_from_one_that_does_not_fit() -> None:
    async with memory_app(handlers=[old_greet]) as app:
        for payload, severity, told in (
            (
                {"names": ["Ada"], "payloadVersion": 2},
                Severity.WAITING,
                "is of version 2, and this build knows version 1",
            ),
            ({"names": ["Ada"]}, Severity.BLOCKED, "does not fit the handler's model"),
        ):
            plan = app.planner.plan(old_greet, OldGreeting(name="Ada"), {"tenant": TENANT})
            await app.store.create_job(replace(plan, payload=orjson.dumps(payload)))
            [reason] = [one for one in (await app.why(plan.job_id, tenant=TENANT)).reasons if one.code == "payload"]
            assert reason.severity is severity
            assert told in reason.summary


async def test_an_application_with_a_gap_among_its_upcasters_does_not_start() -> None:
    @job("greet", version=3)
    async def gapped(ctx: JobContext, data: Greeting) -> None: ...

    gapped.upcast(from_version=1)(several)
    with pytest.raises(InvalidHandlerError, match=r"but not from version 2: write @gapped\.upcast\(from_version=2\)"):
        memory_app(handlers=[gapped])


async def test_while_builds_are_mixed_each_job_ends_at_a_worker_that_can_take_it(database_dsn: str) -> None:
    """On PostgreSQL: the old worker fails attempts at the new build's job until a new worker comes."""
    settings = Settings.load(env={"DATABASE_URL": database_dsn, "JOBCORE_PGBOSS__POLL_INTERVAL_SECONDS": "0.2"})
    async with JobApp(settings, handlers=[old_greet]) as old, JobApp(settings, handlers=[greet]) as new:
        old_worker, new_worker = old.worker(), new.worker()
        await old_worker.start()
        newer = await new.enqueue(greet, Greeting(names=["Ada", "Bob"]), tenant=TENANT)
        await eventually(lambda: _has_failed_once(new, newer.job_id))
        [attempt, *_] = await new.details(TENANT, newer.job_id)
        assert "is of version 2, and this build knows version 1 at most" in str(attempt.result)
        assert not (await newer.status()).status.is_terminal
        await old_worker.stop()
        older = await old.enqueue(old_greet, OldGreeting(name="Eve"), tenant=TENANT)
        await new_worker.start()
        assert await newer.result(timeout=20) == "new Ada Bob"
        assert await older.result(timeout=20) == "new Eve"
        assert (await older.status()).status is JobState.COMPLETED
        await new_worker.stop()


async def test_a_worker_works_on_a_schema_that_is_a_version_old(
    database_dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    with psycopg.connect(database_dsn, autocommit=True) as connection:
        connection.execute("drop table jobcore.payload_schemas")
    async with JobApp(Settings.load(env={"DATABASE_URL": database_dsn}), handlers=[greet]) as app:
        worker = app.worker()
        await worker.start()
        handle = await app.enqueue(greet, Greeting(names=["Ada"]), tenant=TENANT)
        assert await handle.result(timeout=20) == "new Ada"
        await worker.stop()
    assert "could not record what its payloads look like" in caplog.text
    assert "jobcore migrate" in caplog.text


async def _has_failed_once(app: JobApp, job_id: Any) -> bool:
    return bool(await app.details(TENANT, job_id))
