"""Takes jobs in: alone or together, each with its row in `jobs` and its row in the queue, in one statement."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors as pg

from jobcore.errors import PayloadLimitError, StorageUnavailableError
from jobcore.models import Enqueued, NewJob
from jobcore_pgboss.bridges import bridge_to
from jobcore_pgboss.callers import enqueue_on
from jobcore_pgboss.encoding import encode_jobs, encode_plain_jobs
from jobcore_pgboss.link import Connection, rows_of
from jobcore_pgboss.queues import Queues
from jobcore_pgboss.settings import PgBossSettings
from jobcore_pgboss.statements import statement
from jobcore_postgres.database import Database

LARGEST_BATCH = 1000
HEAVIEST_BATCH = 16 * 1024 * 1024
"""Bytes of payload that calls share a statement up to."""
HEAVIEST_CALL = 192 * 1024 * 1024
"""Bytes of payload that one call may bring: PostgreSQL takes no JSON array above 256 MiB."""
REFUSALS = (psycopg.DataError, psycopg.IntegrityError, pg.ProgramLimitExceeded)
"""What PostgreSQL says to data that it will never take."""


@dataclass(frozen=True, slots=True)
class _Request:
    jobs: Sequence[NewJob]
    weight: int
    """Bytes of payload."""
    answer: asyncio.Future[list[Enqueued]]


class Enqueuer:
    """Enqueues on a caller's connection, or on the pool: there, concurrent calls share one statement.

    The next batch leaves when the last has committed, so that one caller alone waits for nobody, and many together pay
    for one commit and one notification.
    """

    def __init__(self, database: Database, queues: Queues, settings: PgBossSettings) -> None:
        self._database = database
        self._queues = queues
        self._settings = settings
        self._requests: deque[_Request] = deque()
        self._sender: asyncio.Task[None] | None = None

    async def submit(self, jobs: Sequence[NewJob], connection: Any = None) -> list[Enqueued]:
        """Accept all of these jobs, or none.

        Raises:
            PayloadLimitError: if their payloads are too large together.
            psycopg.Error: what PostgreSQL refuses.
            InputError: if no bridge leads to the connection; and what `enqueue_on` raises.
        """
        if not jobs:
            return []
        bridge = None if connection is None else bridge_to(connection)
        weight = _weighed(jobs)
        if unknown := self._queues.unknown(jobs):
            async with self._database.connection() as own:
                await self._queues.ensure(own, unknown)
        if bridge is not None:
            return await enqueue_on(bridge, jobs, self._settings, self._database)
        request = _Request(jobs, weight, asyncio.get_running_loop().create_future())
        self._requests.append(request)
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send_all(), name="jobcore enqueue")
        return await request.answer

    async def close(self) -> None:
        """Wait for what is under way."""
        if self._sender is not None:
            await asyncio.wait([self._sender])

    async def _send_all(self) -> None:
        while self._requests:
            batch = self._next_batch()
            try:
                await self._send(batch)
            except REFUSALS:
                for request in batch:
                    await self._send_alone(request)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is the callers' to hear
                for request in batch:
                    _refuse(request, error)

    async def _send_alone(self, request: _Request) -> None:
        try:
            await self._send([request])
        except Exception as error:  # noqa: BLE001 - as above
            _refuse(request, error)

    async def _send(self, batch: Sequence[_Request]) -> None:
        jobs = [job for request in batch for job in request.jobs]
        answers = iter(await self._add(jobs) or await self._enqueue(jobs))
        for request in batch:
            answer = [next(answers) for _ in request.jobs]
            if not request.answer.done():
                request.answer.set_result(answer)

    async def _add(self, jobs: Sequence[NewJob]) -> list[Enqueued] | None:
        """Take the short way, for jobs that are new and alike; `None` if these are not."""
        plain = encode_plain_jobs(jobs, self._settings)
        if plain is None:
            return None
        try:
            async with self._database.connection() as connection:
                ((added,),) = await rows_of(connection, statement("add"), *plain)
        except (pg.UniqueViolation, pg.CheckViolation, StorageUnavailableError):
            return None  # the other way knows what is here already, and may be repeated
        return [Enqueued(job.job_id) for job in jobs] if added else None

    async def _enqueue(self, jobs: Sequence[NewJob]) -> list[Enqueued]:
        elements = encode_jobs(jobs, self._settings)

        async def enqueue(connection: Connection) -> Sequence[Any]:
            return await rows_of(connection, statement("enqueue"), elements)

        # Safe to repeat after a lost reply: a job whose id is there already gets nothing more.
        rows = await self._database.repeatable(enqueue)
        return [Enqueued(job_id, deduplicated=not inserted) for _, job_id, inserted in rows]

    def _next_batch(self) -> list[_Request]:
        """Take requests up to the largest or heaviest batch; one that is beyond goes alone."""
        batch = [self._requests.popleft()]
        size, weight = len(batch[0].jobs), batch[0].weight
        while self._requests:
            size, weight = size + len(self._requests[0].jobs), weight + self._requests[0].weight
            if size > LARGEST_BATCH or weight > HEAVIEST_BATCH:
                break
            batch.append(self._requests.popleft())
        return batch


def _weighed(jobs: Sequence[NewJob]) -> int:
    weight = sum(len(job.payload) for job in jobs)
    if weight > HEAVIEST_CALL:
        raise PayloadLimitError(
            f"The payloads of these {len(jobs):,} jobs have {weight:,} bytes together; one call takes at most "
            f"{HEAVIEST_CALL:,}. Enqueue them in several calls."
        )
    return weight


def _refuse(request: _Request, error: Exception) -> None:
    if not request.answer.done():
        request.answer.set_exception(error)
