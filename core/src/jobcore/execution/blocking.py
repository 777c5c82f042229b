"""`ctx.blocking`: the context's calls for a handler that runs in a thread; each blocks until the loop has done it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from uuid import UUID

from jobcore.errors import JobcoreError
from jobcore.execution.steps import revive
from jobcore.models import Enqueued
from jobcore.ports.calling_thread import CallingThread

if TYPE_CHECKING:
    from jobcore.execution.context import ExecutionContext

P = ParamSpec("P")
T = TypeVar("T")


class ThreadBlockingContext:
    """The `BlockingContext` of one run. Made on the loop, called from other threads."""

    __slots__ = ("_context", "_home", "_loop", "_pending")

    def __init__(self, context: ExecutionContext, loop: asyncio.AbstractEventLoop) -> None:
        self._context = context
        self._loop = loop
        self._home = threading.get_ident()
        self._pending: set[Future[Any]] = set()

    def progress(self, percent: float, message: str | None = None) -> None:
        self._wait(self._context.progress(percent, message))

    def heartbeat(self) -> None:
        self._wait(self._context.heartbeat())

    def detail(
        self, step_name: str, status: str, *, result: Any = None, metadata: Mapping[str, Any] | None = None
    ) -> UUID:
        return self._wait(self._context.detail(step_name, status, result=result, metadata=metadata))

    def step(self, name: str, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn` in this thread, once in the life of the job; see `JobContext.step`."""
        steps = self._context.steps
        key = steps.next_key(name)
        stored = self._wait(steps.find(key))
        if stored is None:
            stored = self._wait(steps.save(key, fn(*args, **kwargs)))
        return revive(fn, stored)

    def once(self, key: str) -> bool:
        return self._wait(self._context.once(key))

    def complete_in(self, connection: Any, *, result: Any = None) -> AbstractContextManager[Any]:
        context = self._context
        return context.completion.complete_blocking(
            connection, lambda settle: self._wait(settle()), lambda: context.completed(result)
        )

    def enqueue(
        self, job: Any, data: Any, *, connection: Any = None, delay: timedelta | None = None, priority: int = 0
    ) -> Enqueued:
        return self._wait(self._context.enqueue(job, data, connection=connection, delay=delay, priority=priority))

    def cancel_pending(self) -> None:
        """Wake a thread that waits here, so that it can be interrupted. Called on the loop."""
        for future in tuple(self._pending):
            future.cancel()

    def _wait(self, call: Coroutine[Any, Any, T]) -> T:
        if threading.get_ident() == self._home:
            call.close()
            raise JobcoreError(
                "ctx.blocking was called on the event loop, which it would block for ever: "
                "await ctx's own methods in an async handler."
            )
        thread = CallingThread()  # what belongs to this thread, such as a connection of Django's, is used here
        with thread.lent():
            future = asyncio.run_coroutine_threadsafe(call, self._loop)
        self._pending.add(future)
        try:
            return thread.wait_for(future)
        finally:
            self._pending.discard(future)
