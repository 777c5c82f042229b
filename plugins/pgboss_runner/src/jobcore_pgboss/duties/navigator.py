"""Lets the children of flows run once their parents have completed."""

from __future__ import annotations

import asyncio
import random

from jobcore_pgboss.duties.desk import Desk

BATCH = 1_000
"""Parents that one transaction sees to: as many as in Node."""


class Navigator:
    """Takes passes over the flows in turn with all other instances."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def turn(self) -> None:
        """Wait an interval, and see to completed parents unless another instance has."""
        interval = self._desk.settings.flow_interval_seconds
        await asyncio.sleep(interval * random.uniform(0.8, 1))  # noqa: S311
        if await self._desk.rows("flow_claim", interval):
            while await self._desk.value("flow_resolve", BATCH) == BATCH:
                pass
