"""Waiting for what should happen, and watching that something does not."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

T = TypeVar("T")

EVERY = 0.01
"""Seconds between two looks."""


async def eventually(condition: Callable[[], Awaitable[T] | T], what: str, seconds: float) -> T:
    """Wait until the condition is true, and return what it said. Raises `AssertionError`, with `what`, if it is not."""
    deadline = time.monotonic() + seconds
    while not (found := await answer_of(condition)):
        if time.monotonic() > deadline:
            raise AssertionError(f"Waited {seconds:g} s in vain for: {what}.")
        await asyncio.sleep(EVERY)
    return found


async def always(condition: Callable[[], Awaitable[object] | object], what: str, seconds: float) -> None:
    """Watch that the condition stays true for so long. Raises `AssertionError`, with `what`, as soon as it is not."""
    begun = time.monotonic()
    while (passed := time.monotonic() - begun) < seconds:
        if not await answer_of(condition):
            raise AssertionError(f"After {passed:.2f} s it was no longer so: {what}.")
        await asyncio.sleep(EVERY)


async def answer_of(condition: Callable[[], Awaitable[T] | T]) -> T:
    """Ask a condition, which may have to be awaited."""
    answer = condition()
    return await cast("Awaitable[T]", answer) if inspect.isawaitable(answer) else cast("T", answer)
