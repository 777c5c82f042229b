"""The SQL of this distribution, one statement a file named by what it does, and the three ways to run it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

from psycopg import AsyncConnection
from psycopg.rows import class_row

RowT = TypeVar("RowT")

Connection = AsyncConnection[Any]
Values = Mapping[str, Any]


@cache
def statement(room: str, name: str) -> bytes:
    """Return the statement `name` of a room (`invoicing`, `bundles`, ...). Reads the file once."""
    return files("jobcore_handlers").joinpath(room, "sql", f"{name}.sql").read_bytes()


class Statements:
    """The statements of one room, run on one connection."""

    def __init__(self, room: str, connection: Connection) -> None:
        self.connection = connection
        self._room = room

    async def all(self, name: str, kind: type[RowT], /, **values: Any) -> Sequence[RowT]:
        """Run a statement and return its rows as `kind`, whose fields are the columns."""
        async with self.connection.cursor(row_factory=class_row(kind)) as cursor:
            await cursor.execute(statement(self._room, name), values)
            return await cursor.fetchall()

    async def first(self, name: str, kind: type[RowT], /, **values: Any) -> RowT | None:
        """Run a statement and return its first row as `kind`, or `None`."""
        async with self.connection.cursor(row_factory=class_row(kind)) as cursor:
            await cursor.execute(statement(self._room, name), values)
            return await cursor.fetchone()

    async def run(self, name: str, /, **values: Any) -> None:
        """Run a statement that returns nothing."""
        await self.connection.execute(statement(self._room, name), values)

    async def run_each(self, name: str, many: Sequence[Values]) -> None:
        """Run a statement once for each of `many`, in one round trip."""
        async with self.connection.cursor() as cursor:
            await cursor.executemany(statement(self._room, name), many)
