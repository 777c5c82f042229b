"""Borrows a connection of the application's own pool, and gives it back as it was."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncConnection
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row


@asynccontextmanager
async def borrowed(connection: AsyncConnection[Any]) -> AsyncGenerator[None]:
    """Use an idle connection in our manner within the block: in autocommit mode, with rows as tuples.

    One that does not come back idle is closed, so that its pool makes another.
    """
    autocommit, row_factory = connection.autocommit, connection.row_factory
    await connection.set_autocommit(True)
    connection.row_factory = tuple_row
    try:
        yield
    finally:
        connection.row_factory = row_factory
        if connection.pgconn.transaction_status == TransactionStatus.IDLE:
            await connection.set_autocommit(autocommit)
        else:
            await connection.close()
