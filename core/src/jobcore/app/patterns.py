"""The pg-boss guide's scheduler (G01-G25): register cron, interval and delayed jobs, trigger them, ask for health."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NotRequired, TypedDict

from jobcore.app.facade import JobApp
from jobcore.app.workers import AppWorker
from jobcore.errors import InvalidHandlerError
from jobcore.handlers.definition import define
from jobcore.handlers.payload import TENANT_FIELD
from jobcore.ids import SYSTEM_TENANT
from jobcore.models import TRIGGER_KEY, Trigger
from jobcore.policies.cron import CronSchedule
from jobcore.policies.intervals import parse_interval
from jobcore.policies.retry import PGBOSS_GUIDE_RETRY
from jobcore.ports.context import JobContext

GUIDE_TIMEOUT = timedelta(minutes=5)
"""The guide's `expireInMinutes` (G14)."""

ContextHandler = Callable[[JobContext], Any]
"""The guide's handler: it finds `db`, `logger`, `job_id`, `job_name`, `data` and `services` on its one argument."""


class SchedulerHealth(TypedDict):
    """The guide's answer to `get_health` (G08)."""

    healthy: bool
    queueSize: NotRequired[int]


@dataclass(frozen=True, slots=True)
class _Registration:
    when: str | timedelta | None = None
    delay: timedelta | None = None


class PatternScheduler:
    """One scheduler over one application; jobs belong to the system tenant, for the guide knows no other.

    Register before `start()`. What is registered here is written to the store then; a job that a later version no
    longer registers keeps its schedule until `app.schedules.remove("system", name)`.
    """

    def __init__(self, app: JobApp) -> None:
        self.app = app
        self._registered: dict[str, _Registration] = {}
        self._worker: AppWorker | None = None

    def register_cron(self, name: str, pattern: str, handler: ContextHandler) -> None:
        """Run `handler` at a cron pattern, in UTC (G03).

        Raises:
            InvalidScheduleError: if the pattern does not parse, with the position and the reason.
            InvalidHandlerError, DuplicateHandlerError: if the handler cannot serve, or the name is taken.
        """
        CronSchedule(pattern)
        self._register(name, handler, _Registration(when=pattern))

    def register_interval(self, name: str, ms: float, handler: ContextHandler) -> None:
        """Run `handler` every `ms` milliseconds, at least 1,000 (G04). Raises as `register_cron`."""
        self._register(name, handler, _Registration(when=parse_interval(timedelta(milliseconds=ms))))

    def register_delayed(self, name: str, ms: float, handler: ContextHandler) -> None:
        """Run `handler` once, `ms` milliseconds after each `trigger` (G05). Raises as `register_cron`."""
        self._register(name, handler, _Registration(delay=timedelta(milliseconds=ms)))

    async def trigger(self, name: str, data: Mapping[str, Any] | None = None) -> str:
        """Enqueue a job by hand (G06, G17), a delayed one with its delay, and return its id."""
        await self.app.open()
        registration = self._registered.get(name, _Registration())
        handle = await self.app.enqueue(
            name,
            _with_tenant(data),
            delay=registration.delay,
            metadata={TRIGGER_KEY: (Trigger.CRON_TRIGGER if registration.when else Trigger.ADHOC).value},
        )
        return str(handle.job_id)

    async def start(self) -> None:
        """Write the schedules and work the jobs in this process; harmless if it works already."""
        await self.app.open()
        if self._worker is not None:
            return
        for name, registration in self._registered.items():
            if registration.when is not None:
                await self.app.schedules.put(name, name, registration.when, tenant=SYSTEM_TENANT)
        worker = self.app.worker()
        await worker.start()
        self._worker = worker

    async def shutdown(self) -> None:
        """Wait for the running jobs, up to the configured grace, then close. `start` may be called again (G22)."""
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.stop()
        await self.app.close()

    async def get_health(self) -> SchedulerHealth:
        """Say whether the scheduler works and its engine answers, and how many jobs wait (G08)."""
        if not self.app.is_open:
            return {"healthy": False}
        health = await self.app.health()
        answer: SchedulerHealth = {"healthy": health.healthy and self._worker is not None}
        if health.queue_size is not None:
            answer["queueSize"] = health.queue_size
        return answer

    async def get_queue_size(self, name: str) -> int:
        """Return how many jobs of this name wait, delayed ones included (G09)."""
        await self.app.open()
        return (await self.app.queue_sizes([name])).get(name, 0)

    def _register(self, name: str, handler: ContextHandler, registration: _Registration) -> None:
        definition = define(name, _with_data(name, handler), retry=PGBOSS_GUIDE_RETRY, timeout=GUIDE_TIMEOUT)
        self.app.registry.register(definition)
        self._registered[name] = registration


def _with_data(name: str, handler: ContextHandler) -> Callable[..., Any]:
    """Return the `(ctx, data)` form of the guide's `(ctx)` function; the data is on the context as well."""
    if len(inspect.signature(handler).parameters) != 1:
        raise InvalidHandlerError(f"Job {name!r}: a handler of this scheduler takes one argument, the context.")

    async def call_async(ctx: JobContext, data: dict[str, Any]) -> Any:  # noqa: ARG001 - the definition's form
        return await handler(ctx)

    def call(ctx: JobContext, data: dict[str, Any]) -> Any:  # noqa: ARG001 - the definition's form
        return handler(ctx)

    adapted = call_async if inspect.iscoroutinefunction(handler) else call
    adapted.__module__, adapted.__qualname__, adapted.__doc__ = (
        handler.__module__,
        handler.__qualname__,
        handler.__doc__,
    )
    return adapted


def _with_tenant(data: Mapping[str, Any] | None) -> dict[str, Any]:
    return {TENANT_FIELD: "system", **(data or {})}
