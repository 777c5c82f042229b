"""G01 to G25: the pg-boss guide's scheduler on a real queue."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from jobcore import JobApp, JobContext, JobState, PatternScheduler
from jobcore.cli.log_lines import JsonLines
from jobcore.errors import InvalidScheduleError
from jobcore.ids import SYSTEM_TENANT
from jobcore_pgboss.settings import PgBossSettings
from jobcore_postgres.store import PostgresStore
from requirements.words import Tables
from support.fleet import eventually

MODULE = '''
"""Jobs of the audit module."""


async def retention(ctx):
    from {package}.repository import archive

    ctx.logger.info("archiving")
    return {{"archived": archive()}}


def register_audit_jobs(scheduler):
    scheduler.register_cron("audit.retention", "0 3 * * *", retention)
'''


@pytest.fixture(autouse=True)
def without_the_business_handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guide's examples bear names of theirs, and here they are the application's own jobs."""
    monkeypatch.setenv("JOBCORE_PLUGINS__BLOCK", "jobcore-builtin-handlers")


class Repository:
    """A service of the application."""

    name = "audit"


@pytest.fixture
async def scheduler(environment: str) -> AsyncIterator[PatternScheduler]:
    scheduler = PatternScheduler(JobApp(services=[Repository()]))
    yield scheduler
    await scheduler.shutdown()


async def ended(scheduler: PatternScheduler, job_id: str) -> JobState:
    """Wait until the job has ended."""

    async def there() -> bool:
        return (await scheduler.app.get_job("system", job_id)).status.is_terminal

    await eventually(there, f"job {job_id} ends", patience=20)
    return (await scheduler.app.get_job("system", job_id)).status


async def fires(scheduler: PatternScheduler) -> dict[str, datetime]:
    """The next fire of each schedule."""
    schedules = await scheduler.app.schedules.list("system")
    return {schedule.key: schedule.next_fire for schedule in schedules if schedule.next_fire is not None}


def nothing(ctx: JobContext) -> None:
    """Do nothing."""


@pytest.mark.parametrize("engine", ["memory", "pgboss"])
async def test_g01_engines_are_exchanged_without_a_change_of_the_handlers(environment: str, engine: str) -> None:
    if engine == "memory":
        scheduler = PatternScheduler(JobApp(runner="memory", store="memory"))
    else:
        scheduler = PatternScheduler(JobApp(runner="pgboss"))
    seen: list[tuple[str, Any]] = []

    async def note(ctx: JobContext) -> None:
        seen.append((ctx.job_name, ctx.data["n"]))

    scheduler.register_delayed("note", 0, note)
    await scheduler.start()
    assert await ended(scheduler, await scheduler.trigger("note", {"n": 1})) is JobState.COMPLETED
    assert seen == [("note", 1)]
    await scheduler.shutdown()


class TestConnections:
    """G02: no connections beside those of the application."""

    NAMES = """
        select application_name as name
        from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
    """

    async def test_enqueueing_and_asking_stay_within_the_applications_pool(
        self, environment: str, tables: Tables, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("JOBCORE_POSTGRES__POOL_MAX", "2")
        scheduler = PatternScheduler(JobApp())
        scheduler.register_delayed("later", 60_000, nothing)
        await asyncio.gather(*(scheduler.trigger("later") for _ in range(30)))
        assert await scheduler.get_queue_size("later") == 30
        await scheduler.get_health()
        assert 1 <= len(tables.all(self.NAMES)) <= 2
        await scheduler.shutdown()

    async def test_the_applications_own_pool_serves_and_stays_as_it_was(self, environment: str, tables: Tables) -> None:
        seen: list[int] = []

        async def count(ctx: JobContext) -> None:
            async with ctx.db.transaction() as connection:
                cursor = await connection.execute("select count(*) from jobs")
                seen.extend(await cursor.fetchone())

        named = psycopg.conninfo.make_conninfo(environment, application_name="shop")
        settings: dict[str, Any] = {"row_factory": dict_row}
        async with AsyncConnectionPool(named, min_size=1, max_size=2, kwargs=settings, open=False) as pool:
            scheduler = PatternScheduler(JobApp(store=PostgresStore(environment, pool=pool)))
            scheduler.register_delayed("count", 0, count)
            ids = await asyncio.gather(*(scheduler.trigger("count") for _ in range(20)))
            assert {row["name"] for row in tables.all(self.NAMES)} == {"shop"}
            await scheduler.start()
            for job_id in ids:
                assert await ended(scheduler, job_id) is JobState.COMPLETED
            await scheduler.shutdown()
            assert seen == [20] * 20
            async with pool.connection() as connection:
                assert (connection.autocommit, connection.row_factory) == (False, dict_row)
                assert await (await connection.execute("select 1 as one")).fetchone() == {"one": 1}

    async def test_a_job_can_be_enqueued_on_a_connection_that_the_application_has_already(
        self, scheduler: PatternScheduler, environment: str, tables: Tables
    ) -> None:
        scheduler.register_delayed("later", 60_000, nothing)
        await scheduler.app.open()
        async with await psycopg.AsyncConnection.connect(environment) as connection:
            await connection.execute("create table orders (id int)")
            await connection.execute("insert into orders values (1)")
            handle = await scheduler.app.enqueue("later", {"tenantId": "system"}, connection=connection)
            assert tables.all("select 1 from jobs where job_id = %s", handle.job_id) == []
        assert tables.job(handle.job_id)["status"] == "queued"

    async def test_services_are_found_through_the_context(self, scheduler: PatternScheduler) -> None:
        found: list[str] = []

        async def look(ctx: JobContext) -> None:
            found.append(ctx.services.get(Repository).name)

        scheduler.register_delayed("look", 0, look)
        await scheduler.start()
        await ended(scheduler, await scheduler.trigger("look"))
        assert found == ["audit"]


@pytest.mark.parametrize(
    ("pattern", "is_slot"),
    [
        ("*/15 * * * *", lambda at: at.minute % 15 == 0),
        ("0 3 * * *", lambda at: (at.hour, at.minute) == (3, 0)),
        ("0 9 * * 1", lambda at: (at.weekday(), at.hour, at.minute) == (0, 9, 0)),
        ("30 2 1 * *", lambda at: (at.day, at.hour, at.minute) == (1, 2, 30)),
    ],
)
async def test_g03_cron_patterns_stand_in_the_database_with_their_next_slot(
    scheduler: PatternScheduler, pattern: str, is_slot: Callable[[datetime], bool]
) -> None:
    scheduler.register_cron("job", pattern, nothing)
    await scheduler.start()
    at = (await fires(scheduler))["job"].astimezone(UTC)
    assert at > datetime.now(UTC) - timedelta(seconds=5)
    assert is_slot(at)
    assert at.second == 0


async def test_g03_a_pattern_that_does_not_parse_is_refused_where_it_is_registered(scheduler: PatternScheduler) -> None:
    with pytest.raises(InvalidScheduleError):
        scheduler.register_cron("job", "0 25 * * *", nothing)


async def test_g04_an_interval_fires_on_its_grid(scheduler: PatternScheduler, tables: Tables) -> None:
    scheduler.register_interval("tick", 1000, nothing)
    await scheduler.start()

    async def three() -> bool:
        return len(tables.all("select 1 from jobs where type = 'tick' and status = 'completed'")) >= 3

    await eventually(three, "three fires", patience=20)
    times = [
        row["fire_time"] for row in tables.all("select fire_time from jobs where type = 'tick' order by fire_time")
    ]
    assert all((at - times[0]) % timedelta(seconds=1) == timedelta() for at in times)
    assert len(set(times)) == len(times)


async def test_g04_an_interval_is_at_least_a_second(scheduler: PatternScheduler) -> None:
    """The guide rounds up to minutes; its own example of 30 seconds needs less (DESIGN 14)."""
    with pytest.raises(InvalidScheduleError):
        scheduler.register_interval("tick", 999, nothing)


async def test_g05_g06_a_delayed_job_runs_once_after_its_delay_on_each_trigger(
    scheduler: PatternScheduler, tables: Tables
) -> None:
    seen: list[Any] = []

    async def remind(ctx: JobContext) -> None:
        seen.append(ctx.data["who"])

    scheduler.register_delayed("remind", 700, remind)
    await scheduler.start()
    job_id = await scheduler.trigger("remind", {"who": "Ada"})
    assert isinstance(job_id, str)
    assert await ended(scheduler, job_id) is JobState.COMPLETED
    row = tables.job(job_id)
    assert row["started_at"] - row["created_at"] >= timedelta(milliseconds=700)
    assert row["tenant"] == SYSTEM_TENANT
    assert seen == ["Ada"]
    assert await fires(scheduler) == {}


async def test_g07_a_shutdown_waits_for_the_running_job(scheduler: PatternScheduler, tables: Tables) -> None:
    begun, finish = asyncio.Event(), asyncio.Event()

    async def slow(ctx: JobContext) -> None:
        begun.set()
        await finish.wait()

    scheduler.register_delayed("slow", 0, slow)
    await scheduler.start()
    job_id = await scheduler.trigger("slow")
    await asyncio.wait_for(begun.wait(), 20)
    stopping = asyncio.create_task(scheduler.shutdown())
    await asyncio.wait([stopping], timeout=0.3)
    assert not stopping.done()
    finish.set()
    await stopping
    assert tables.job(job_id)["status"] == "completed"


async def test_g08_g09_health_and_queue_size_count_what_waits(scheduler: PatternScheduler) -> None:
    scheduler.register_delayed("later", 3_600_000, nothing)
    scheduler.register_delayed("other", 3_600_000, nothing)
    assert await scheduler.get_health() == {"healthy": False}
    await scheduler.start()
    assert await scheduler.get_health() == {"healthy": True, "queueSize": 0}
    for name in ("later", "later", "other"):
        await scheduler.trigger(name)
    assert await scheduler.get_queue_size("later") == 2
    assert await scheduler.get_queue_size("other") == 1
    assert await scheduler.get_queue_size("unheard-of") == 0
    assert await scheduler.get_health() == {"healthy": True, "queueSize": 3}


async def test_g10_the_context_has_database_logger_ids_and_data(
    scheduler: PatternScheduler, caplog: pytest.LogCaptureFixture
) -> None:
    seen: dict[str, Any] = {}

    async def look(ctx: JobContext) -> None:
        async with ctx.db.transaction() as connection:
            cursor = await connection.execute("select count(*) from jobs")
            seen["rows"] = (await cursor.fetchone())[0]
        ctx.logger.info("looked at %d rows", seen["rows"])
        seen.update(job_id=str(ctx.job_id), job_name=ctx.job_name, data=ctx.data)

    scheduler.register_delayed("audit.look", 0, look)
    await scheduler.start()
    with caplog.at_level(logging.INFO):
        job_id = await scheduler.trigger("audit.look", {"since": "2026-01-01"})
        await ended(scheduler, job_id)
    assert (seen["rows"], seen["job_id"], seen["job_name"]) == (1, job_id, "audit.look")
    assert seen["data"]["since"] == "2026-01-01"
    (line,) = [record for record in caplog.records if "looked at 1 rows" in record.getMessage()]
    assert (vars(line)["job"], vars(line)["jobId"]) == ("audit.look", job_id)


async def test_g11_g12_a_module_registers_its_jobs_and_loads_its_repository_when_they_run(
    scheduler: PatternScheduler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = "guide_audit"
    (tmp_path / package / "jobs").mkdir(parents=True)
    (tmp_path / package / "__init__.py").touch()
    (tmp_path / package / "repository.py").write_text("def archive():\n    return 3\n")
    (tmp_path / package / "jobs" / "__init__.py").write_text(MODULE.format(package=package))
    monkeypatch.syspath_prepend(tmp_path)
    jobs = __import__(f"{package}.jobs", fromlist=["register_audit_jobs"])
    jobs.register_audit_jobs(scheduler)
    await scheduler.start()
    assert set(await fires(scheduler)) == {"audit.retention"}
    assert f"{package}.repository" not in sys.modules
    handle = scheduler.app.handle("system", UUID(await scheduler.trigger("audit.retention")))
    assert await handle.result(timeout=20) == {"archived": 3}
    assert f"{package}.repository" in sys.modules


async def test_g13_a_failure_is_retried_twice_first_after_five_seconds(
    scheduler: PatternScheduler, tables: Tables
) -> None:
    def fail(ctx: JobContext) -> None:
        raise RuntimeError("no")

    scheduler.register_delayed("fail", 0, fail)
    await scheduler.start()
    job_id = await scheduler.trigger("fail")

    async def failed_once() -> bool:
        return len(tables.all("select 1 from job_details where job_id = %s", job_id)) == 1

    await eventually(failed_once, "the first attempt fails", patience=20)
    queued = tables.queued(job_id)
    assert (queued["state"], queued["retry_limit"], queued["retry_delay"]) == ("retry", 2, 5)
    assert queued["retry_backoff"] is True
    attempt = tables.one("select processed_at from job_details where job_id = %s", job_id)
    assert abs(queued["start_after"] - attempt["processed_at"] - timedelta(seconds=5)) < timedelta(seconds=1)


class TestQueueSettings:
    """G14: pg-boss's schema and the guide's times."""

    async def test_a_run_expires_after_five_minutes(
        self, environment: str, tables: Tables, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("JOBCORE_PGBOSS__EXPIRY_MARGIN_SECONDS", "0")
        scheduler = PatternScheduler(JobApp())
        scheduler.register_delayed("later", 60_000, nothing)
        waiting = await scheduler.trigger("later")
        assert tables.queued(waiting)["expire_seconds"] == 300
        await scheduler.shutdown()

    def test_maintenance_comes_every_ten_seconds(self) -> None:
        assert PgBossSettings().rescue_interval_seconds == 10

    async def test_an_ended_row_is_gone_at_once_for_the_jobs_table_is_the_archive(
        self, scheduler: PatternScheduler, tables: Tables
    ) -> None:
        scheduler.register_delayed("short", 0, nothing)
        await scheduler.start()
        done = await scheduler.trigger("short")
        await ended(scheduler, done)
        assert tables.all("select 1 from pgboss.job where id = %s", done) == []
        assert tables.job(done)["status"] == "completed"

    async def test_where_ended_rows_are_kept_pg_boss_deletes_them_after_a_day(
        self, environment: str, tables: Tables, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("JOBCORE_PGBOSS__ENDED_ROWS", "keep")
        scheduler = PatternScheduler(JobApp())
        scheduler.register_delayed("short", 0, nothing)
        await scheduler.start()
        done = await scheduler.trigger("short")
        await ended(scheduler, done)
        row = tables.queued(done)
        assert (row["state"], row["deletion_seconds"]) == ("completed", 86_400)
        await scheduler.shutdown()


class TestLogs:
    """G15 and G16: one structured line for each attempt that ends."""

    @pytest.fixture
    def lines(self) -> Any:
        """All that is logged, as the JSON lines of a worker."""
        written: list[dict[str, Any]] = []

        class Keep(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                written.append(json.loads(JsonLines().format(record)))

        handler, logger = Keep(), logging.getLogger("jobcore")
        level = logger.level
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        yield written
        logger.removeHandler(handler)
        logger.setLevel(level)

    async def test_g16_a_success_is_one_line(self, scheduler: PatternScheduler, lines: list[dict[str, Any]]) -> None:
        scheduler.register_delayed("audit.retention", 0, nothing)
        await scheduler.start()
        job_id = await scheduler.trigger("audit.retention")
        await ended(scheduler, job_id)
        (line,) = [line for line in lines if line.get("jobId") == job_id]
        assert {key: line[key] for key in ("job", "jobId", "level", "msg")} == {
            "job": "audit.retention",
            "jobId": job_id,
            "level": "info",
            "msg": "Job completed successfully",
        }

    async def test_g15_a_failure_is_logged_with_error_and_job_id_and_raised_on(
        self, scheduler: PatternScheduler, lines: list[dict[str, Any]], tables: Tables
    ) -> None:
        def fail(ctx: JobContext) -> None:
            raise ValueError("the archive is full")

        scheduler.register_delayed("audit.retention", 0, fail)
        await scheduler.start()
        job_id = await scheduler.trigger("audit.retention")

        async def logged() -> bool:
            return any(line.get("jobId") == job_id for line in lines)

        await eventually(logged, "the failure is logged", patience=20)
        (line,) = [line for line in lines if line.get("jobId") == job_id]
        assert (line["level"], line["error"]["message"]) == ("error", "the archive is full")

        async def retried() -> bool:
            return tables.queued(job_id)["state"] == "retry"

        await eventually(retried, "the failed job waits for its retry", patience=20)

    async def test_g16_the_lines_can_be_switched_off(
        self, environment: str, lines: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("JOBCORE_LOG__FINISHED_JOBS", "false")
        scheduler = PatternScheduler(JobApp())
        scheduler.register_delayed("audit.retention", 0, nothing)
        await scheduler.start()
        job_id = await scheduler.trigger("audit.retention")
        await ended(scheduler, job_id)
        await scheduler.shutdown()
        assert [line for line in lines if line.get("jobId") == job_id] == []


async def test_g17_a_scheduled_job_is_triggered_by_hand_beside_its_fires(
    scheduler: PatternScheduler, tables: Tables
) -> None:
    scheduler.register_cron("audit.retention", "0 3 * * *", nothing)
    await scheduler.start()
    before = await fires(scheduler)
    by_code = await scheduler.trigger("audit.retention")
    by_schedule = await scheduler.app.schedules.trigger("system", "audit.retention")
    for job_id in (by_code, str(by_schedule.job_id)):
        assert await ended(scheduler, job_id) is JobState.COMPLETED
        assert tables.job(job_id)["metadata"]["trigger"] == "cronTrigger"
    assert await fires(scheduler) == before


async def test_g18_g19_g20_the_guides_examples_are_scheduled_as_it_says(scheduler: PatternScheduler) -> None:
    scheduler.register_cron("audit.retention", "0 3 * * *", nothing)
    scheduler.register_interval("email.process-queue", 30_000, nothing)
    scheduler.register_interval("notifs.cleanup", 3_600_000, nothing)
    await scheduler.start()
    schedules = {schedule.key: schedule for schedule in await scheduler.app.schedules.list("system")}
    assert {key: schedule.pattern or schedule.interval for key, schedule in schedules.items()} == {
        "audit.retention": "0 3 * * *",
        "email.process-queue": timedelta(seconds=30),
        "notifs.cleanup": timedelta(hours=1),
    }
    assert {schedule.timezone for schedule in schedules.values()} == {"UTC"}


async def test_g21_in_a_test_environment_a_started_scheduler_works_triggered_jobs(
    environment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOBCORE_ENV", "test")
    scheduler = PatternScheduler(JobApp())
    scheduler.register_cron("audit.retention", "0 3 * * *", lambda ctx: "done")
    await scheduler.start()
    job_id = await scheduler.trigger("audit.retention")
    assert await scheduler.app.handle("system", UUID(job_id)).result(timeout=20) == "done"
    await scheduler.shutdown()


async def test_g22_after_a_shutdown_it_starts_again_and_its_schedules_are_there_once(
    scheduler: PatternScheduler,
) -> None:
    scheduler.register_cron("audit.retention", "0 3 * * *", nothing)
    for _ in range(2):
        await scheduler.start()
        assert await scheduler.get_health() == {"healthy": True, "queueSize": 0}
        assert await ended(scheduler, await scheduler.trigger("audit.retention")) is JobState.COMPLETED
        assert list(await fires(scheduler)) == ["audit.retention"]
        await scheduler.shutdown()
        assert await scheduler.get_health() == {"healthy": False}
