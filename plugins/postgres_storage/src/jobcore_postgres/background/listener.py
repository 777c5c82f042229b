"""Hears of new work and of cancellations, and finds out by itself when it no longer hears."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any
from uuid import uuid4

from psycopg import Notify
from psycopg.sql import SQL, Identifier

from jobcore_postgres.background import logs
from jobcore_postgres.background.link import Connection, Link, is_pooled, sever
from jobcore_postgres.background.listening import Listening

CANCEL_CHANNEL = "jobcore_cancel"
"""Where PostgreSQL tells which job is to be cancelled."""
RELOAD_CHANNEL = "jobcore_reload"
"""Where PostgreSQL tells that all workers are to read their settings anew."""
PROBE_PATIENCE = 5.0
"""Seconds in which the connection must hear itself."""


Hearers = Mapping[str, Callable[[str], None]]
"""Channels to whom to tell of each notification, with its payload."""


class Listener:
    """A connection that listens. What it hears is only a hint: everything is found by polling too.

    Now and then it sends itself a notification; a connection that does not hear it in time, or on which nothing is
    answered any more, is made anew. Behind a pooler there is nothing to hear, and it rests.

    Args:
        link: its connection.
        listening: how often it looks whether it still hears.
        hearers: whom it tells what.
        catch_up: called whenever it begins to hear.
    """

    def __init__(
        self,
        link: Link,
        listening: Listening,
        hearers: Hearers,
        *catch_up: Callable[[], None],
    ) -> None:
        self._link = link
        self._listening = listening
        self._hearers = hearers
        self._catch_up = catch_up
        self._probe_channel = f"jobcore_probe_{uuid4().hex}"
        self._heard_itself = False
        self._subscribed: Connection | None = None

    @property
    def hears(self) -> bool:
        """Whether it listens now, as far as it knows."""
        return self._subscribed is not None and not self._subscribed.closed

    async def turn(self) -> None:
        """Listen for a while, then see whether the connection still hears. Raises `psycopg.Error` when it is lost."""
        async with self._link.use() as connection:
            if is_pooled(connection):
                logs.pooler_seen(self._listening.variable, is_set=self._listening.url is not None)
                await asyncio.Event().wait()
            if connection is not self._subscribed:
                await self._in_time(connection, self._subscribe(connection))
            else:
                await self._hear(connection, self._listening.probe_interval_seconds)
                await self._in_time(connection, self._probe(connection))

    async def _subscribe(self, connection: Connection) -> None:
        for channel in (*self._hearers, self._probe_channel):
            await connection.execute(SQL("listen {}").format(Identifier(channel)))
        self._subscribed = connection
        for hint in self._catch_up:  # what was told meanwhile, nobody heard
            hint()

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
        if notify.channel == self._probe_channel:
            self._heard_itself = True
        else:
            self._hearers[notify.channel](notify.payload)


def _give_up(connection: Connection) -> None:
    logs.listener_deaf()
    sever(connection)
