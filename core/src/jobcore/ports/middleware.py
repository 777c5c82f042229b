"""The middleware port: code around every run of a handler."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeAlias

from jobcore.ports.context import JobContext

CallNext: TypeAlias = Callable[[], Awaitable[Any]]
"""Runs the rest of the chain and returns the handler's result."""


class Middleware(Protocol):
    """Wraps the run of a handler; composed once, at start-up: the lowest order outermost, then the first registered.

    It runs on the event loop, within the handler's time-out, also around a handler in a thread or a process.
    """

    async def __call__(self, ctx: JobContext, call_next: CallNext) -> Any:
        """Run around `await call_next()`; return its result, or raise what a handler may raise.

        What it returns is the job's result, and what it raises the handler's failure: with the retry policy, and with
        `Retry`, `Snooze` and `Cancel` meant as a handler means them. A handler's error that it does not raise again is
        forgotten, and the job completed. Without `call_next()` the handler does not run.
        """
        ...
