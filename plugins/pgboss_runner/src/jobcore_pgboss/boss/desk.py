"""Runs the statements of the verbs: on a connection of the pool, or in a transaction of the caller's."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, LiteralString, cast

import orjson

from jobcore.errors import InputError
from jobcore_pgboss.boss.errors import QueueNotFoundError
from jobcore_pgboss.supervision import SupervisionSettings
from jobcore_postgres.bridges import bridge_to, sqlstate_of
from jobcore_postgres.database import Database

_NO_SUCH_QUEUE = "42704"
_REFUSED = {"22023", "22007", "22008", "22P02", "22003"}
"""What they raise, by SQLSTATE: refusals of their own; text that is no instant, interval or id; too large numbers."""


class Desk:
    """Every verb is one statement that takes a text ($1, mostly the queue's name) and JSON ($2), and answers one JSON
    value as text: so every bridge to the application's own connections carries it."""

    def __init__(self, database: Database, supervision: SupervisionSettings | None = None) -> None:
        self.database = database
        self.supervision = supervision or SupervisionSettings()

    async def ask(self, verb: str, name: str, argument: Any = None, *, connection: Any = None) -> Any:
        """Run `boss/sql/VERB.sql` and return its answer.

        Args:
            verb: the statement's name.
            name: its $1.
            argument: its $2, as JSON.
            connection: the application's own, in whose transaction it runs; without one it is committed at once.

        Raises:
            QueueNotFoundError: if the statement needs the queue, and there is none.
            InputError: if the statement refuses what it was told, or no bridge leads to the connection.
            StorageUnavailableError: if the pool has no connection, or it breaks.
            Exception: what PostgreSQL refuses; on a caller's connection as its library says it.
        """
        words = statement(verb), name, orjson.dumps(argument).decode()
        try:
            if connection is not None:
                return orjson.loads(await bridge_to(connection).call(*words))
            async with self.database.connection() as own:
                return orjson.loads(await bridge_to(own).call(*words))
        except Exception as error:
            code = sqlstate_of(error)
            if code == _NO_SUCH_QUEUE:
                raise QueueNotFoundError(name) from error
            if code in _REFUSED:
                raise InputError(f"{verb}: {error}") from error
            raise


class Verbs:
    """What all families of verbs stand on."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk


@cache
def statement(verb: str) -> LiteralString:
    """Return the text of `boss/sql/VERB.sql`, read once. Raises `FileNotFoundError` for one that is not there."""
    text = files("jobcore_pgboss").joinpath("boss", "sql", f"{verb}.sql").read_text(encoding="utf-8")
    return cast("LiteralString", text)
