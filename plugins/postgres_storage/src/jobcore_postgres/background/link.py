"""A connection of the worker's own, made anew when it breaks."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, LiteralString

from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow

from jobcore_postgres.background import logs
from jobcore_postgres.database import Connection, Database
from jobcore_postgres.errors import READ_ONLY

__all__ = ["Connection", "Link"]

PATIENCE = 60.0
"""Seconds without an answer to a statement after which a connection counts as lost."""


class Link:
    """One autocommit connection for one role, outside the application's pool (B04); uses of it queue up.

    Args:
        database: where to connect.
        role: who uses it, for `pg_stat_activity`.
        patience: how long `rows` waits for an answer, in seconds.
    """

    def __init__(self, database: Database, role: str, patience: float | None = None) -> None:
        self._database = database
        self._role = role
        self._patience = patience
        self._lock = asyncio.Lock()
        self._connection: Connection | None = None

    @property
    def address(self) -> str:
        """Host, port, database and user, for messages."""
        return self._database.address

    @property
    def is_busy(self) -> bool:
        """Whether somebody uses it now."""
        return self._lock.locked()

    @asynccontextmanager
    async def use(self) -> AsyncGenerator[Connection]:
        """Yield the connection, connecting first if there is none.

        Raises `StorageUnavailableError`, and what the block raises.
        """
        async with self._lock:
            if self._connection is None or self._connection.closed:
                self._connection = await self._database.connect(application_name=f"jobcore {self._role}")
            try:
                yield self._connection
            except READ_ONLY as error:
                await self._connection.close()  # the next one is looked up anew, and may lead to the primary
                raise self._database.unavailable(error) from error
            finally:
                # After a cancellation half an answer may still be under way.
                if self._connection.pgconn.transaction_status not in _REUSABLE:
                    await self._connection.close()

    async def rows(self, query: LiteralString, *arguments: Any) -> list[TupleRow]:
        """Run a statement, prepared unless there is a pooler, and return its rows.

        Raises `StorageUnavailableError`, `psycopg.Error`.
        """
        async with self.use() as connection:
            return await rows_of(connection, query, *arguments, seconds=self._patience)

    async def close(self) -> None:
        async with self._lock:
            if self._connection is not None:
                await self._connection.close()


async def rows_of(
    connection: Connection, query: LiteralString, *arguments: Any, seconds: float | None = None
) -> list[TupleRow]:
    """Run a statement on a connection of ours.

    Raises `psycopg.Error`; also if nothing is answered for `seconds`: then the connection is broken off.
    """
    with patience(connection, seconds):
        async with connection.cursor(binary=True) as cursor:
            await cursor.execute(query, arguments, prepare=True)
            return await cursor.fetchall()


@contextmanager
def patience(connection: Connection, seconds: float | None = None) -> Generator[None]:
    """Wait in this block for an answer; if none comes in time, the connection was cut and nobody told us: break it off.

    Args:
        seconds: how long; by default `PATIENCE`.
    """
    limit = PATIENCE if seconds is None else seconds
    silence = asyncio.get_running_loop().call_later(limit, _give_up, connection, limit)
    try:
        yield
    finally:
        silence.cancel()


def sever(connection: Connection) -> None:
    """Break a connection off beneath the driver: whoever waits on it gets `psycopg.OperationalError`.

    Nothing is asked of the server, which does not answer: the driver's own cancellation would wait for it.
    """
    if connection.closed:
        return
    line = socket.socket(fileno=connection.fileno())
    try:
        line.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it has just been lost by itself
    finally:
        line.detach()


def _give_up(connection: Connection, seconds: float) -> None:
    logs.no_answer(seconds)
    sever(connection)


def is_pooled(connection: Connection) -> bool:
    """Whether a pooler stands between, so that nothing may rely on the session. `Database` found it out."""
    return connection.prepare_threshold is None


_REUSABLE = (TransactionStatus.IDLE, TransactionStatus.UNKNOWN)
