"""The stage of a behaviour: an open application, handlers under names of their own, and a record of their runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar, cast
from uuid import UUID, uuid4

from jobcore.app.facade import JobApp
from jobcore.app.handle import AppJobHandle
from jobcore.app.workers import AppWorker
from jobcore.handlers.definition import HandlerDefinition, define
from jobcore.models import DetailRecord, JobRecord
from jobcore.policies.retry import RetryPolicy
from jobcore.ports.context import JobContext
from jobcore.ports.handle import EnqueueOptions
from jobcore.ports.middleware import CallNext
from jobcore.states import JobState
from jobcore.testing.runner_contract.harness import RunnerHarness
from jobcore.testing.runner_contract.waiting import answer_of, eventually

T = TypeVar("T")

Handler = HandlerDefinition[Any, Any]
Handle = AppJobHandle[Any]
Anything = dict[str, Any]
"""The payload of handlers to which it does not matter."""

SOON = RetryPolicy(max_attempts=3, initial_interval=timedelta(milliseconds=50), backoff_coefficient=1.0)
SHORT_GRACE = timedelta(milliseconds=200)
LONG = RetryPolicy(initial_interval=timedelta(minutes=5), max_interval=timedelta(minutes=5))
"""So long that no test waits for the retry."""
SLACK = 0.02
"""Seconds by which two clocks of one machine may differ."""


class Stumble(Exception):
    """What a handler of the contract raises when it fails."""


def handler(**options: Any) -> Callable[[Callable[..., Any]], Handler]:
    """As `@job`, under a name that no other test uses; retried soon, and interrupted soon after an abort."""

    def make(function: Callable[..., Any]) -> Handler:
        name = f"{function.__name__.replace('_', '-')}-{uuid4().hex[:10]}"
        return define(name, function, **{"retry": SOON, "abort_grace": SHORT_GRACE, **options})

    return make


@dataclass(slots=True)
class Run:
    """One run of a handler; instants are on the process's own clock, in seconds."""

    job_id: UUID
    attempt: int
    began: float
    ended: float | None = None


class Witness:
    """A middleware that records every run."""

    def __init__(self) -> None:
        self.runs: list[Run] = []

    async def __call__(self, ctx: JobContext, call_next: CallNext) -> Any:
        run = Run(ctx.job_id, ctx.attempt, time.monotonic())
        self.runs.append(run)
        try:
            return await call_next()
        finally:
            run.ended = time.monotonic()


class Site:
    """An application on the runner under test, for a tenant of its own."""

    def __init__(self, harness: RunnerHarness, app: JobApp, witness: Witness) -> None:
        self.harness = harness
        self.app = app
        self.tenant = uuid4()
        self._witness = witness

    # -- acting --------------------------------------------------------------------------------------------------------

    async def enqueue(self, job: Handler | str, data: Any = None, **options: Any) -> Handle:
        """Enqueue a job of this site's tenant, unless `tenant` is among the options."""
        wanted = cast("EnqueueOptions", {"tenant": self.tenant, **options})
        return await self.app.enqueue(cast("Any", job), {} if data is None else data, **wanted)

    @asynccontextmanager
    async def working(
        self, *, concurrency: int | None = None, queues: Sequence[str] | None = None
    ) -> AsyncGenerator[AppWorker]:
        """Have a worker, and stop it at once at the end, unless the test did."""
        worker = self.app.worker(queues, concurrency)
        await worker.start()
        try:
            yield worker
        finally:
            await worker.stop(timedelta())

    @asynccontextmanager
    async def rolled_back(self) -> AsyncGenerator[Any]:
        """Give a transaction as a caller has it, which rolls back at the end of the block."""
        with suppress(Stumble):
            async with self.harness.transaction(self.app) as connection:
                yield connection
                raise Stumble

    async def advance(self, by: timedelta) -> None:
        await self.harness.advance(self.app, by)

    # -- looking -------------------------------------------------------------------------------------------------------

    @property
    def runs(self) -> Sequence[Run]:
        """All runs so far, in the order of their beginnings."""
        return tuple(self._witness.runs)

    def runs_of(self, *jobs: Handle) -> list[Run]:
        wanted = {job.job_id for job in jobs}
        return [run for run in self._witness.runs if run.job_id in wanted]

    async def record(self, job: Handle) -> JobRecord:
        return await self.app.get_job(job.tenant, job.job_id)

    async def details(self, job: Handle) -> Sequence[DetailRecord]:
        return await self.app.details(job.tenant, job.job_id)

    async def attempts(self, job: Handle) -> list[DetailRecord]:
        """Return the rows of failed attempts."""
        return [detail for detail in await self.details(job) if detail.step_name.startswith("attempt ")]

    # -- waiting -------------------------------------------------------------------------------------------------------

    async def until(self, condition: Callable[[], Awaitable[T] | T], what: str) -> T:
        """Wait until a condition is true, as long as the harness is patient."""

        async def look() -> T:
            await self.harness.nudge(self.app)
            return await answer_of(condition)

        return await eventually(look, what, self.harness.patience)

    async def started(self, job: Handle, times: int = 1) -> Run:
        """Wait until a job has begun for the `times`th time, and return that run."""
        await self.until(lambda: len(self.runs_of(job)) >= times, f"run {times} of job {job.job_id} begins")
        return self.runs_of(job)[times - 1]

    async def ended(self, job: Handle, state: JobState = JobState.COMPLETED) -> JobRecord:
        """Wait until a job has ended, and return its row. Raises `AssertionError` if it ended otherwise."""

        async def terminal() -> JobRecord | None:
            record = await self.record(job)
            return record if record.status.is_terminal else None

        record = await self.until(terminal, f"job {job.job_id} ends")
        assert record is not None
        assert record.status is state, f"The job is {record.status}, not {state}: {record.error}"
        return record

    async def all_ended(self, jobs: Sequence[Handle], state: JobState = JobState.COMPLETED) -> list[JobRecord]:
        return [await self.ended(job, state) for job in jobs]

    async def result_of(self, job: Handle) -> Any:
        """Wait for a job's result as its caller does."""
        waiting = asyncio.ensure_future(job.result(timeout=self.harness.patience))
        await self.until(waiting.done, f"the result of job {job.job_id} comes")
        return waiting.result()

    async def becomes(self, job: Handle, state: JobState) -> JobRecord:
        """Wait until a job is seen in a state, and return its row."""

        async def there() -> JobRecord | None:
            record = await self.record(job)
            return record if record.status is state else None

        record = await self.until(there, f"job {job.job_id} becomes {state}")
        assert record is not None
        return record

    async def put_off(self, job: Handle) -> JobRecord:
        """Wait until a job that asked for a long pause is queued again, and return its row."""

        async def waits() -> JobRecord | None:
            record = await self.record(job)
            later = record.run_at - record.created_at > timedelta(minutes=1)
            return record if later and record.status is JobState.QUEUED else None

        record = await self.until(waits, f"job {job.job_id} is put off")
        assert record is not None
        return record


@asynccontextmanager
async def opened(harness: RunnerHarness, *handlers: Handler, **options: Any) -> AsyncGenerator[Site]:
    """Open an application with these handlers, and no worker."""
    witness = Witness()
    middleware = [*options.pop("middleware", ()), witness]
    async with harness.application(handlers=handlers, middleware=middleware, **options) as app:
        site = Site(harness, app, witness)
        yield site
        for schedule in await app.schedules.list(site.tenant):
            await app.schedules.remove(site.tenant, schedule.key)


@asynccontextmanager
async def working(
    harness: RunnerHarness, *handlers: Handler, concurrency: int | None = None, **options: Any
) -> AsyncGenerator[Site]:
    """Open an application with these handlers and a worker of all of them."""
    async with opened(harness, *handlers, **options) as site, site.working(concurrency=concurrency):
        yield site
