"""What observers and middleware of an application meet, in memory and on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from jobcore import JobApp, JobContext, JobData, JobState, RetryPolicy, job
from jobcore.memory import MemoryRunner
from jobcore.models import Claim, Enqueued, NewJob, Outcome, Settlement
from jobcore.plugins import hookimpl
from jobcore.ports import CallNext, Observer
from jobcore.settings import Settings
from jobcore.testing.apps import quiet_settings
from jobcore_devkit.postgres import PostgresServer
from support.execution import until

TENANT = uuid4()
SOON = RetryPolicy(max_attempts=2, initial_interval=timedelta(milliseconds=10))
PATIENCE = 20


class Data(JobData):
    n: int = 0


@job("leaf")
async def leaf(ctx: JobContext, data: Data) -> int:
    return data.n


@job("branch")
async def branch(ctx: JobContext, data: Data) -> None:
    await ctx.enqueue(leaf, Data(n=1))
    async with ctx.complete_in(ctx.db) as connection:
        await ctx.enqueue(leaf, Data(n=2), connection=connection)


@job("stumble", retry=SOON)
async def stumble(ctx: JobContext, data: Data) -> None:
    raise LookupError("nothing there")


HANDLERS = [leaf, branch, stumble]


class Notes(Observer):
    """Writes down what it hears."""

    def __init__(self) -> None:
        self.enqueued: list[tuple[str, UUID, bool]] = []
        self.started: list[tuple[UUID, int]] = []
        self.settled: list[tuple[UUID, Outcome, bool]] = []
        self.engine: list[str] = []

    def job_enqueued(self, job: NewJob, enqueued: Enqueued) -> None:
        self.enqueued.append((job.name, enqueued.job_id, enqueued.deduplicated))

    def job_started(self, claim: Claim) -> None:
        self.started.append((claim.job_id, claim.attempt))

    def job_settled(self, settlement: Settlement, applied: bool) -> None:
        self.settled.append((settlement.claim.job_id, settlement.outcome, applied))

    def runner_degraded(self, runner_type: str, reason: str) -> None:
        self.engine.append(f"{runner_type} lost: {reason}")

    def runner_recovered(self, runner_type: str) -> None:
        self.engine.append(f"{runner_type} is back")


class Fatal(Observer):
    """Raises what no caller would survive."""

    def job_enqueued(self, job: NewJob, enqueued: Enqueued) -> None:
        raise SystemExit("observer")

    def job_started(self, claim: Claim) -> None:
        raise asyncio.CancelledError

    def job_settled(self, settlement: Settlement, applied: bool) -> None:
        raise GeneratorExit

    def jobs_rescued(self, runner_type: str, job_ids: Sequence[str]) -> None:
        raise SystemExit("observer")


@asynccontextmanager
async def working(kind: str, dsn: str | None, **options: Any) -> AsyncGenerator[JobApp]:
    """An application with a worker, in memory or on PostgreSQL."""
    if kind == "memory":
        app = JobApp(
            quiet_settings(plugins={"allow": []}), runner=MemoryRunner(mode="worker"), handlers=HANDLERS, **options
        )
    else:
        environment = {"DATABASE_URL": dsn or "", "JOBCORE_PGBOSS__POLL_INTERVAL_SECONDS": "0.2"}
        app = JobApp(Settings.load(env=environment), handlers=HANDLERS, **options)
    async with app:
        worker = app.worker()
        await worker.start()
        try:
            yield app
        finally:
            await worker.stop(timedelta(seconds=5))


@pytest.fixture(params=["memory", "pgboss"])
def engine(request: pytest.FixtureRequest) -> tuple[str, str | None]:
    kind: str = request.param
    return kind, request.getfixturevalue("database_dsn") if kind == "pgboss" else None


async def ended(app: JobApp, count: int) -> list[UUID]:
    """Wait until so many jobs have ended, and return all jobs."""
    async with asyncio.timeout(PATIENCE):
        while True:
            jobs = await app.find_jobs(TENANT)
            if len(jobs) >= count and all(found.status.is_terminal for found in jobs):
                return [found.job_id for found in jobs]
            await asyncio.sleep(0.02)


async def test_every_job_that_this_process_enqueues_is_told(engine: tuple[str, str | None]) -> None:
    notes = Notes()
    async with working(*engine, observers=[notes]) as app:
        await app.enqueue(branch, Data(), tenant=TENANT)
        await app.enqueue_many(leaf, [Data(n=3), Data(n=4)], tenant=TENANT)
        first = await app.enqueue(leaf, Data(), tenant=TENANT, dedupe_key="k", delay=0.5)
        again = await app.enqueue(leaf, Data(), tenant=TENANT, dedupe_key="k")
        await app.schedule("s", leaf, timedelta(days=1), Data(n=5), tenant=TENANT)
        triggered = await app.trigger_schedule(TENANT, "s")
        jobs = await ended(app, 7)
    assert sorted(job_id for _, job_id, twice in notes.enqueued if not twice) == sorted(jobs)
    assert ("leaf", first.job_id, True) in notes.enqueued
    assert again.deduplicated
    assert ("leaf", triggered.job_id, False) in notes.enqueued


async def test_a_fire_of_a_schedule_is_told(engine: tuple[str, str | None]) -> None:
    notes = Notes()
    async with working(*engine, observers=[notes]) as app:
        await app.schedule("s", leaf, timedelta(seconds=1), Data(), tenant=TENANT)
        await until(lambda: notes.enqueued, seconds=PATIENCE)
        await app.schedules.pause(TENANT, "s")
        [(_, job_id, _), *_] = notes.enqueued
        assert (await app.get_job(TENANT, job_id)).type == "leaf"


async def test_each_attempt_is_told_from_start_to_end(engine: tuple[str, str | None]) -> None:
    notes = Notes()
    async with working(*engine, observers=[notes]) as app:
        handle = await app.enqueue(stumble, Data(), tenant=TENANT)
        await ended(app, 1)
        await until(lambda: len(notes.settled) >= 2, seconds=PATIENCE)
    assert notes.started == [(handle.job_id, 1), (handle.job_id, 2)]
    assert notes.settled == [(handle.job_id, Outcome.RETRY, True), (handle.job_id, Outcome.FAILED, True)]


async def test_no_observer_can_harm_a_job_an_enqueue_or_the_worker(engine: tuple[str, str | None]) -> None:
    notes = Notes()
    async with working(*engine, observers=[Fatal(), notes]) as app:
        for n in range(3):
            handle = await app.enqueue(leaf, Data(n=n), tenant=TENANT)
            assert await handle.result(timeout=PATIENCE) == n
        await app.enqueue(branch, Data(), tenant=TENANT)
        jobs = await ended(app, 6)
        assert (await app.metrics(TENANT)).by_state[JobState.COMPLETED] == 6
    assert sorted(job_id for _, job_id, _ in notes.enqueued) == sorted(jobs)


async def test_middleware_of_plugins_and_of_the_application_is_nested_in_its_order(
    engine: tuple[str, str | None],
) -> None:
    order: list[str] = []

    def named(name: str) -> Any:
        async def middleware(ctx: JobContext, call_next: CallNext) -> Any:
            order.append(name)
            return [name, await call_next()]

        return middleware

    class Plugin:
        @hookimpl
        def jobcore_register_middleware(self, registry: Any) -> None:
            registry.add(named("inner"), order=10)
            registry.add(named("outer"), order=-10)

    async with working(*engine, plugins=[Plugin()], middleware=[named("own-1"), named("own-2")]) as app:
        handle = await app.enqueue(leaf, Data(n=7), tenant=TENANT)
        await ended(app, 1)
        record = await app.get_job(TENANT, handle.job_id)
    assert order == ["outer", "own-1", "own-2", "inner"]
    assert record.result == ["outer", ["own-1", ["own-2", ["inner", 7]]]]


async def test_a_middleware_decides_what_becomes_of_an_attempt(engine: tuple[str, str | None]) -> None:
    async def decides(ctx: JobContext, call_next: CallNext) -> Any:
        if ctx.data.n == 1:
            raise PermissionError("not today")
        try:
            return await call_next()
        except LookupError:
            return "swallowed"

    async with working(*engine, middleware=[decides]) as app:
        refused = await app.enqueue(stumble, Data(n=1), tenant=TENANT)
        swallowed = await app.enqueue(stumble, Data(n=2), tenant=TENANT)
        await ended(app, 2)
        failed, completed = [await app.get_job(TENANT, one.job_id) for one in (refused, swallowed)]
        assert (failed.status, failed.attempt) == (JobState.FAILED, 2)
        assert failed.error is not None
        assert failed.error["message"] == "not today"
        assert (completed.status, completed.result, completed.attempt) == (JobState.COMPLETED, "swallowed", 1)


async def test_an_engine_that_goes_away_and_comes_back_is_told_once_each(
    durable_postgres_server: PostgresServer, durable_database_dsn: str
) -> None:
    notes = Notes()
    async with working("pgboss", durable_database_dsn, observers=[Fatal(), notes]) as app:
        await asyncio.to_thread(durable_postgres_server.stop, "immediate")
        await until(lambda: notes.engine, seconds=PATIENCE)
        await asyncio.to_thread(durable_postgres_server.start)
        await until(lambda: len(notes.engine) >= 2, seconds=PATIENCE)
        handle = await app.enqueue(leaf, Data(n=9), tenant=TENANT)
        assert await handle.result(timeout=PATIENCE) == 9
    assert [told.partition(":")[0] for told in notes.engine] == ["pgboss lost", "pgboss is back"]


async def test_one_lost_connection_is_not_a_lost_engine(database_dsn: str) -> None:
    notes = Notes()
    async with working("pgboss", database_dsn, observers=[notes]) as app:
        async with await psycopg.AsyncConnection.connect(database_dsn, autocommit=True) as connection:
            killed = await connection.execute(
                "select count(pg_terminate_backend(pid)) from pg_stat_activity "
                "where datname = current_database() and application_name like 'jobcore worker%'"
            )
            assert await killed.fetchone() != (0,)
        handle = await app.enqueue(leaf, Data(n=9), tenant=TENANT)
        assert await handle.result(timeout=PATIENCE) == 9
    assert notes.engine == []
