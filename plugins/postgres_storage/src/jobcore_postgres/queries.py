"""Small helpers around a connection: a named statement in, its rows out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg.rows import dict_row, tuple_row

from jobcore_postgres.database import Connection
from jobcore_postgres.statements import statement

Parameters = Sequence[Any] | Mapping[str, Any]


async def value_of(connection: Connection, name: str, parameters: Parameters = ()) -> Any:
    """Return the first column of the first row; `None` without a row."""
    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(statement(name), parameters)
        row = await cursor.fetchone()
    return None if row is None else row[0]


async def rows_of(connection: Connection, name: str, parameters: Parameters = ()) -> list[dict[str, Any]]:
    """Return all rows, as dictionaries."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statement(name), parameters)
        return await cursor.fetchall()


async def row_of(connection: Connection, name: str, parameters: Parameters = ()) -> dict[str, Any] | None:
    """Return the first row, as a dictionary; `None` without one."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statement(name), parameters)
        return await cursor.fetchone()


async def affected_by(connection: Connection, name: str, parameters: Parameters = ()) -> int:
    """Run a statement without a result; return how many rows it changed."""
    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(statement(name), parameters)
        return cursor.rowcount
