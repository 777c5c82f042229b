"""Hears of new work and of cancellations, and finds out by itself when it no longer hears."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import psycopg
from psycopg import Notify
from psycopg.sql import SQL, Identifier

from jobcore_pgboss import logs
from jobcore_pgboss.fetcher import Fetcher
from jobcore_pgboss.heartbeat import Heartbeat
from jobcore_pgboss.link import Connection, Link, is_pooled
from jobcore_pgboss.statements import statement

CANCEL_CHANNEL = "jobcore_cancel"
PROBE_PATIENCE = 5.0
"""Seconds in which the connection must hear itself."""


class Listener:
    """A connection that listens. What it hears is only a hint: everything is found by polling too.

    Now and then it sends itself a notification; a connection that does not hear it is made anew. Behind a pooler there
    is nothing to hear, and it rests.
    """

    def __init__(self, link: Link, probe_interval: float, fetcher: Fetcher, heartbeat: Heartbeat) -> None:
        self._link = link
        self._probe_interval = probe_interval
        self._fetcher = fetcher
        self._heartbeat = heartbeat
        self._probe_channel = f"jobcore_probe_{uuid4().hex}"
        self._heard_itself = False

    async def turn(self) -> None:
        """Listen until the connection is lost or deaf. Raises `psycopg.Error` when it is lost."""
        async with self._link.use() as connection:
            if is_pooled(connection):
                logs.pooler_seen()
                await asyncio.Event().wait()
            work_channel = await self._subscribe(connection)
            self._fetcher.hint()  # what was told meanwhile, nobody heard
            while True:
                await self._hear(connection, work_channel, self._probe_interval)
                await self._probe(connection, work_channel)

    async def _subscribe(self, connection: Connection) -> str:
        row = await (await connection.execute(statement("channel"))).fetchone()
        if row is None:
            raise psycopg.OperationalError("pgboss_channel() answered nothing")
        for channel in (row[0], CANCEL_CHANNEL, self._probe_channel):
            await connection.execute(SQL("listen {}").format(Identifier(channel)))
        return row[0]

    async def _probe(self, connection: Connection, work_channel: str) -> None:
        self._heard_itself = False
        await connection.execute("select pg_notify(%s, '')", (self._probe_channel,))
        await self._hear(connection, work_channel, PROBE_PATIENCE, until_probe=True)
        if not self._heard_itself:
            logs.listener_deaf()
            await connection.close()
            raise psycopg.OperationalError("the listening connection did not hear itself")

    async def _hear(
        self, connection: Connection, work_channel: str, seconds: float, *, until_probe: bool = False
    ) -> None:
        """Pass notifications on for so many seconds, or until the probe has come back."""
        async for notify in connection.notifies(timeout=seconds):
            self._pass_on(notify, work_channel)
            if until_probe and self._heard_itself:
                return

    def _pass_on(self, notify: Notify, work_channel: str) -> None:
        if notify.channel == work_channel:
            self._fetcher.hint_queue(notify.payload)
        elif notify.channel == CANCEL_CHANNEL:
            self._heartbeat.cancel_told(notify.payload)
        elif notify.channel == self._probe_channel:
            self._heard_itself = True
