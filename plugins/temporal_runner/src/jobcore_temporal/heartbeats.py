"""How Temporal hears that the worker of a run lives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

from temporalio import activity

BEAT = 0.5
"""Seconds between two heartbeats; the SDK passes on as many as the worker's throttle lets through."""
FIRST = timedelta(seconds=1)
"""How long a run is on its way before its first heartbeat, at most."""


@asynccontextmanager
async def heartbeats() -> AsyncGenerator[None]:
    """Tell Temporal in this block that the worker lives; it tells of a cancellation in return.

    Not in the first second: that the attempt has begun, Temporal knows. Its timers, once they have run out, are set
    anew for a second at least, so that a beat before would let a worker's death be noticed later; and short jobs are
    spared a call.
    """
    beating = asyncio.create_task(_beat(activity.info().heartbeat_timeout or FIRST * 2))
    try:
        yield
    finally:
        beating.cancel()


async def _beat(timeout: timedelta) -> None:
    await asyncio.sleep(min(FIRST, timeout / 2).total_seconds())
    while True:
        activity.heartbeat()
        await asyncio.sleep(BEAT)
