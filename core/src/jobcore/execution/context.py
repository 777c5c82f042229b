"""The context that the executor gives a handler."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from jobcore.errors import ConfigurationError
from jobcore.execution.abort import Abort, HandlerSignal
from jobcore.execution.blocking import ThreadBlockingContext
from jobcore.execution.completion import Completion, WatchedDatabase
from jobcore.execution.logs import JobLogger
from jobcore.execution.progress import Progress
from jobcore.execution.results import as_json_value, encode_outcome
from jobcore.execution.steps import Steps
from jobcore.limits import encode_payload
from jobcore.models import Claim, Enqueued, NewJob, Outcome, Settlement
from jobcore.ports.clock import Clock
from jobcore.ports.codec import PayloadCodec
from jobcore.ports.context import JobContext, Services, TenantDatabase
from jobcore.ports.runner import ClaimSession

P = ParamSpec("P")
T = TypeVar("T")

PlanChild = Callable[[Claim, Any, Any, timedelta | None, int], NewJob]
"""Makes the job of `ctx.enqueue`: `plan_child(parent, job, data, delay, priority)`."""

Submit = Callable[[Sequence[NewJob], Any], Awaitable[Sequence[Enqueued]]]
"""Enqueues jobs on whichever runner each names, on their own (the connection is `None`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all runs of an executor share."""

    services: Services
    codec: PayloadCodec
    clock: Clock
    logger: logging.Logger
    plan_child: PlanChild | None = None
    submit: Submit | None = None


class ExecutionContext(JobContext):
    """One attempt of one claim (the `JobContext` port). Made on the event loop, and used from it."""

    __slots__ = (
        "_around",
        "_begun",
        "_blocking",
        "_claim",
        "_completion",
        "_progress",
        "_session",
        "_signal",
        "_started_at",
        "_steps",
        "attempt",
        "data",
        "job_id",
        "job_name",
        "logger",
        "max_attempts",
        "services",
        "signal",
        "tenant_id",
    )

    def __init__(self, claim: Claim, session: ClaimSession, abort: Abort, data: Any, around: Surroundings) -> None:
        lease = claim.lease
        self.job_id = lease.job_id
        self.job_name = claim.name
        self.tenant_id = lease.tenant
        self.data = data
        self.attempt = lease.attempt
        self.max_attempts = claim.max_attempts
        self.logger = JobLogger(around.logger, claim.name, lease.job_id, lease.tenant, lease.attempt)
        self.signal = self._signal = HandlerSignal(abort)
        self.services = around.services
        self._claim = claim
        self._session = session
        self._around = around
        self._started_at: datetime = around.clock.now()
        self._begun = around.clock.monotonic()
        self._completion: Completion | None = None
        self._progress: Progress | None = None
        self._steps: Steps | None = None
        self._blocking: ThreadBlockingContext | None = None

    # -- what a handler calls ------------------------------------------------------------------------------------------

    @property
    def db(self) -> TenantDatabase:
        database = self._session.database
        if database is None:
            raise ConfigurationError("ctx.db: the storage in use has no database to give to handlers.")
        return WatchedDatabase(database, self.completion)

    @property
    def blocking(self) -> ThreadBlockingContext:
        return self.prepare_blocking()

    async def progress(self, percent: float, message: str | None = None) -> None:
        if self._completion is not None and self._completion.decided:
            return
        if self._progress is None:
            self._progress = Progress(self._claim, self._session, self._around.logger)
        await self._progress.report(percent, message)

    async def heartbeat(self) -> None:
        if self._completion is None or not self._completion.decided:
            await self._session.heartbeat()

    async def detail(
        self, step_name: str, status: str, *, result: Any = None, metadata: Mapping[str, Any] | None = None
    ) -> UUID:
        self._refuse_if_decided("ctx.detail")
        encoded = None if result is None else encode_payload(as_json_value(result))
        return await self._session.write_detail(step_name, status, encoded, metadata)

    async def step(self, name: str, fn: Callable[P, Awaitable[T] | T], *args: P.args, **kwargs: P.kwargs) -> T:
        self._refuse_if_decided("ctx.step")
        return await self.steps.run(name, fn, *args, **kwargs)

    async def once(self, key: str) -> bool:
        self._refuse_if_decided("ctx.once")
        return await self.steps.once(key)

    def complete_in(self, connection: Any, *, result: Any = None) -> AbstractAsyncContextManager[Any]:
        return self.completion.complete_in(connection, lambda: self.completed(result))

    async def enqueue(
        self, job: Any, data: Any, *, connection: Any = None, delay: timedelta | None = None, priority: int = 0
    ) -> Enqueued:
        plan, submit = self._around.plan_child, self._around.submit
        if plan is None or submit is None:
            raise ConfigurationError("ctx.enqueue: this executor was made without plan_child and submit.")
        jobs = [plan(self._claim, job, data, delay, priority)]
        enqueued = await submit(jobs, None) if connection is None else await self._session.enqueue_in(connection, jobs)
        return enqueued[0]

    # -- what the executor asks ----------------------------------------------------------------------------------------

    @property
    def claim(self) -> Claim:
        return self._claim

    @property
    def completion(self) -> Completion:
        if self._completion is None:
            self._completion = Completion(self._session)
        return self._completion

    @property
    def steps(self) -> Steps:
        if self._steps is None:
            self._steps = Steps(self._claim, self._session, self._around.codec)
        return self._steps

    @property
    def settled(self) -> Settlement | None:
        """What the handler committed itself through `complete_in`, if it did."""
        return None if self._completion is None else self._completion.settled

    @property
    def saw_abort(self) -> bool:
        """Whether the handler knows that it was aborted; set it for one that runs elsewhere."""
        return self._signal.seen

    @saw_abort.setter
    def saw_abort(self, seen: bool) -> None:
        self._signal.seen = seen

    @property
    def around(self) -> Surroundings:
        return self._around

    def prepare_blocking(self) -> ThreadBlockingContext:
        """Return `blocking`; the first call must come from the loop."""
        if self._blocking is None:
            self._blocking = ThreadBlockingContext(self, asyncio.get_running_loop())
        return self._blocking

    def settlement(self, outcome: Outcome, **details: Any) -> Settlement:
        """Return the end of this attempt, with its times."""
        duration = timedelta(seconds=max(0.0, self._around.clock.monotonic() - self._begun))
        return Settlement(claim=self._claim, outcome=outcome, started_at=self._started_at, duration=duration, **details)

    async def finish(self) -> None:
        """Write the last progress. Never raises."""
        if self._progress is None:
            return
        if self._completion is not None and self._completion.decided:
            self._progress.drop()
        else:
            await self._progress.flush()

    async def completed(self, result: Any) -> Settlement:
        """Return the settlement of `complete_in`, once the last progress is written."""
        if self._progress is not None:
            await self._progress.flush()
        encoded = encode_outcome(result, self._claim, self._around.codec, self._around.logger)
        return self.settlement(Outcome.COMPLETED, result=encoded)

    # -- details -------------------------------------------------------------------------------------------------------

    def _refuse_if_decided(self, what: str) -> None:
        if self._completion is not None:
            self._completion.refuse_if_decided(what)
