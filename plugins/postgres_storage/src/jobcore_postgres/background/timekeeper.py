"""Fires due schedules."""

from __future__ import annotations

import asyncio

from jobcore.ports.runner import WorkerHost
from jobcore.ports.store import ScheduleStore

LONGEST_WAIT = 0.5
"""Seconds after which the schedules are looked at again: somebody may have made one."""
BATCH = 100
"""Schedules that are fired in one transaction: some twenty milliseconds, in which an edit of one of them waits."""
LULL = 0.02
"""Seconds after which what is due is looked at again where none of it made a job: somebody else may hold it."""


class Timekeeper:
    """Asks the store for due schedules when the next one is due. Any worker may: the store lets each fire once."""

    def __init__(self, store: ScheduleStore, host: WorkerHost) -> None:
        self._store = store
        self._host = host

    async def turn(self) -> None:
        """Wait for the next fire, at most half a second; fire what is due."""
        due_in = await self._store.seconds_to_next_fire()
        if due_in is None or due_in > LONGEST_WAIT:
            await asyncio.sleep(LONGEST_WAIT)
            return
        await asyncio.sleep(max(0.0, due_in))
        while (made := await self._fire()) >= BATCH:
            pass
        if not made:
            await asyncio.sleep(LULL)

    async def _fire(self) -> int:
        return await self._store.fire_due(self._host.plan_fire, self._host.submit, limit=BATCH)
