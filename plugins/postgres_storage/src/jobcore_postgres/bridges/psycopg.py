"""psycopg 3, asynchronous and blocking."""

from __future__ import annotations

from typing import Any, LiteralString

from psycopg import AsyncConnection, AsyncRawCursor, Connection, RawCursor
from psycopg.rows import scalar_row


async def call(connection: AsyncConnection[Any], query: LiteralString, *arguments: str) -> str:
    async with AsyncRawCursor(connection, row_factory=scalar_row) as cursor:
        await cursor.execute(query, arguments)
        return (await cursor.fetchall())[0]


def call_blocking(connection: Connection[Any], query: LiteralString, *arguments: str) -> str:
    with RawCursor(connection, row_factory=scalar_row) as cursor:
        cursor.execute(query, arguments)
        return cursor.fetchall()[0]
