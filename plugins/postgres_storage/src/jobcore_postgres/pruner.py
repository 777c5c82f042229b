"""The storage's background role: one of the workers deletes what need not be kept."""

from __future__ import annotations

import asyncio

import psycopg

from jobcore.errors import StorageError
from jobcore.states import JobState
from jobcore_postgres import logs
from jobcore_postgres.database import Database
from jobcore_postgres.pruning import Pruning, Walk
from jobcore_postgres.queries import affected_by, rows_of
from jobcore_postgres.retention import defaults_of
from jobcore_postgres.settings import PostgresSettings

SWEEP_EVERY = 86_400.0
"""Seconds after which a walk begins with the oldest job again, for jobs that ended long after they were made."""
DAY = 86_400.0


class Pruner:
    """Takes the duty once an interval: whoever comes first has it, for as long as the interval lasts.

    No leader is needed; should two of them work at once, each passes over what the other holds.
    """

    def __init__(self, database: Database, settings: PostgresSettings) -> None:
        self._database = database
        self._settings = settings
        self._pruning = Pruning(database, settings.prune_share)
        self._jobs = 0
        self._details = 0

    def go_by(self, settings: PostgresSettings) -> None:
        """Keep for other times from the next turn on."""
        self._settings = settings
        self._pruning = Pruning(self._database, settings.prune_share)

    async def turn(self) -> float:
        """Delete if nobody else does; return after how many seconds to ask again.

        Raises:
            StorageUnavailableError, SchemaVersionError: from the database.
            StorageError: if it broke off a statement of ours, to end a deadlock for example.
        """
        try:
            return await self._turn()
        except psycopg.Error as error:
            raise StorageError(f"Deleting what need not be kept was broken off: {error}") from error

    async def _turn(self) -> float:
        until = asyncio.get_running_loop().time() + self._settings.prune_interval_seconds
        if not await self._take():
            return self._settings.prune_interval_seconds
        await self._forget_workers()
        self._jobs = self._details = 0
        for walk in await self._due():
            await self._follow(walk, until)
        if self._jobs:
            logs.jobs_pruned(self._jobs, self._details)
        return max(0.0, until - asyncio.get_running_loop().time())

    async def _take(self) -> bool:
        async with self._database.connection() as connection:
            return await affected_by(connection, "retention_take", (self._settings.prune_interval_seconds,)) == 1

    async def _forget_workers(self) -> None:
        async with self._database.connection() as connection:
            await affected_by(connection, "workers_prune", (self._settings.keep_workers_days * DAY,))

    async def _due(self) -> list[Walk]:
        async with self._database.connection() as connection:
            rows = await rows_of(connection, "retention_due", (defaults_of(self._settings), SWEEP_EVERY))
        return [Walk(row["tenant"], JobState(row["state"]), row["keep_ms"], row["since"]) for row in rows]

    async def _follow(self, walk: Walk, until: float) -> None:
        """Go as far as the time reaches, and note how far that was."""
        came_to = await self._pruning.walk(walk, self._count, until=until)
        if came_to.since == walk.since:
            return
        mark = {
            "tenant": walk.tenant,
            "state": walk.state.value,
            "seen_to": came_to.since,
            "swept": walk.is_sweep,
        }
        async with self._database.connection() as connection:
            await affected_by(connection, "retention_mark", mark)

    def _count(self, jobs: int, details: int) -> None:
        self._jobs += jobs
        self._details += details
