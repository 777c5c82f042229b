"""Takes the queues that are due, and has them counted, swept and pruned."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Sequence

from jobcore_pgboss.duties.desk import Desk
from jobcore_pgboss.duties.monitor import Monitor
from jobcore_pgboss.duties.pruner import Pruner
from jobcore_pgboss.duties.sweeper import Sweeper

CHUNK = 100
"""Queues that are taken at once: as many as in Node."""


class Supervisor:
    """One pass after the other, each after an interval; a queue is one instance's in a pass."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._monitor = Monitor(desk)
        self._sweeper = Sweeper(desk)
        self._pruner = Pruner(desk)

    async def turn(self) -> None:
        """Wait an interval, a little less or more than the others, and look after the queues that are due."""
        await asyncio.sleep(self._desk.settings.look_interval_seconds * random.uniform(0.8, 1))  # noqa: S311
        await self.look_after()

    async def look_after(self, queues: Sequence[str] | None = None) -> None:
        """Count, sweep and prune these queues, or all, as far as they are due. Raises `psycopg.Error`."""
        named = None if queues is None else list(queues)
        while await self._look_after_some(named):
            pass
        await self._pruner.prune_due(named)

    async def _look_after_some(self, queues: list[str] | None) -> bool:
        """Count and sweep a chunk of queues; return whether there may be more."""
        taken = await self._desk.rows("monitor_due", queues, self._desk.settings.monitor_interval_seconds, CHUNK)
        tables: dict[str, list[str]] = defaultdict(list)
        for queue, table, _ in taken:
            tables[table].append(queue)
        if any(refresh for *_, refresh in taken):
            await self._monitor.count([queue for queue, *_ in taken])
        await self._sweeper.sweep(tables)
        return len(taken) == CHUNK
