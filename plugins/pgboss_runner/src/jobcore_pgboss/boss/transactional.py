"""Handlers whose rows commit together with the end of their jobs: `work(transactional=True)`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from jobcore.errors import StaleClaimError
from jobcore_pgboss.boss.desk import Desk
from jobcore_pgboss.boss.models import Job
from jobcore_pgboss.boss.reading import Reading
from jobcore_pgboss.boss.settling import Settling
from jobcore_postgres.background.link import Connection, Link

MARGIN = 5
"""Seconds beyond their jobs' expiration after which the server ends transactions: pg-boss's measure."""

TransactionalHandler = Callable[[Any, Connection], Awaitable[Any]]
"""Takes the list of jobs, and the connection in whose transaction it works."""


class InTransactions:
    """Runs a handler in transactions that complete its jobs too: an error undoes all of it. One at a time.

    The claim stands outside, so that others see the jobs run, and their heartbeats go on. If this process freezes, the
    server ends the transaction after `timeout_seconds`, by default a little later than the jobs expire; 0 is never.
    """

    def __init__(
        self, handler: TransactionalHandler, desk: Desk, name: str, timeout_seconds: int | None = None
    ) -> None:
        self._handler = handler
        self._desk = desk
        self._name = name
        self._timeout = timeout_seconds
        self._link = Link(desk.database, "boss transaction")
        self._runs = False
        self._closes = False

    async def __call__(self, jobs: Sequence[Job]) -> Any:
        """Raises what the handler raises, `StaleClaimError`, `StorageUnavailableError`."""
        self._runs = True
        try:
            async with self._link.use() as connection, connection.transaction():
                await self._bound(jobs, connection)
                result = await self._handler(jobs, connection)
                await self._complete(jobs, result, connection)
            return result
        finally:
            self._runs = False
            if self._closes:
                await self._link.close()

    async def close(self) -> None:
        """Close the connection; if a handler goes on with it, as soon as it ends."""
        self._closes = True
        if not self._runs:
            await self._link.close()

    async def _bound(self, jobs: Sequence[Job], connection: Connection) -> None:
        longest = max(job.expire_in_seconds for job in jobs) + MARGIN
        if seconds := longest if self._timeout is None else self._timeout:
            await self._desk.ask("bound_transaction", self._name, seconds * 1_000, connection=connection)

    async def _complete(self, jobs: Sequence[Job], result: Any, connection: Connection) -> None:
        output = result if len(jobs) == 1 else None
        done = await Settling(self._desk).complete(self._name, jobs, output, connection=connection)
        for job in jobs:
            if job.id not in done.changed and not await self._is_held(job):
                raise StaleClaimError(
                    f"Job {job.id} no longer ran under this worker's claim when its handler returned: it expired, or "
                    "was failed, cancelled or deleted elsewhere. What the handler wrote was rolled back."
                )

    async def _is_held(self, job: Job) -> bool:
        """Whether others still see the attempt run: then it was the handler that ended the job, in its transaction."""
        row = await Reading(self._desk).get_job_by_id(job.name, job.id)
        return row is not None and row.state == "active" and row.retry_count == job.retry_count
