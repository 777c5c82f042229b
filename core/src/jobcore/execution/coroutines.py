"""Running an `async def` handler: on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from jobcore.execution.context import ExecutionContext
from jobcore.handlers.registry import AnyHandler


class CoroutineRun:
    """One call of an `async def` handler (a `Run`); it is interrupted by cancelling its task."""

    __slots__ = ("_context", "_definition")

    def __init__(self, definition: AnyHandler, context: ExecutionContext) -> None:
        self._definition = definition
        self._context = context

    def call(self) -> Awaitable[Any]:
        return self._definition.function(self._context, self._context.data)

    def interrupt(self, task: asyncio.Task[Any]) -> None:
        task.cancel()

    def abandon(self, task: asyncio.Task[Any]) -> None:
        task.cancel()
