"""Fails the jobs that Node claimed and nobody works on any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from jobcore_pgboss import logs
from jobcore_pgboss.duties.desk import Desk

BATCH = 1_000
"""Jobs that one transaction fails: as many as in Node."""


class Sweeper:
    """Looks at queues for jobs that outlived their time-out or heartbeat. Queues that a live worker of ours serves
    are its rescuer's."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def sweep(self, tables: Mapping[str, Sequence[str]]) -> None:
        """Sweep these queues, each under the name of its table. Raises `psycopg.Error`."""
        served = {queue for (queue,) in await self._desk.rows("served_queues")}
        for table, queues in tables.items():
            if left := [queue for queue in queues if queue not in served]:
                await self._sweep_table(table, left)

    async def _sweep_table(self, table: str, queues: Sequence[str]) -> None:
        while failed := await self._desk.rows("sweep", table, list(queues), BATCH):
            jobs: list[UUID] = [job_id for job_id, _ in failed]
            logs.jobs_swept(jobs)
            if len(failed) < BATCH:
                return
