"""Tells whoever watches a job that its progress was written."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import chain
from uuid import UUID

import psycopg

from jobcore.errors import StorageUnavailableError
from jobcore.ports.store import Watch
from jobcore_postgres import logs
from jobcore_postgres.database import Database
from jobcore_postgres.statements import statement

REST = 1.0
"""Seconds until a connection that was lost is made anew; meanwhile one looks at the jobs now and then."""


class Watchtower:
    """One connection that listens for all who watch, as long as anybody does.

    Where the application counts its connections there is none, and behind a pooler nothing to hear: then one looks at
    the jobs now and then.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._watches: defaultdict[UUID, set[_Watch]] = defaultdict(set)
        self._listening: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def watch(self, job_id: UUID) -> AsyncGenerator[Watch]:
        """Hear of a job within the block."""
        own = _Watch()
        self._watches[job_id].add(own)
        if self._listening is None and not self._database.is_lent:
            self._listening = asyncio.create_task(self._listen(), name="jobcore watchtower")
        try:
            yield own
        finally:
            self._watches[job_id].discard(own)
            if not self._watches[job_id]:
                del self._watches[job_id]
            if not self._watches:
                await self.close()

    async def close(self) -> None:
        """Listen no more."""
        listening, self._listening = self._listening, None
        if listening is not None:
            listening.cancel()
            await asyncio.wait([listening])

    async def _listen(self) -> None:
        while True:
            try:
                async with await self._database.connect(application_name="jobcore watcher") as connection:
                    if connection.prepare_threshold is None:  # a pooler
                        return
                    await connection.execute(statement("watch"))
                    self._tell_all()  # what was written until now, nobody heard
                    async for notify in connection.notifies():
                        self._tell(notify.payload)
            except (psycopg.Error, StorageUnavailableError) as error:
                logs.watching_interrupted(error)
                await asyncio.sleep(REST)

    def _tell(self, payload: str) -> None:
        try:
            told = UUID(payload)
        except ValueError:
            return  # anybody may notify
        for watch in self._watches.get(told, ()):
            watch.heard.set()

    def _tell_all(self) -> None:
        for watch in chain.from_iterable(self._watches.values()):
            watch.heard.set()


class _Watch:
    def __init__(self) -> None:
        self.heard = asyncio.Event()

    async def changed(self, timeout: float) -> None:
        try:
            async with asyncio.timeout(timeout):
                await self.heard.wait()
        except TimeoutError:
            return
        self.heard.clear()
