"""Running a `def` handler: in a thread."""

from __future__ import annotations

import asyncio
from typing import Any

from jobcore.execution.context import ExecutionContext
from jobcore.execution.thread_pool import ThreadCall, ThreadPool
from jobcore.handlers.registry import AnyHandler


class ThreadRun:
    """One call of a `def` handler (a `Run`).

    It is interrupted by an exception raised in its thread, which strikes at the next line of Python; a thread that
    waits in C code for ever is lost, and shown as such.
    """

    __slots__ = ("_call", "_context", "_definition", "_pool")

    def __init__(self, definition: AnyHandler, context: ExecutionContext, pool: ThreadPool) -> None:
        self._definition = definition
        self._context = context
        self._pool = pool
        self._call: ThreadCall | None = None

    async def call(self) -> Any:
        context, function = self._context, self._definition.function
        blocking = context.prepare_blocking()
        call = self._call = ThreadCall(lambda: function(context, context.data), f"{context.job_name}:{context.job_id}")
        self._pool.start(call)
        try:
            return await call
        except asyncio.CancelledError:  # middleware, or the worker, no longer waits for it
            blocking.cancel_pending()
            call.interrupt()
            raise

    def interrupt(self, task: asyncio.Task[Any]) -> None:
        if self._call is not None:
            self._context.blocking.cancel_pending()  # wakes a thread that waits for this loop: nothing strikes there
        if self._call is None or not self._call.interrupt():
            task.cancel()

    def abandon(self, task: asyncio.Task[Any]) -> None:
        if self._call is not None:
            self._pool.lose(self._call)
            self._call.abandon()
        task.cancel()
