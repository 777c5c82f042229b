"""B01 to B28, as far as this version goes: the BullMQ guide's words on a real queue."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jobcore import JobApp, JobContext, JobState, enqueue_job, make_job
from jobcore.app import AppJobHandle
from jobcore.errors import HandlerNotFoundError
from jobcore.models import JobFilter, Trigger
from requirements.words import TENANT, Tables
from support.fleet import eventually


@pytest.fixture
async def app(environment: str) -> AsyncIterator[JobApp]:
    async with JobApp() as app:
        yield app


async def ended(handle: AppJobHandle[Any]) -> JobState:
    """Wait until the job has ended."""

    async def there() -> bool:
        return (await handle.status()).status.is_terminal

    await eventually(there, f"job {handle.job_id} ends", patience=20)
    return (await handle.status()).status


async def test_b02_ten_jobs_run_at_a_time(app: JobApp) -> None:
    running, most, go_on = 0, 0, asyncio.Event()

    async def hold(ctx: JobContext, data: dict[str, Any]) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await go_on.wait()
        running -= 1

    app.registry.register(make_job("hold", hold))
    worker = app.worker()
    await worker.start()
    handles = [await enqueue_job(app, "hold", {}) for _ in range(15)]

    async def full() -> bool:
        return running == 10

    await eventually(full, "ten jobs run", patience=20)
    sizes = await app.queue_sizes(["hold"])
    go_on.set()
    for handle in handles:
        assert await ended(handle) is JobState.COMPLETED
    await worker.stop()
    assert most == 10
    assert sizes["hold"] <= 5


async def test_b03_a_job_is_held_for_five_minutes_at_a_time(app: JobApp, tables: Tables) -> None:
    """That the job of a silent worker is retried is shown by tests/pgboss_runner and tests/e2e."""
    app.registry.register(make_job("later", _nothing))
    handle = await enqueue_job(app, "later", {}, delay=60_000)
    assert tables.queued(handle.job_id)["heartbeat_seconds"] == 300


async def test_b04_a_worker_has_connections_of_its_own(app: JobApp, tables: Tables) -> None:
    def connections() -> set[str]:
        rows = tables.all(
            "select application_name as name from pg_stat_activity"
            " where datname = current_database() and application_name like 'jobcore%%'"
        )
        return {row["name"] for row in rows}

    app.registry.register(make_job("now", _nothing))
    handle = await enqueue_job(app, "now", {})
    of_the_application = {"jobcore", "jobcore enqueue"}
    assert connections() == of_the_application
    worker = app.worker()
    await worker.start()
    await ended(handle)
    own = connections() - of_the_application
    assert len(own) >= 2
    assert all(name.startswith("jobcore worker") for name in own)
    await worker.stop()

    async def gone() -> bool:
        return connections() == of_the_application

    await eventually(gone, "the worker's connections are gone")


async def test_b05_ids_are_made_and_a_dedupe_key_stands_for_one_job(app: JobApp) -> None:
    app.registry.register(make_job("later", _nothing))
    first = await enqueue_job(app, "later", {}, delay=60_000, dedupe_key="client-1")
    again = await enqueue_job(app, "later", {}, delay=60_000, dedupe_key="client-1")
    other = await enqueue_job(app, "later", {}, delay=60_000)
    assert (again.job_id, again.deduplicated) == (first.job_id, True)
    assert other.job_id != first.job_id


async def test_b06_the_lines_of_a_handler_name_worker_handler_and_job(
    app: JobApp, caplog: pytest.LogCaptureFixture
) -> None:
    async def speak(ctx: JobContext, data: dict[str, Any]) -> None:
        ctx.logger.info("hello")

    app.registry.register(make_job("speak", speak))
    worker = app.worker()
    await worker.start()
    with caplog.at_level(logging.INFO):
        handle = await enqueue_job(app, "speak", {})
        await ended(handle)
    await worker.stop()
    assert f"[worker][speak:{handle.job_id}] hello" in caplog.messages


async def test_b07_b11_delay_priority_and_attempts_are_in_the_guides_terms(app: JobApp, tables: Tables) -> None:
    seen: list[int] = []

    async def note(ctx: JobContext, data: dict[str, Any]) -> None:
        seen.append(data["n"])

    app.registry.register(make_job("note", note))
    low = await enqueue_job(app, "note", {"n": 1}, priority=10)
    high = await enqueue_job(app, "note", {"n": 2}, priority=1, attempts=7)
    late = await enqueue_job(app, "note", {"n": 3}, delay=700)
    assert [tables.job(handle.job_id)["max_attempts"] for handle in (low, high)] == [3, 7]
    worker = app.worker(concurrency=1)
    await worker.start()
    await ended(late)
    await worker.stop()
    assert seen == [2, 1, 3]
    row = tables.job(late.job_id)
    assert row["started_at"] - row["created_at"] >= timedelta(milliseconds=700)


async def test_b17_b18_cron_jobs_stand_in_the_database_in_utc_and_fire_when_a_worker_starts(
    app: JobApp, tables: Tables
) -> None:
    app.registry.register(make_job("cleanup", _nothing))
    schedule = await app.schedule(
        "nightly-cleanup",
        "cleanup",
        "* * * * * *",
        {"tenantId": TENANT, "days": 90},
        name="Nightly cleanup",
        enabled=True,
        max_attempts=5,
        backoff=2.0,
    )
    row = tables.one("select * from cron_jobs where schedule_id = %s", schedule.schedule_id)
    assert (row["job_id"], row["name"], row["pattern"], row["handler"]) == (
        "nightly-cleanup",
        "Nightly cleanup",
        "* * * * * *",
        "cleanup",
    )
    assert (row["payload"]["days"], row["enabled"], row["max_attempts"], row["backoff_ms"], row["timezone"]) == (
        90,
        True,
        5,
        2000,
        "UTC",
    )
    assert tables.all("select 1 from jobs") == []
    worker = app.worker()
    await worker.start()

    async def fired() -> bool:
        return len(tables.all("select 1 from jobs where status = 'completed'")) >= 2

    await eventually(fired, "two fires", patience=20)
    await worker.stop()
    job = tables.all("select * from jobs order by fire_time limit 1")[0]
    assert (job["max_attempts"], str(job["tenant"]), job["schedule_id"]) == (5, TENANT, schedule.schedule_id)
    assert job["fire_time"].astimezone(UTC) <= datetime.now(UTC)


async def test_b18_a_disabled_cron_job_does_not_fire(app: JobApp, tables: Tables) -> None:
    app.registry.register(make_job("cleanup", _nothing))
    app.registry.register(make_job("probe", _nothing))
    await app.schedule("off", "cleanup", "1 second", {"tenantId": TENANT}, enabled=False)
    await app.schedule("on", "probe", "1 second", {"tenantId": TENANT})
    worker = app.worker()
    await worker.start()

    async def probed() -> bool:
        return len(tables.all("select 1 from jobs where type = 'probe'")) >= 3

    await eventually(probed, "three fires of the other", patience=20)
    await worker.stop()
    assert tables.all("select 1 from jobs where type = 'cleanup'") == []


async def test_b21_every_job_tells_what_asked_for_it_and_a_plain_one_keeps_no_note_of_it(
    app: JobApp, tables: Tables
) -> None:
    app.registry.register(make_job("cleanup", _begets))
    app.registry.register(make_job("probe", _nothing))
    schedule = await app.schedule("tidy", "cleanup", "1 second", {"tenantId": TENANT})
    by_hand = await app.schedules.trigger(TENANT, "tidy")
    plain = await app.enqueue("probe", {"tenantId": TENANT})

    async def worked() -> bool:
        return len(await app.find_jobs(TENANT, JobFilter(states=(JobState.COMPLETED,)))) >= 5

    worker = app.worker()
    await worker.start()
    await eventually(worked, "a fire, the job by hand, their children, and the plain job", patience=20)
    await worker.stop()
    jobs = await app.find_jobs(TENANT, JobFilter(limit=1000))
    fires = [job for job in jobs if job.schedule_id == schedule.schedule_id]
    children = [job for job in jobs if job.parent_job_id is not None]
    assert {job.trigger for job in fires} == {Trigger.CRON}
    assert len(fires) >= 1
    assert len(children) >= 2
    assert {job.trigger for job in children} == {Trigger.ADHOC}
    assert (await app.get_job(TENANT, by_hand.job_id)).trigger is Trigger.CRON_TRIGGER
    assert (await app.get_job(TENANT, plain.job_id)).trigger is Trigger.ADHOC
    assert tables.job(plain.job_id)["metadata"] == {}


async def test_b25_an_unknown_handler_is_an_error_and_a_handlers_error_is_retried_by_attempts(app: JobApp) -> None:
    async def fail(ctx: JobContext, data: dict[str, Any]) -> None:
        raise RuntimeError("no")

    with pytest.raises(HandlerNotFoundError, match="^No handler registered for job: nobody"):
        await enqueue_job(app, "nobody", {})
    retry = make_job("fail", fail).retry
    app.registry.register(make_job("fail", fail, retry=type(retry).from_milliseconds(initial_interval_ms=20)))
    worker = app.worker()
    await worker.start()
    handle = await enqueue_job(app, "fail", {}, attempts=2)
    assert await ended(handle) is JobState.FAILED
    assert (await handle.status()).attempt == 2
    await worker.stop()


def test_b26_no_worker_process_starts_in_a_test_environment(environment: str, tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("jobcore")
    variables = {**os.environ, "JOBCORE_ENV": "test"}
    done = subprocess.run(
        [program, "worker"], env=variables, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    assert "JOBCORE_ENV is test" in done.stderr


async def _nothing(ctx: JobContext, data: dict[str, Any]) -> None: ...


async def _begets(ctx: JobContext, data: dict[str, Any]) -> None:
    await ctx.enqueue("probe", {"tenantId": TENANT})
