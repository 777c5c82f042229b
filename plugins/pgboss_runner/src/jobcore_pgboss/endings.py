"""How tasks are ended that may be waiting for a server which no longer answers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

PATIENCE = 5.0


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
