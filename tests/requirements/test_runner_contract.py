"""R01 to R19: the runner that `JobRunnerFactory` gives, on PostgreSQL with the runner pgboss."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from jobcore import JobContext, JobData, JobRunnerFactory, JobState, NonRetryableError, RetryPolicy, job
from jobcore.app import JobRunnerFace, ScheduledJob
from jobcore.errors import TenantRequiredError
from jobcore.memory import MemoryRunner
from jobcore.ports.runner import JobRunner
from jobcore_devkit.postgres import PostgresServer
from requirements.words import OTHER_TENANT, TENANT, Tables, ended, reaches
from support.fleet import eventually

DATA = {"tenantId": TENANT, "invoice": 7}


class Calls:
    """A handler `(job_id, data)` that notes what it was given."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, Any]] = []

    async def __call__(self, job_id: str, data: dict[str, Any]) -> None:
        self.seen.append((job_id, data["invoice"]))


@pytest.fixture
async def calls(runner: JobRunnerFace) -> Calls:
    """The runner works, with one handler in the documents' form."""
    calls = Calls()

    async def generate_invoice(job_id: str, data: dict[str, Any]) -> None:
        await calls(job_id, data)

    runner.register_handler({"name": "invoice", "handler": generate_invoice, "retry": {"max_attempts": 3}})
    await runner.start()
    return calls


async def test_r01_every_engine_is_behind_one_interface(runner: JobRunnerFace) -> None:
    assert isinstance(await runner.app.runner("pgboss"), JobRunner)
    assert issubclass(MemoryRunner, JobRunner)


async def test_r02_r03_a_registered_handler_gets_the_jobs_id_and_data(runner: JobRunnerFace, calls: Calls) -> None:
    scheduled = await runner.schedule_job("invoice", DATA)
    assert isinstance(scheduled, ScheduledJob)
    assert isinstance(scheduled.job_id, UUID)
    assert scheduled.external_id is None or isinstance(scheduled.external_id, str)
    await ended(runner, scheduled.job_id)
    assert calls.seen == [(str(scheduled.job_id), 7)]


async def test_r04_a_job_for_an_instant_starts_at_it_and_not_before(
    runner: JobRunnerFace, calls: Calls, tables: Tables
) -> None:
    at = datetime.now(UTC) + timedelta(seconds=1.5)
    scheduled = await runner.schedule_job_at("invoice", DATA, at)
    assert (await runner.get_job_status(scheduled.job_id, TENANT)).status is JobState.QUEUED
    await ended(runner, scheduled.job_id)
    row = tables.job(scheduled.job_id)
    assert row["run_at"] == at
    assert row["started_at"] >= at


@pytest.mark.parametrize(("interval", "every"), [("0 0 * * *", None), ("24 hours", timedelta(days=1))])
async def test_r05_a_recurring_job_is_a_row_with_its_next_fire(
    runner: JobRunnerFace, calls: Calls, tables: Tables, interval: str, every: timedelta | None
) -> None:
    scheduled = await runner.schedule_recurring_job("invoice", DATA, interval)
    row = tables.one("select * from cron_jobs where schedule_id = %s", scheduled.job_id)
    assert str(row["tenant"]) == TENANT
    if every is None:
        assert row["pattern"] == interval
        assert row["next_fire"].astimezone(UTC).time().isoformat() == "00:00:00"
    else:
        assert row["interval_ms"] == every / timedelta(milliseconds=1)
        assert row["next_fire"] - row["anchor"] == every
    assert timedelta() < row["next_fire"] - datetime.now(UTC) <= timedelta(days=1)


async def test_r05_a_recurring_job_recurs_until_it_is_cancelled(runner: JobRunnerFace, calls: Calls) -> None:
    scheduled = await runner.schedule_recurring_job("invoice", DATA, "1 second")

    async def fired_twice() -> bool:
        return len(calls.seen) >= 2

    await eventually(fired_twice, "two fires", patience=20)
    assert await runner.cancel_job(scheduled.job_id, TENANT)
    assert not await runner.cancel_job(scheduled.job_id, TENANT)
    assert await runner.app.schedules.list(TENANT) == []


async def test_r06_waiting_delayed_and_running_jobs_are_cancelled(runner: JobRunnerFace) -> None:
    running = asyncio.Event()

    async def hold(ctx: JobContext, data: dict[str, Any]) -> None:
        running.set()
        await ctx.signal.wait()

    runner.register_handler({"name": "hold", "handler": hold})
    waiting = await runner.schedule_job("hold", DATA)
    delayed = await runner.schedule_job_at("hold", DATA, datetime.now(UTC) + timedelta(hours=1))
    for scheduled in (waiting, delayed):
        assert await runner.cancel_job(scheduled.job_id, TENANT)
        assert not await runner.cancel_job(scheduled.job_id, TENANT)
    await runner.start()
    active = await runner.schedule_job("hold", DATA)
    await asyncio.wait_for(running.wait(), 20)
    assert await runner.cancel_job(str(active.job_id), TENANT)
    for scheduled in (waiting, delayed, active):
        assert (await ended(runner, scheduled.job_id)).status is JobState.CANCELLED


async def test_r06_another_tenants_job_is_not_cancelled(runner: JobRunnerFace, calls: Calls) -> None:
    scheduled = await runner.schedule_job_at("invoice", DATA, datetime.now(UTC) + timedelta(hours=1))
    assert not await runner.cancel_job(scheduled.job_id, OTHER_TENANT)
    assert (await runner.get_job_status(scheduled.job_id, TENANT)).status is JobState.QUEUED


async def test_r07_the_status_tells_state_progress_error_and_metadata(runner: JobRunnerFace) -> None:
    half, go_on = asyncio.Event(), asyncio.Event()

    async def import_rows(ctx: JobContext, data: dict[str, Any]) -> None:
        await ctx.progress(50, "half of the rows")
        half.set()
        await go_on.wait()
        if data["fails"]:
            raise NonRetryableError("row 51 has no name")

    runner.register_handler({"name": "import", "handler": import_rows})
    await runner.start()
    scheduled = await runner.schedule_job(
        "import", {"tenantId": TENANT, "fails": False}, {"metadata": {"file": "a.csv"}}
    )
    await asyncio.wait_for(half.wait(), 20)

    async def shown() -> bool:
        status = await runner.get_job_status(scheduled.job_id, TENANT)
        return (status.status, status.progress, status.progress_message) == (
            JobState.PROCESSING,
            50,
            "half of the rows",
        )

    await eventually(shown, "the progress is shown", patience=20)
    go_on.set()
    status = await ended(runner, scheduled.job_id)
    assert (status.status, status.progress, status.error) == ("completed", 100, None)
    assert dict(status.metadata) == {"file": "a.csv"}
    failing = await runner.schedule_job("import", {"tenantId": TENANT, "fails": True})
    status = await ended(runner, failing.job_id)
    assert (status.status, status.progress, status.error) == ("failed", 50, "row 51 has no name")


async def test_r08_a_stop_waits_for_the_running_job_and_a_start_goes_on(runner: JobRunnerFace, tables: Tables) -> None:
    begun, finish = asyncio.Event(), asyncio.Event()

    async def slow(job_id: str, data: dict[str, Any]) -> None:
        begun.set()
        await finish.wait()

    runner.register_handler({"name": "slow", "handler": slow})
    await runner.start()
    first = await runner.schedule_job("slow", DATA)
    await asyncio.wait_for(begun.wait(), 20)
    stopping = asyncio.create_task(runner.stop())
    await asyncio.wait([stopping], timeout=0.3)
    assert not stopping.done()
    finish.set()
    await stopping
    assert tables.job(first.job_id)["status"] == "completed"
    await runner.start()
    second = await runner.schedule_job("slow", DATA)
    assert (await ended(runner, second.job_id)).status is JobState.COMPLETED


async def test_r09_it_is_healthy_while_its_database_answers(
    runner: JobRunnerFace, environment: str, postgres_server: PostgresServer
) -> None:
    assert await runner.is_healthy()
    name = psycopg.conninfo.conninfo_to_dict(environment)["dbname"]
    with psycopg.connect(postgres_server.dsn("postgres"), autocommit=True) as connection:
        connection.execute(f'alter database "{name}" allow_connections false')
        connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,))
        assert not await runner.is_healthy()
        connection.execute(f'alter database "{name}" allow_connections true')

    async def well() -> bool:
        return await runner.is_healthy()

    await eventually(well, "the runner is healthy again", patience=20)
    await runner.stop()
    assert not await runner.is_healthy()


async def test_r10_it_names_its_type(runner: JobRunnerFace, calls: Calls, tables: Tables) -> None:
    assert runner.get_runner_type() == "pgboss"
    scheduled = await runner.schedule_job("invoice", DATA)
    assert tables.job(scheduled.job_id)["runner_type"] == "pgboss"


async def test_r11_priority_user_and_metadata_are_honoured(runner: JobRunnerFace, tables: Tables) -> None:
    order: list[int] = []

    async def note(job_id: str, data: dict[str, Any]) -> None:
        order.append(data["n"])

    runner.register_handler({"name": "note", "handler": note})
    user = uuid4()
    jobs = [
        await runner.schedule_job(
            "note", {"tenantId": TENANT, "n": n}, {"priority": n, "userId": user, "metadata": {"n": n}}
        )
        for n in (1, 3, 2)
    ]
    worker = runner.app.worker(concurrency=1)
    await worker.start()
    for scheduled in jobs:
        await ended(runner, scheduled.job_id)
    await worker.stop()
    assert order == [3, 2, 1]
    row = tables.job(jobs[1].job_id)
    assert (row["user_id"], row["metadata"], row["priority"]) == (user, {"n": 3}, 3)


async def test_r11_a_runtime_or_an_interval_may_stand_in_the_options(
    runner: JobRunnerFace, calls: Calls, tables: Tables
) -> None:
    at = datetime.now(UTC) + timedelta(hours=1)
    delayed = await runner.schedule_job("invoice", DATA, {"runAt": at})
    assert tables.job(delayed.job_id)["run_at"] == at
    recurring = await runner.schedule_job("invoice", DATA, {"interval": "24 hours"})
    assert tables.one("select interval_ms from cron_jobs where schedule_id = %s", recurring.job_id) == {
        "interval_ms": 86_400_000
    }


@pytest.mark.parametrize("data", [{}, {"tenantId": None}, {"tenantId": ""}, None])
async def test_r12_data_without_a_tenant_is_refused_and_nothing_is_stored(
    runner: JobRunnerFace, calls: Calls, tables: Tables, data: dict[str, Any] | None
) -> None:
    with pytest.raises(TenantRequiredError, match="^tenantId is required in job data$"):
        await runner.schedule_job("invoice", data)
    with pytest.raises(TenantRequiredError):
        await runner.schedule_job_at("invoice", data, datetime.now(UTC))
    with pytest.raises(TenantRequiredError):
        await runner.schedule_recurring_job("invoice", data, "24 hours")
    assert tables.all("select job_id from jobs") == []


async def test_r12_the_base_of_job_data_has_the_tenant_and_the_job_service_id(runner: JobRunnerFace) -> None:
    seen: list[JobData] = []

    @job("typed")
    async def typed(ctx: JobContext, data: JobData) -> None:
        seen.append(data)

    runner.register_handler(typed)
    await runner.start()
    service_id = str(uuid4())
    scheduled = await runner.schedule_job("typed", {"tenantId": TENANT, "jobServiceId": service_id})
    await ended(runner, scheduled.job_id)
    assert [(str(data.tenant_id), str(data.job_service_id)) for data in seen] == [(TENANT, service_id)]


async def test_r13_r16_a_handlers_configuration_overrides_retries_and_timeout(
    runner: JobRunnerFace, tables: Tables
) -> None:
    async def work(job_id: str, data: dict[str, Any]) -> None: ...

    runner.register_handler(
        {
            "name": "override",
            "handler": work,
            "retry": {
                "max_attempts": 5,
                "backoff_coefficient": 2.0,
                "initial_interval_ms": 1000,
                "max_interval_ms": 60_000,
            },
            "timeout_ms": 600_000,
        }
    )
    scheduled = await runner.schedule_job("override", DATA)
    definition = runner.app.registry.get("override")
    assert definition.retry == RetryPolicy(max_attempts=5, max_interval=timedelta(minutes=1))
    assert definition.timeout == timedelta(minutes=10)
    assert tables.job(scheduled.job_id)["max_attempts"] == 5
    queued = tables.queued(scheduled.job_id)
    assert (queued["retry_limit"], queued["retry_delay"], queued["retry_delay_max"]) == (4, 1, 60)


async def test_r13_a_handler_that_runs_past_its_timeout_has_failed(runner: JobRunnerFace) -> None:
    async def endless(job_id: str, data: dict[str, Any]) -> None:
        await asyncio.Event().wait()

    runner.register_handler(
        {"name": "endless", "handler": endless, "retry": {"max_attempts": 1}, "timeout_ms": 200}
    )  # fmt: skip
    await runner.start()
    scheduled = await runner.schedule_job("endless", DATA)
    status = await ended(runner, scheduled.job_id)
    assert status.status is JobState.FAILED
    assert "0.2" in str(status.error) or "200" in str(status.error)


async def test_r14_a_listed_error_is_not_retried_and_others_are(runner: JobRunnerFace, tables: Tables) -> None:
    async def fail(job_id: str, data: dict[str, Any]) -> None:
        raise (LookupError if data["final"] else ValueError)("no such account")

    retry = {"max_attempts": 2, "initial_interval_ms": 50, "non_retryable_errors": ["LookupError"]}
    runner.register_handler({"name": "fail", "handler": fail, "retry": retry})
    await runner.start()
    final = await runner.schedule_job("fail", {"tenantId": TENANT, "final": True})
    again = await runner.schedule_job("fail", {"tenantId": TENANT, "final": False})
    assert ((await ended(runner, final.job_id)).attempt, (await ended(runner, again.job_id)).attempt) == (1, 2)


async def test_r15_by_default_a_job_is_tried_three_times_with_growing_waits(
    runner: JobRunnerFace, tables: Tables
) -> None:
    async def fail(job_id: str, data: dict[str, Any]) -> None:
        raise ValueError("no")

    runner.register_handler({"name": "fail", "handler": fail})
    await runner.start()
    scheduled = await runner.schedule_job("fail", DATA)
    status = await ended(runner, scheduled.job_id)
    assert (status.status, status.attempt, status.max_attempts) == (JobState.FAILED, 3, 3)
    attempts = tables.all(
        "select step_name, status, processed_at from job_details where job_id = %s order by processed_at",
        scheduled.job_id,
    )
    assert [(row["step_name"], row["status"]) for row in attempts] == [
        (f"attempt {n}", "failed") for n in (1, 2, 3)
    ]  # fmt: skip
    first, second, third = (row["processed_at"] for row in attempts)
    assert timedelta(seconds=1) <= second - first < third - second
    assert timedelta(seconds=2) <= third - second


async def test_r17_a_configuration_names_engine_database_and_retries(
    factory: JobRunnerFactory, environment: str, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@192.0.2.1/nowhere")
    runner = await factory.create_job_runner(
        {"type": "pgboss", "pgboss": {"connectionString": environment, "retryLimit": 4, "retryBackoff": False}}
    )

    async def work(job_id: str, data: dict[str, Any]) -> None: ...

    runner.register_handler({"name": "work", "handler": work})
    scheduled = await runner.schedule_job("work", DATA)
    queued = tables.queued(scheduled.job_id)
    assert (queued["retry_limit"], queued["retry_backoff"]) == (4, False)


async def test_r18_a_singleton_key_is_one_job_until_that_ends(
    runner: JobRunnerFace, calls: Calls, tables: Tables
) -> None:
    at = datetime.now(UTC) + timedelta(hours=1)
    first = await runner.schedule_job_at("invoice", DATA, at, {"singletonKey": "client-1"})
    second = await runner.schedule_job("invoice", DATA, {"singletonKey": "client-1"})
    assert (second.job_id, second.deduplicated) == (first.job_id, True)
    assert await runner.cancel_job(first.job_id, TENANT)
    third = await runner.schedule_job("invoice", DATA, {"singletonKey": "client-1"})
    assert not third.deduplicated
    await ended(runner, third.job_id)
    assert len(tables.all("select job_id from jobs")) == 2


HANDLERS_ONCE = """
from jobcore import JobContext, JobData, job

@job("async-report")
async def async_report(ctx: JobContext, data: JobData) -> str:
    return await ctx.step("render", lambda: f"async {ctx.attempt}")

@job("thread-report")
def thread_report(ctx: JobContext, data: JobData) -> str:
    ctx.blocking.progress(40, "on the way")
    return "thread"
"""


@pytest.mark.parametrize("engine", ["memory", "pgboss"])
async def test_r19_one_module_of_handlers_runs_unmodified_on_every_engine_here(
    factory: JobRunnerFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    module = f"reports_on_{engine}"
    (tmp_path / f"{module}.py").write_text(HANDLERS_ONCE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("JOBCORE_HANDLERS", module)
    if engine == "memory":
        monkeypatch.setenv("JOBCORE_STORAGE", "memory")
    runner = await factory.create_job_runner({"type": engine})
    await runner.start()
    results = {}
    for name in ("async-report", "thread-report"):
        scheduled = await runner.schedule_job(name, {"tenantId": TENANT})
        results[name] = await runner.app.handle(TENANT, scheduled.job_id).result(timeout=20)
        await reaches(runner, scheduled.job_id, JobState.COMPLETED)
    assert results == {"async-report": "async 1", "thread-report": "thread"}
