"""One walk over a tenant's old jobs: batch after batch, each in a transaction of its own, with pauses in between."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from psycopg import AsyncClientCursor
from psycopg import errors as pg
from psycopg.rows import dict_row
from psycopg.sql import SQL

from jobcore.states import JobState
from jobcore_postgres import logs
from jobcore_postgres.database import Database
from jobcore_postgres.statements import statement

AIM = 0.015
"""Seconds that a batch should take; after 40 ms PostgreSQL breaks it off, so that nobody waits 50 ms for it."""
FEWEST, MOST = 10, 1000
"""Jobs that a batch deletes."""
SCAN = 10
"""How many jobs a batch looks at for each that it may delete."""
BEGINNING = "-infinity"

Count = Callable[[int, int], None]
"""Told after each batch how many jobs, and how many of their details, it deleted."""


@dataclass(frozen=True, slots=True)
class Walk:
    """What to delete: a tenant's jobs of one state, kept for so long, made from `since` on (a time of PostgreSQL's)."""

    tenant: UUID
    state: JobState
    keep_ms: int
    since: str = BEGINNING

    @property
    def is_sweep(self) -> bool:
        """Whether it begins with the oldest job, and not where another walk ended."""
        return self.since == BEGINNING


class Pruning:
    """Deletes at a measured pace: batches that take some 15 ms, and `share` of the time in the database at most."""

    def __init__(self, database: Database, share: float) -> None:
        self._database = database
        self._share = share
        self._most = 100
        self._patience = 1

    async def walk(self, walk: Walk, count: Count, *, until: float = float("inf")) -> Walk:
        """Delete until the end of the walk or the loop's time `until`; return where a later one goes on.

        Raises:
            StorageUnavailableError: if the database cannot be reached.
        """
        clock = asyncio.get_running_loop().time
        at, more = walk, True
        while more and clock() < until:
            most = self._most * self._patience
            begin = time.perf_counter()
            try:
                batch = await self._delete(at, most)
            except pg.LockNotAvailable:
                logs.details_held(at.tenant, at.state)
                return at
            except pg.QueryCanceled:
                if not await self._take_less():
                    logs.pruning_too_slow(at.tenant, at.state)
                    return at
                continue
            took = time.perf_counter() - begin
            count(batch["jobs"], batch["details"])
            self._adapt(batch["jobs"], most, took, stuck=batch["seen_to"] == at.since)
            at, more = replace(at, since=batch["seen_to"]), batch["more"]
            if more:
                await asyncio.sleep(took * (1 / self._share - 1))
        return at

    async def _delete(self, at: Walk, most: int) -> dict[str, Any]:
        """Delete one batch, in one message with the limits that hold for it: a transaction that needs nobody here.

        Raises:
            psycopg.errors.LockNotAvailable: if somebody holds a detail that would have to go.
            psycopg.errors.QueryCanceled: if it took too long; nothing was deleted.
        """
        arguments = (at.tenant, at.state.value, at.keep_ms, at.since, most * SCAN, most)
        message = SQL(";").join(SQL(statement(name)) for name in ("prune_limits", "job_prune"))
        async with (
            self._database.connection() as connection,
            AsyncClientCursor(connection, row_factory=dict_row) as cursor,
        ):
            await cursor.execute(message, arguments)
            cursor.nextset()
            (row,) = await cursor.fetchall()
            return row

    async def _take_less(self) -> bool:
        """After a batch that took too long; false if it can hardly be smaller."""
        if self._most == FEWEST:
            return False
        self._most = max(FEWEST, self._most // 4)
        self._patience = 1
        await asyncio.sleep(AIM * (1 / self._share - 1))
        return True

    def _adapt(self, jobs: int, most: int, took: float, *, stuck: bool) -> None:
        """Learn from batches that deleted; look further where many jobs of one instant are all to be passed over."""
        self._patience = self._patience * 2 if stuck and jobs == 0 else 1
        if jobs and took > AIM:
            self._most = max(FEWEST, int(jobs * max(0.5, AIM / took)))
        elif jobs == most:
            self._most = min(MOST, int(most * 1.5))
