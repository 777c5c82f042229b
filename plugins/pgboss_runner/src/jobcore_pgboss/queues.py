"""Makes the queues that handlers and jobs need, in transactions of their own: a caller's long transaction would make
everybody else wait who enqueues to the same new queue."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from psycopg import AsyncConnection

from jobcore.models import AlikeJobs, NewJob
from jobcore_pgboss.encoding import expire_seconds
from jobcore_pgboss.refusals import SHORTEST_HEARTBEAT
from jobcore_pgboss.settings import PgBossSettings
from jobcore_pgboss.statements import statement


class Queues:
    """Remembers which queues exist. A queue that somebody deletes later is made again by the SQL of the enqueue."""

    def __init__(self, settings: PgBossSettings) -> None:
        self._settings = settings
        self._known: set[str] = set()

    def unknown(self, jobs: Sequence[NewJob] | AlikeJobs) -> dict[str, int]:
        """Which queues of these jobs are not known to exist, with the seconds after which their jobs are stuck."""
        if isinstance(jobs, AlikeJobs):
            jobs = [jobs.common]
        return {job.queue: expire_seconds(job, self._settings) for job in jobs if job.queue not in self._known}

    async def ensure(self, connection: AsyncConnection[Any], queues: dict[str, int]) -> None:
        """Make these queues where they do not exist, and commit. Raises `psycopg.Error`."""
        wanted = [self._describe(name, seconds) for name, seconds in sorted(queues.items())]
        async with connection.transaction():
            await connection.execute(statement("ensure_queues"), (orjson.dumps(wanted).decode(),))
        self._known.update(queues)

    async def serve(self, connection: AsyncConnection[Any], queues: Iterable[str]) -> None:
        """Make the queues of a worker, for jobs with the default time-out."""
        await self.ensure(connection, {name: DEFAULT_EXPIRE_SECONDS for name in queues if name not in self._known})

    def _describe(self, name: str, seconds: int) -> dict[str, Any]:
        return {
            "name": name,
            "expire_seconds": seconds,
            "heartbeat_seconds": max(self._settings.lease_seconds, SHORTEST_HEARTBEAT),
            "deletion_seconds": self._settings.deletion_seconds,
            "delete_ended": self._settings.ended_rows == "delete",
        }


DEFAULT_EXPIRE_SECONDS = 900
"""pg-boss's own default."""
