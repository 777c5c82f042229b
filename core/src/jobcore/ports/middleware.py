"""The middleware port: code around every run of a handler."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeAlias

from jobcore.ports.context import JobContext

CallNext: TypeAlias = Callable[[], Awaitable[Any]]
"""Runs the rest of the chain and returns the handler's result."""


class Middleware(Protocol):
    """Wraps the run of a handler; composed once, at start-up, the first registered outermost."""

    async def __call__(self, ctx: JobContext, call_next: CallNext) -> Any:
        """Run around `await call_next()`; return its result, or raise what a handler may raise."""
        ...
