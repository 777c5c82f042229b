"""Hears of new work and of cancellations, and finds out by itself when it no longer hears."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol
from uuid import uuid4

import psycopg
from psycopg import Notify
from psycopg.sql import SQL, Identifier

from jobcore_pgboss import logs
from jobcore_pgboss.link import Connection, Link, is_pooled, sever
from jobcore_pgboss.settings import PgBossSettings
from jobcore_pgboss.statements import statement
from jobcore_postgres.admitter import CHANNEL as ADMISSION_CHANNEL

CANCEL_CHANNEL = "jobcore_cancel"
PROBE_PATIENCE = 5.0
"""Seconds in which the connection must hear itself."""


class HearsOfWork(Protocol):
    """Who is told of new work."""

    def hint(self) -> None:
        """There may be some, and nobody heard of it."""
        ...

    def hint_queue(self, queue: str) -> None:
        """There is some in a queue."""
        ...


class HearsOfCancellations(Protocol):
    """Who is told of cancellations."""

    def cancel_told(self, job_id: str) -> None: ...


class HearsOfAdmissions(Protocol):
    """Who is told that somebody may be admitted."""

    def hint(self) -> None: ...


class Listener:
    """A connection that listens. What it hears is only a hint: everything is found by polling too.

    Now and then it sends itself a notification; a connection that does not hear it in time, or on which nothing is
    answered any more, is made anew. Behind a pooler there is nothing to hear, and it rests.
    """

    def __init__(
        self,
        link: Link,
        settings: PgBossSettings,
        fetcher: HearsOfWork,
        heartbeat: HearsOfCancellations | None = None,
        admitter: HearsOfAdmissions | None = None,
    ) -> None:
        self._link = link
        self._settings = settings
        self._fetcher = fetcher
        self._heartbeat = heartbeat
        self._admitter = admitter
        self._probe_channel = f"jobcore_probe_{uuid4().hex}"
        self._heard_itself = False
        self._subscribed: Connection | None = None
        self._work_channel = ""

    @property
    def hears(self) -> bool:
        """Whether it listens now, as far as it knows."""
        return self._subscribed is not None and not self._subscribed.closed

    async def turn(self) -> None:
        """Listen for a while, then see whether the connection still hears. Raises `psycopg.Error` when it is lost."""
        async with self._link.use() as connection:
            if is_pooled(connection):
                logs.pooler_seen(listen_url=self._settings.listen_url is not None)
                await asyncio.Event().wait()
            if connection is not self._subscribed:
                await self._in_time(connection, self._subscribe(connection))
            else:
                await self._hear(connection, self._settings.probe_interval_seconds)
                await self._in_time(connection, self._probe(connection))

    async def _subscribe(self, connection: Connection) -> None:
        row = await (await connection.execute(statement("channel"))).fetchone()
        if row is None:
            raise psycopg.OperationalError("pgboss_channel() answered nothing")
        self._work_channel = row[0]
        channels = [self._work_channel, self._probe_channel]
        if self._heartbeat is not None:
            channels.append(CANCEL_CHANNEL)
        if self._admitter is not None:
            channels.append(ADMISSION_CHANNEL)
        for channel in channels:
            await connection.execute(SQL("listen {}").format(Identifier(channel)))
        self._subscribed = connection
        if self._admitter is not None:
            self._admitter.hint()
        self._fetcher.hint()  # what was told meanwhile, nobody heard

    async def _probe(self, connection: Connection) -> None:
        self._heard_itself = False
        await connection.execute("select pg_notify(%s, '')", (self._probe_channel,))
        await self._hear(connection, None, until_probe=True)

    async def _in_time(self, connection: Connection, talk: Coroutine[Any, Any, None]) -> None:
        """Break the connection off if a talk on it is not over in time: it was cut, and nobody told us.

        Raises `psycopg.OperationalError` then, out of the talk.
        """
        silence = asyncio.get_running_loop().call_later(PROBE_PATIENCE, _give_up, connection)
        try:
            await talk
        finally:
            silence.cancel()

    async def _hear(self, connection: Connection, seconds: float | None, *, until_probe: bool = False) -> None:
        """Pass notifications on for so many seconds, or until the probe has come back."""
        async for notify in connection.notifies(timeout=seconds):
            self._pass_on(notify)
            if until_probe and self._heard_itself:
                return

    def _pass_on(self, notify: Notify) -> None:
        if notify.channel == self._work_channel:
            self._fetcher.hint_queue(notify.payload)
        elif notify.channel == CANCEL_CHANNEL and self._heartbeat is not None:
            self._heartbeat.cancel_told(notify.payload)
        elif notify.channel == ADMISSION_CHANNEL and self._admitter is not None:
            self._admitter.hint()
        elif notify.channel == self._probe_channel:
            self._heard_itself = True


def _give_up(connection: Connection) -> None:
    logs.listener_deaf()
    sever(connection)
