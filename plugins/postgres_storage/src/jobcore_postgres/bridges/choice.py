"""Chooses the bridge to a connection by the names of its classes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, LiteralString

from jobcore.errors import ForeignConnectionError, InputError
from jobcore.ports.calling_thread import calling_thread, in_calling_thread
from jobcore_postgres.bridges import asyncpg, django, psycopg, sqlalchemy
from jobcore_postgres.bridges.faults import sqlstate_of

Kind = tuple[str, str]
"""A library and the name of a class in it."""

ASYNCHRONOUS: Mapping[Kind, Callable[..., Awaitable[str]]] = {
    ("psycopg", "AsyncConnection"): psycopg.call,
    ("asyncpg", "Connection"): asyncpg.call,
    ("asyncpg", "PoolConnectionProxy"): asyncpg.call,
    ("sqlalchemy", "AsyncConnection"): sqlalchemy.call_on_connection,
    ("sqlalchemy", "AsyncSession"): sqlalchemy.call_on_session,
    ("sqlalchemy", "async_scoped_session"): sqlalchemy.call_on_session,
}
BLOCKING: Mapping[Kind, Callable[..., str]] = {
    ("psycopg", "Connection"): psycopg.call_blocking,
    ("sqlalchemy", "Connection"): sqlalchemy.call_blocking_on_connection,
    ("sqlalchemy", "Session"): sqlalchemy.call_blocking_on_session,
    ("sqlalchemy", "scoped_session"): sqlalchemy.call_blocking_on_session,
    ("django", "BaseDatabaseWrapper"): django.call_blocking,
    ("django", "ConnectionProxy"): django.call_blocking,
}
THREAD_BOUND = {("sqlalchemy", "scoped_session"), ("django", "BaseDatabaseWrapper"), ("django", "ConnectionProxy")}
"""Those that are, or stand for, another connection in each thread."""
_NOT_OURS = {"42883": "function", "3F000": "schema", "42P01": "table"}
"""What a database without jobcore lacks, by SQLSTATE."""


@dataclass(frozen=True, slots=True)
class Bridge:
    """Runs statements on one connection of the application's."""

    connection: Any
    kind: Kind

    async def call(self, query: LiteralString, *arguments: str) -> str:
        """Run a statement of one text answer in the connection's transaction, without committing it.

        Args:
            query: with the placeholders $1, $2, … each once and in this order.
            arguments: for the placeholders.

        A blocking connection is used in the thread that waits for this task, if one does, else in one of the loop's
        threads. Raises what the driver raises.
        """
        if self.kind in ASYNCHRONOUS:
            return await ASYNCHRONOUS[self.kind](self.connection, query, *arguments)
        return await in_calling_thread(BLOCKING[self.kind], self.connection, query, *arguments)

    async def call_ours(self, query: LiteralString, *arguments: str) -> str:
        """As `call`, for a function of jobcore's. Raises `ForeignConnectionError` if the database has none."""
        try:
            return await self.call(query, *arguments)
        except Exception as error:
            if (missing := _NOT_OURS.get(sqlstate_of(error) or "")) is None:
                raise
            raise ForeignConnectionError(
                f"The connection is to a database without jobcore's queue (a {missing} is missing); "
                "pass one to the database that holds the jobs."
            ) from error


def bridge_to(connection: Any) -> Bridge:
    """Return the bridge to a connection.

    Raises:
        InputError: if it is none that is known, or cannot be used from this kind of code.
    """
    kind = next((kind for kind in _kinds_of(connection) if kind in ASYNCHRONOUS or kind in BLOCKING), None)
    if kind is None:
        raise InputError(
            "The connection must be psycopg's AsyncConnection or Connection, asyncpg's Connection, SQLAlchemy's "
            "AsyncSession, AsyncConnection, Session or Connection, or Django's connection, not "
            f"{type(connection).__module__}.{type(connection).__qualname__}."
        )
    if kind in ASYNCHRONOUS and calling_thread() is not None:
        raise InputError(
            f"The {_name(kind)} belongs to an event loop, and this is a blocking call: await JobApp.enqueue(...) on "
            "that loop, or pass a blocking connection."
        )
    if kind in THREAD_BOUND and calling_thread() is None:
        raise InputError(
            f"The {_name(kind)} belongs to the thread of its transaction, not to an event loop: call "
            "BlockingJobApp.enqueue(...) in that thread, or pass an asynchronous connection."
        )
    return Bridge(connection, kind)


def _kinds_of(connection: Any) -> list[Kind]:
    return [(base.__module__.partition(".")[0], base.__name__) for base in connection.__class__.__mro__]


def _name(kind: Kind) -> str:
    return ".".join(kind)
