"""F15 on both engines: routes, concurrency, fallback, breaker and retention change while a worker works."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from contract.pgboss_harness import FAST as PGBOSS
from contract.temporal_harness import FAST as TEMPORAL
from jobcore import JobApp, JobContext, JobData, job
from jobcore.settings import Settings
from jobcore_devkit.temporal import TemporalServer
from moving.conftest import PATIENCE, working
from support.fleet import eventually

TENANT = uuid4()


class Data(JobData):
    n: int = 0


@job("report-daily")
async def report(ctx: JobContext, data: Data) -> int:
    return data.n


@job("hold-it")
async def hold_it(ctx: JobContext, data: Data) -> None:
    await ctx.signal.wait()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "jobcore.toml"


def write(file: Path, text: str) -> None:
    file.write_text(text)


@pytest.fixture
def settings(database_dsn: str, jobcore_temporal: TemporalServer, temporal_namespace: str, file: Path) -> Settings:
    """Settings that are read from the file, with the engines' addresses as arguments."""
    temporal = {**TEMPORAL, "address": jobcore_temporal.address, "namespace": temporal_namespace}
    return Settings.load(
        env={},
        folder=file.parent,
        database={"url": database_dsn},
        pgboss=PGBOSS,
        temporal=temporal,
        edition="enterprise",
        runner="temporal",
    )


@pytest.mark.parametrize("engine", ["pgboss", "temporal"])
async def test_a_worker_runs_more_and_fewer_jobs_at_a_time_under_load(
    settings: Settings, file: Path, engine: str
) -> None:
    async with JobApp(settings, handlers=[report, hold_it]) as app:
        worker = app.worker()
        await worker.start()
        await app.enqueue_many(hold_it, [Data()] * 30, tenant=TENANT, runner=engine)
        for wanted in (10, 15):
            write(file, f"[worker]\nconcurrency = {wanted}\n")
            await app.reload()

            async def runs(wanted: int = wanted) -> bool:
                return len(worker.running()) == wanted

            await eventually(runs, f"{wanted} jobs run")
        write(file, "[worker]\nconcurrency = 4\n")
        await app.reload()
        for claim in worker.running():
            await app.cancel(claim.tenant, claim.job_id)

        async def fewer() -> bool:
            return len(worker.running()) == 4

        await eventually(fewer, "four jobs run")
        assert {record.concurrency for record in await app.store.live_workers()} <= {4, 10, 15}
        await worker.stop(timedelta())


async def test_a_route_changes_while_a_worker_of_both_engines_works(settings: Settings, file: Path) -> None:
    async with JobApp(settings, handlers=[report]) as app, working(app):
        for runner in ("temporal", "pgboss", "temporal"):
            write(file, f'[routes]\n"report-*" = "{runner}"\n')
            await app.reload()
            handle = await app.enqueue(report, Data(n=4), tenant=TENANT)
            assert await handle.result(timeout=PATIENCE) == 4
            assert (await app.get_job(TENANT, handle.job_id)).runner_type == runner


async def test_fallback_breaker_and_retention_are_taken_over_and_an_address_is_not(
    settings: Settings, file: Path
) -> None:
    async with JobApp(settings, handlers=[report]) as app, working(app):
        write(
            file,
            "fallback_to_pgboss = false\n[temporal]\nbreaker_failures = 9\nui_url = 'https://temporal.example'\n"
            "[postgres]\nkeep_completed_days = 3\npool_max = 5\n",
        )
        done = await app.reload()
        assert [change.key for change in done.applied] == [
            "fallback_to_pgboss",
            "postgres.keep_completed_days",
            "temporal.breaker_failures",
        ]
        assert done.refused == ("postgres.pool_max", "temporal.ui_url")
        assert (await app.runner("temporal")).fallback is None
        write(file, "")
        await app.reload()
        assert (await app.runner("temporal")).fallback == "pgboss"


def of_pgboss_only(settings: Settings, file: Path, **overrides: object) -> Settings:
    """Settings, from the same file, of a process whose jobs do not go to Temporal yet."""
    temporal = settings.temporal.model_dump(include={"address", "namespace"})
    engines = {"runner": "pgboss", "edition": "enterprise", "temporal": temporal, "pgboss": PGBOSS, **overrides}
    return Settings.load(env={}, folder=file.parent, database={"url": settings.database.url}, **engines)


async def test_a_route_to_an_engine_that_the_worker_does_not_serve_is_warned_of(
    settings: Settings, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with JobApp(of_pgboss_only(settings, file), handlers=[report]) as app, working(app):
        write(file, '[routes]\n"report-*" = "temporal"\n')
        done = await app.reload()
        assert [change.key for change in done.applied] == ["routes"]
        [warning] = done.warnings
        assert warning.startswith("The route 'report-*' sends jobs to 'temporal', which this worker does not serve")
        assert warning in caplog.messages
        write(file, '[routes]\n"report-*" = "pgboss"\n')
        assert (await app.reload()).warnings == ()


async def test_a_route_is_nothing_to_warn_of_where_there_is_no_worker(settings: Settings, file: Path) -> None:
    async with JobApp(of_pgboss_only(settings, file), handlers=[report]) as app:
        write(file, '[routes]\n"report-*" = "temporal"\n')
        assert (await app.reload()).open_points == ()


async def test_a_fallback_that_was_off_at_the_start_is_left_to_a_restart_and_loudly(
    settings: Settings, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(file, "fallback_to_pgboss = false\n")
    off = of_pgboss_only(settings, file, runner="temporal")
    async with JobApp(off, handlers=[report]) as app, working(app):
        write(file, "fallback_to_pgboss = true\n")
        done = await app.reload()
        assert (done.applied, done.refused) == ((), ("fallback_to_pgboss",))
        [warning] = done.warnings
        assert "Restart this process to have it" in warning
        assert warning in caplog.messages
        assert (await app.runner("temporal")).fallback is None
