"""How tasks are ended that may be waiting for a server which no longer answers."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from datetime import timedelta
from typing import Any, TypeVar

PATIENCE = 5.0
GRACE = 0.5
"""Seconds that the driver gets to cancel a statement in the server, before its connection is closed."""
T = TypeVar("T")


async def end_tasks(tasks: Iterable[asyncio.Future[Any]], patience: float = PATIENCE) -> None:
    """Cancel tasks, and wait until they are gone.

    One that is still there after `patience` seconds is cancelled again: the driver answers a first cancellation by
    asking the server to cancel the statement, and a server that is gone never answers.
    """
    remaining = {task for task in tasks if not task.done()}
    while remaining:
        for task in remaining:
            task.cancel()
        _, remaining = await asyncio.wait(remaining, timeout=patience)


async def limited(work: Coroutine[Any, Any, T], seconds: float | None) -> T:
    """Return what `work` returns, which may use the database; wait for it so many seconds, `None` without limit.

    `asyncio.timeout` would not do: a statement that is cancelled lasts ten seconds longer where nobody answers.

    Raises:
        TimeoutError: when the time is over, half a second later at most.
    """
    working = asyncio.ensure_future(work)
    try:
        await asyncio.wait({working}, timeout=seconds)
    finally:
        await end_tasks([working], GRACE)
    if working.cancelled():
        raise TimeoutError(f"It took longer than {seconds:g} s.")
    return working.result()


async def within(condition: Coroutine[Any, Any, None], limit: timedelta | float) -> bool:
    """Wait for a condition, but no longer than the limit (seconds); return whether it came."""
    try:
        await limited(condition, limit.total_seconds() if isinstance(limit, timedelta) else limit)
    except TimeoutError:
        return False
    return True
