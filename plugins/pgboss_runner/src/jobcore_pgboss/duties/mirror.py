"""Writes into `jobs` what became of jobs in pg-boss without us."""

from __future__ import annotations

import asyncio
import random

from jobcore_pgboss import logs
from jobcore_pgboss.duties.desk import Desk

BATCH = 500
"""Jobs of a queue that one transaction writes."""
PAGE = 5_000
"""Rows of `jobs` that one pass looks at for vanished queue rows."""


class Mirror:
    """Reads the ends of jobs that Node worked, failed or cancelled, and notices jobs that it deleted."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def turn(self) -> None:
        """Wait an interval, and take a pass unless another worker of ours has."""
        settings = self._desk.settings
        await asyncio.sleep(settings.mirror_interval_seconds * random.uniform(0.8, 1))  # noqa: S311
        for since, until in await self._desk.rows("mirror_claim", settings.mirror_interval_seconds):
            while await self._desk.value("mirror_ended", since, until, BATCH):
                pass
            await self._desk.rows("mirror_reached", until, settings.mirror_overlap_seconds)
            await self._cancel_vanished()

    async def _cancel_vanished(self) -> None:
        cancelled = await self._desk.rows("mirror_vanished", PAGE, self._desk.settings.vanished_grace_seconds)
        if cancelled:
            logs.jobs_vanished([job_id for (job_id,) in cancelled])
