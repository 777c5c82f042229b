"""The context of a handler that runs in a process of its own: what needs the worker is asked of it."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import timedelta
from typing import Any, NoReturn, ParamSpec, TypeVar
from uuid import UUID

from jobcore.errors import ConfigurationError
from jobcore.execution.abort import HandlerSignal
from jobcore.execution.logs import JobLogger
from jobcore.execution.process_link import Message
from jobcore.execution.process_worker import Worker
from jobcore.execution.results import as_json_value
from jobcore.execution.services import NoServices
from jobcore.execution.steps import StepKeys, encode_step, revive
from jobcore.handlers.definition import HandlerDefinition
from jobcore.handlers.payload import dump_payload
from jobcore.limits import json_safe
from jobcore.models import Enqueued
from jobcore.ports.context import BlockingContext, JobContext, TenantDatabase

P = ParamSpec("P")
T = TypeVar("T")


class ProcessContext(JobContext):
    """One attempt of one job, in its process. It has no `db`, no `services` and no `complete_in`."""

    def __init__(self, job: Message, worker: Worker, data: Any) -> None:
        self.job_id = UUID(job["job_id"])
        self.job_name = job["job_name"]
        self.tenant_id = UUID(job["tenant"])
        self.data = data
        self.attempt = job["attempt"]
        self.max_attempts = job["max_attempts"]
        logger = logging.getLogger(job["logger"])
        self.logger = JobLogger(logger, self.job_name, self.job_id, self.tenant_id, self.attempt)
        self.signal = self._signal = HandlerSignal(worker.abort)
        self.services = NoServices(_explain("ctx.services"))
        self.calls = _Calls(worker)

    @property
    def saw_abort(self) -> bool:
        return self._signal.seen

    @property
    def db(self) -> TenantDatabase:
        _not_here("ctx.db")

    @property
    def blocking(self) -> BlockingContext:
        return ProcessBlockingContext(self)

    async def progress(self, percent: float, message: str | None = None) -> None:
        await asyncio.wrap_future(self.calls.progress(percent, message))

    async def heartbeat(self) -> None:
        await asyncio.wrap_future(self.calls.heartbeat())

    async def detail(
        self, step_name: str, status: str, *, result: Any = None, metadata: Mapping[str, Any] | None = None
    ) -> UUID:
        return UUID(await asyncio.wrap_future(self.calls.detail(step_name, status, result, metadata)))

    async def step(self, name: str, fn: Callable[P, Awaitable[T] | T], *args: P.args, **kwargs: P.kwargs) -> T:
        key = self.calls.next_key(name)
        stored = await asyncio.wrap_future(self.calls.find_step(key))
        if stored is None:
            result = fn(*args, **kwargs)
            stored = await asyncio.wrap_future(
                self.calls.save_step(key, await result if inspect.isawaitable(result) else result)
            )
        return revive(fn, stored.encode())

    async def once(self, key: str) -> bool:
        return await asyncio.wrap_future(self.calls.once(key))

    def complete_in(self, connection: Any, *, result: Any = None) -> AbstractAsyncContextManager[Any]:  # noqa: ARG002
        _not_here("ctx.complete_in")

    async def enqueue(
        self, job: Any, data: Any, *, connection: Any = None, delay: timedelta | None = None, priority: int = 0
    ) -> Enqueued:
        return _enqueued(await asyncio.wrap_future(self.calls.enqueue(job, data, connection, delay, priority)))


class ProcessBlockingContext:
    """`ctx.blocking` in a process (the `BlockingContext` port)."""

    def __init__(self, context: ProcessContext) -> None:
        self._calls = context.calls

    def progress(self, percent: float, message: str | None = None) -> None:
        self._calls.progress(percent, message).result()

    def heartbeat(self) -> None:
        self._calls.heartbeat().result()

    def detail(
        self, step_name: str, status: str, *, result: Any = None, metadata: Mapping[str, Any] | None = None
    ) -> UUID:
        return UUID(self._calls.detail(step_name, status, result, metadata).result())

    def step(self, name: str, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        key = self._calls.next_key(name)
        stored = self._calls.find_step(key).result()
        if stored is None:
            stored = self._calls.save_step(key, fn(*args, **kwargs)).result()
        return revive(fn, stored.encode())

    def once(self, key: str) -> bool:
        return self._calls.once(key).result()

    def complete_in(self, connection: Any, *, result: Any = None) -> AbstractContextManager[Any]:  # noqa: ARG002
        _not_here("ctx.blocking.complete_in")

    def enqueue(
        self, job: Any, data: Any, *, connection: Any = None, delay: timedelta | None = None, priority: int = 0
    ) -> Enqueued:
        return _enqueued(self._calls.enqueue(job, data, connection, delay, priority).result())


class _Calls:
    """The calls of one context to the worker, each a future."""

    def __init__(self, worker: Worker) -> None:
        self._call = worker.call
        self.next_key = StepKeys().next

    def progress(self, percent: float, message: str | None) -> Any:
        return self._call("progress", percent=percent, message=message)

    def heartbeat(self) -> Any:
        return self._call("heartbeat")

    def detail(self, step_name: str, status: str, result: Any, metadata: Mapping[str, Any] | None) -> Any:
        return self._call(
            "detail",
            step_name=step_name,
            status=status,
            result=json_safe(as_json_value(result)),
            metadata=None if metadata is None else json_safe(dict(metadata)),
        )

    def find_step(self, key: str) -> Any:
        return self._call("find_step", key=key)

    def save_step(self, key: str, result: Any) -> Any:
        return self._call("save_step", key=key, encoded=encode_step(key, result).decode())

    def once(self, key: str) -> Any:
        return self._call("once", key=key)

    def enqueue(self, job: Any, data: Any, connection: Any, delay: timedelta | None, priority: int) -> Any:
        if connection is not None:
            _not_here("ctx.enqueue(connection=)")
        name = job.name if isinstance(job, HandlerDefinition) else job
        delay_seconds = None if delay is None else delay.total_seconds()
        return self._call("enqueue", job=name, data=dump_payload(data), delay_seconds=delay_seconds, priority=priority)


def _enqueued(answer: tuple[str, bool, str | None]) -> Enqueued:
    return Enqueued(UUID(answer[0]), answer[1], answer[2])


def _not_here(what: str) -> NoReturn:
    raise ConfigurationError(_explain(what))


def _explain(what: str) -> str:
    return (
        f"{what} is not available in execution='process': the handler's process shares no memory with the application. "
        "Open what you need in the handler, or run it in a thread or on the loop."
    )
