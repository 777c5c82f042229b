"""Takes jobs in: alone or together, each with its row in `jobs` and its row in the queue, in one statement."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from itertools import chain
from typing import Any, LiteralString

import psycopg
from psycopg import errors as pg

from jobcore.errors import StorageError, StorageUnavailableError
from jobcore.models import Enqueued, NewJob, OnConflict, OnDemand
from jobcore_pgboss.callers import enqueue_on
from jobcore_pgboss.encoding import encode_jobs, encode_plain_jobs, is_plain
from jobcore_pgboss.intake import Chunk, Intake
from jobcore_pgboss.queues import Queues
from jobcore_pgboss.refusals import refusals
from jobcore_pgboss.settings import PgBossSettings
from jobcore_pgboss.statements import statement
from jobcore_pgboss.streaming import NotPlainError, add_in_chunks
from jobcore_postgres.background.link import Connection, Link, rows_of
from jobcore_postgres.bridges import bridge_to
from jobcore_postgres.database import Database

LARGEST_BATCH = 1000
HEAVIEST_BATCH = 16 * 1024 * 1024
"""Bytes of payload that calls share a statement up to."""
REFUSALS = (psycopg.DataError, psycopg.IntegrityError, pg.ProgramLimitExceeded)
"""What PostgreSQL says to data that it will never take."""


@dataclass(frozen=True, slots=True)
class _Request:
    jobs: Sequence[NewJob]
    weight: int
    """Bytes of payload."""
    answer: asyncio.Future[list[Enqueued]]


class Enqueuer:
    """Enqueues on a caller's connection, or on ours: there, concurrent calls share one statement.

    The next batch leaves when the last has committed, so that one caller alone waits for nobody, and many together pay
    for one commit and one notification. Batches leave by the same connection, whose process in PostgreSQL is warm; a
    pool would wake another one each time. A large call has a transaction to itself.
    """

    def __init__(self, database: Database, queues: Queues, settings: PgBossSettings) -> None:
        self._database = database
        self._link = Link(database, "enqueue")
        self._queues = queues
        self._settings = settings
        self._requests: deque[_Request] = deque()
        self._sender: asyncio.Task[None] | None = None

    async def submit(self, jobs: Iterable[NewJob], connection: Any = None) -> Sequence[Enqueued]:
        """Accept all of these jobs, or none.

        Raises:
            PayloadLimitError: if their payloads are too large together.
            psycopg.Error: what PostgreSQL refuses.
            InputError: if no bridge leads to the connection; and what `enqueue_on` raises.
        """
        bridge = None if connection is None else bridge_to(connection)
        call = Intake(jobs)
        first = call.next_chunk()
        if first is None:
            return []
        if bridge is None and call.is_large and await self._stream(first, call):
            ids = call.ids
            return OnDemand(len(ids), lambda position: Enqueued(ids[position]))
        taken = call.take_all()
        with refusals():
            await self._ensure_queues(taken)
            if bridge is not None:
                return await enqueue_on(bridge, taken, self._settings, self._database)
            return await self._answer_to(_Request(taken, call.weight, asyncio.get_running_loop().create_future()))

    async def close(self) -> None:
        """Wait for what is under way."""
        if self._sender is not None:
            await asyncio.wait([self._sender])
        await self._link.close()

    async def _answer_to(self, request: _Request) -> list[Enqueued]:
        self._requests.append(request)
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send_all(), name="jobcore enqueue")
        return await request.answer

    async def _ensure_queues(self, jobs: Chunk) -> None:
        if unknown := self._queues.unknown(jobs):
            async with self._database.connection() as own:
                await self._queues.ensure(own, unknown)

    async def _stream(self, first: Chunk, call: Intake) -> bool:
        """Take the short way while the rest is being planned; false, with nothing stored, if it does not take them."""
        if not is_plain(first):
            return False
        with refusals():
            await self._ensure_queues(first)
        try:
            async with self._free_connection() as connection:
                await add_in_chunks(connection, chain([first], call.chunks()), self._settings)
        except (NotPlainError, psycopg.Error, StorageError):
            stored = False  # the other way takes what this one does not, needs no pipeline, and says what is wrong
        else:
            stored = True
        if call.planning_error is not None:  # of a kind that our own transaction and pool take for theirs
            raise call.planning_error
        return stored

    async def _send_all(self) -> None:
        while self._requests:
            batch = self._next_batch()
            try:
                await self._send(batch)
            except REFUSALS as refusal:
                if len(batch) == 1:
                    _refuse(batch[0], refusal)
                    continue
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
            ((added,),) = await self._rows(statement("add"), *plain)
        except pg.ProgramLimitExceeded:
            raise  # the other way would say the same
        except (psycopg.Error, StorageUnavailableError):
            return None  # the other way knows what is here already, may be repeated, and says what is wrong
        return [Enqueued(job.job_id) for job in jobs] if added else None

    async def _rows(self, query: LiteralString, *arguments: Any) -> Sequence[Any]:
        async with self._free_connection() as connection:
            return await rows_of(connection, query, *arguments)

    def _free_connection(self) -> AbstractAsyncContextManager[Connection]:
        """Lend the warm one, unless somebody uses it, or the application counts its connections."""
        if self._database.is_lent or self._link.is_busy:
            return self._database.connection()
        return self._link.use()

    async def _enqueue(self, jobs: Sequence[NewJob]) -> list[Enqueued]:
        elements = encode_jobs(jobs, self._settings)

        async def enqueue(connection: Connection) -> Sequence[Any]:
            return await rows_of(connection, statement("enqueue"), elements)

        # Safe to repeat after a lost reply: a job whose id is there already gets nothing more.
        rows = await self._database.repeatable(enqueue)
        return [Enqueued(job_id, deduplicated=not inserted) for _, job_id, inserted in rows]

    def _next_batch(self) -> list[_Request]:
        """Take requests up to the largest or heaviest batch; one that is beyond goes alone.

        So does one that displaces others, and holds them to the end: two batches with the same in another order would
        wait for each other.
        """
        batch = [self._requests.popleft()]
        size, weight = len(batch[0].jobs), batch[0].weight
        while self._requests and not (_displaces(batch[0]) or _displaces(self._requests[0])):
            size, weight = size + len(self._requests[0].jobs), weight + self._requests[0].weight
            if size > LARGEST_BATCH or weight > HEAVIEST_BATCH:
                break
            batch.append(self._requests.popleft())
        return batch


def _displaces(request: _Request) -> bool:
    return any(job.on_conflict is not OnConflict.SKIP for job in request.jobs)


def _refuse(request: _Request, error: Exception) -> None:
    if not request.answer.done():
        request.answer.set_exception(error)
