"""asyncpg: a connection, or one lent by its pool."""

from __future__ import annotations

from typing import Any, LiteralString


async def call(connection: Any, query: LiteralString, *arguments: str) -> str:
    return await connection.fetchval(query, *arguments)
