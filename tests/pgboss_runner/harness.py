"""A small application around the pgboss runner: one store, one runner, handlers by name, and looks into the tables."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import psycopg
from psycopg.rows import dict_row

from jobcore.execution.abort import Abort
from jobcore.ids import uuid7
from jobcore.models import Claim, Enqueued, NewJob, Outcome, Settlement
from jobcore.ports.observer import Observer
from jobcore.ports.runner import AbortControl, ClaimSession, Worker, WorkerHost
from jobcore_pgboss.runner import PgBossRunner
from jobcore_pgboss.settings import PgBossSettings
from jobcore_postgres.settings import PostgresSettings
from jobcore_postgres.store import PostgresStore

TENANT = UUID("11111111-1111-7111-8111-111111111111")

Work = Callable[[Claim, ClaimSession, Abort], Awaitable[Any]]

FAST: dict[str, Any] = {
    "lease_seconds": 2,
    "rescue_interval_seconds": 0.2,
    "poll_interval_seconds": 0.2,
    "cancel_poll_seconds": 0.1,
    "probe_interval_seconds": 0.2,
}


@dataclass
class Again:
    """What a handler returns or raises to be tried again, or snoozed."""

    outcome: Outcome
    after: timedelta = timedelta()


class TrivialExecutor:
    """Runs plain coroutines by handler name: a return completes, an error retries, a seen abort decides."""

    def __init__(self, works: Mapping[str, Work]) -> None:
        self.works = works
        self.started: list[Claim] = []
        self.start = asyncio.Condition()

    async def execute(self, claim: Claim, session: ClaimSession, abort: AbortControl) -> Settlement:
        assert isinstance(abort, Abort)
        self.started.append(claim)
        async with self.start:
            self.start.notify_all()
        work = asyncio.ensure_future(self.works[claim.name](claim, session, abort))
        watcher = asyncio.ensure_future(abort.wait())
        try:
            await asyncio.wait([work, watcher], return_when=asyncio.FIRST_COMPLETED)
        finally:
            watcher.cancel()
            if not work.done():
                work.cancel()
                await asyncio.wait([work])
        return self._settlement(claim, work, abort)

    def _settlement(self, claim: Claim, work: asyncio.Future[Any], abort: Abort) -> Settlement:
        if work.cancelled():
            if abort.kind == "lost":
                return Settlement(claim=claim, outcome=Outcome.RELEASED, settled=True)
            outcome = Outcome.RELEASED if abort.kind == "shutdown" else Outcome.CANCELLED
            return Settlement(
                claim=claim, outcome=outcome, error={"reason": abort.reason, "cancelled_by": abort.aborted_by}
            )
        if (error := work.exception()) is not None:
            outcome = Outcome.FAILED if claim.is_last_attempt else Outcome.RETRY
            described = {"type": type(error).__name__, "message": str(error)}
            return Settlement(claim=claim, outcome=outcome, error=described, retry_in=timedelta(milliseconds=50))
        match work.result():
            case Again() as again:
                return Settlement(claim=claim, outcome=again.outcome, retry_in=again.after)
            case Settlement() as settlement:
                return settlement
            case value:
                return Settlement(claim=claim, outcome=Outcome.COMPLETED, result=orjson.dumps(value))

    async def wait_started(self, count: int, seconds: float = 30) -> None:
        async with asyncio.timeout(seconds), self.start:
            await self.start.wait_for(lambda: len(self.started) >= count)


class Recorder(Observer):
    """Remembers what a worker told."""

    def __init__(self) -> None:
        self.settled: list[tuple[Settlement, bool]] = []
        self.rescued: list[str] = []

    def job_settled(self, settlement: Settlement, applied: bool) -> None:
        self.settled.append((settlement, applied))

    def jobs_rescued(self, runner_type: str, job_ids: Sequence[str]) -> None:
        self.rescued.extend(job_ids)


@dataclass
class App:
    """Store and runner on one database."""

    dsn: str
    store: PostgresStore
    runner: PgBossRunner
    recorder: Recorder = field(default_factory=Recorder)

    async def enqueue(
        self, name: str = "noop", *, connection: Any = None, count: int = 1, **options: Any
    ) -> list[UUID]:
        jobs = [new_job(name, **options) for _ in range(count)]
        answers: Sequence[Enqueued] = await self.runner.submit(jobs, connection=connection)
        return [answer.job_id for answer in answers]

    @asynccontextmanager
    async def working(self, executor: Any, *queues: str, concurrency: int = 10) -> AsyncGenerator[Worker]:
        """A started worker, stopped at once at the end unless the test did."""
        worker = self.runner.worker(self.host(executor, *queues, concurrency=concurrency))
        await worker.start()
        try:
            yield worker
        finally:
            await worker.stop(timedelta())

    def host(self, executor: Any, *queues: str, concurrency: int = 10) -> WorkerHost:
        names = queues or tuple(executor.works)

        async def submit(jobs: Sequence[NewJob], connection: Any) -> Sequence[Enqueued]:
            return await self.runner.submit(jobs, connection=connection)

        def plan_fire(schedule: Any, fire_time: Any) -> NewJob:
            return new_job(schedule.handler, schedule_id=schedule.schedule_id, fire_time=fire_time)

        return WorkerHost(
            executor=executor,
            new_abort=Abort,
            queues={name: frozenset({name}) for name in names},
            submit=submit,
            plan_fire=plan_fire,
            observe=self.recorder,
            concurrency=concurrency,
        )

    async def rows(self, query: str, *arguments: Any) -> list[dict[str, Any]]:
        async with await psycopg.AsyncConnection.connect(self.dsn, autocommit=True, row_factory=dict_row) as connection:
            return await (await connection.execute(query, arguments)).fetchall()

    async def job(self, job_id: UUID) -> dict[str, Any]:
        return (await self.rows("select * from public.jobs where job_id = %s", job_id))[0]

    async def queue_rows(self, *job_ids: UUID) -> list[dict[str, Any]]:
        return await self.rows("select * from pgboss.job where id = any(%s) order by id", list(job_ids))

    async def wait_for_status(self, status: str, *job_ids: UUID, seconds: float = 10) -> None:
        """Wait until all these jobs have the status."""

        async def all_there() -> bool:
            rows = await self.rows("select status from public.jobs where job_id = any(%s)", list(job_ids))
            return len(rows) == len(job_ids) and all(row["status"] == status for row in rows)

        await eventually(all_there, seconds)


def new_job(name: str, **options: Any) -> NewJob:
    payload = options.pop("payload", {"tenantId": str(TENANT)})
    defaults: dict[str, Any] = {
        "job_id": uuid7(),
        "tenant": TENANT,
        "name": name,
        "payload": orjson.dumps(payload),
        "runner_type": "pgboss",
        "queue": name,
    }
    return NewJob(**{**defaults, **options})


async def eventually(condition: Callable[[], Awaitable[bool]], seconds: float = 10) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - the condition is in the database
            await asyncio.sleep(0.02)


@asynccontextmanager
async def opened(dsn: str, **settings: Any) -> AsyncGenerator[App]:
    store = PostgresStore(dsn, PostgresSettings(retry_seconds=30))
    await store.open()
    runner = PgBossRunner(store=store, settings=PgBossSettings(**{**FAST, **settings}))
    try:
        await runner.open()
        yield App(dsn, store, runner)
        await runner.close()
    finally:
        await store.close()


async def noop(claim: Claim, session: ClaimSession, abort: Abort) -> None:
    """Do nothing."""
