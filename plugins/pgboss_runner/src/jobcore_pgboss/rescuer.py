"""Takes back the jobs of workers that died."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

from jobcore.ports.observer import Observer
from jobcore_pgboss import logs
from jobcore_pgboss.identity import RUNNER_TYPE
from jobcore_pgboss.statements import statement
from jobcore_postgres.background.link import Link

BATCH = 500


class Rescuer:
    """Looks at the queues of this worker now and then; any worker may, and no job is rescued twice."""

    def __init__(self, link: Link, interval: float, queues: Sequence[str], observer: Observer) -> None:
        self._link = link
        self._interval = interval
        self._queues = list(queues)
        self._observer = observer

    async def turn(self) -> None:
        """Wait an interval, a little less or more than the others, and rescue what there is."""
        await asyncio.sleep(self._interval * random.uniform(0.8, 1))  # noqa: S311
        while True:
            rows = await self._link.rows(statement("rescue"), self._queues, BATCH)
            if rows:
                logs.jobs_rescued([job_id for job_id, _ in rows])
                self._observer.jobs_rescued(RUNNER_TYPE, [str(job_id) for job_id, _ in rows])
            if len(rows) < BATCH:
                return
