"""Stores the chunks of a large call in one transaction: PostgreSQL works on one while the next is planned."""

from __future__ import annotations

from collections.abc import Iterable

from psycopg import AsyncCursor
from psycopg.rows import TupleRow

from jobcore_pgboss.encoding import encode_plain_jobs
from jobcore_pgboss.intake import Chunk
from jobcore_pgboss.settings import PgBossSettings
from jobcore_pgboss.statements import statement
from jobcore_postgres.background.link import Connection, patience

CHECK_AT_ONCE = "set constraints all immediate"
"""pg-boss has PostgreSQL look for each job's queue when the transaction commits: after all else, while nobody plans."""


class NotPlainError(Exception):
    """Some jobs are not new and alike, or have no queue: `pgboss_add` does not take them."""


async def add_in_chunks(connection: Connection, chunks: Iterable[Chunk], settings: PgBossSettings) -> None:
    """Insert all of these jobs, or none. A chunk is asked for while PostgreSQL inserts the one before.

    Raises:
        NotPlainError: if some job has to go the other way.
        psycopg.Error: what PostgreSQL refuses.
        Exception: what the making of a chunk raises.
    """
    async with connection.transaction(), connection.pipeline():
        await connection.execute(CHECK_AT_ONCE)
        additions = [await _begin(connection, chunk, settings) for chunk in chunks]
        with patience(connection):
            for addition in additions:
                if await addition.fetchone() != (True,):
                    raise NotPlainError


async def _begin(connection: Connection, chunk: Chunk, settings: PgBossSettings) -> AsyncCursor[TupleRow]:
    """Send a chunk, and return where its answer will be."""
    plain = encode_plain_jobs(chunk, settings)
    if plain is None:
        raise NotPlainError
    return await connection.cursor(binary=True).execute(statement("add"), plain, prepare=True)
