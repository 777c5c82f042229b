"""Work on connections that are not ours: the caller's own transaction, which we neither commit nor roll back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, LiteralString, cast

import orjson
from psycopg import AsyncConnection, Connection
from psycopg import errors as pg
from psycopg.rows import TupleRow, tuple_row

from jobcore.errors import ForeignConnectionError, InputError, StaleClaimError
from jobcore.models import Enqueued, NewJob, Settlement
from jobcore_pgboss.encoding import encode_jobs, encode_settlement
from jobcore_pgboss.runs import Run
from jobcore_pgboss.settings import PgBossSettings
from jobcore_pgboss.statements import statement

_NOT_OURS = (pg.UndefinedFunction, pg.InvalidSchemaName, pg.UndefinedTable)


async def enqueue_on(connection: Any, jobs: Sequence[NewJob], settings: PgBossSettings) -> list[Enqueued]:
    """Enqueue in the transaction of a connection.

    Raises:
        ForeignConnectionError: if the connection's database has no jobcore.
        InputError: if it is no psycopg connection.
        psycopg.Error: what PostgreSQL refuses.
    """
    rows = await _rows(connection, statement("enqueue_in"), encode_jobs(jobs, settings))
    return [Enqueued(job_id, deduplicated=not inserted) for _, job_id, inserted in sorted(rows)]


async def settle_on(connection: Any, run: Run, settlement: Settlement) -> None:
    """Settle a claim in the transaction of a connection.

    Raises:
        StaleClaimError: if the claim is gone; the caller's transaction must then be rolled back.
        ForeignConnectionError, InputError, psycopg.Error: as `enqueue_on`.
    """
    batch = orjson.dumps([encode_settlement(run, settlement)]).decode()
    rows = await _rows(connection, statement("settle_in"), batch)
    if not rows[0][0]:
        raise StaleClaimError(
            f"Job {run.claim.job_id} is no longer this worker's in the database of this connection: it was lost, "
            "cancelled or settled meanwhile, or the connection is to another database. Nothing was committed."
        )


async def _rows(connection: Any, query: LiteralString, batch: str) -> list[TupleRow]:
    try:
        if isinstance(connection, AsyncConnection):
            async with connection.cursor(binary=True, row_factory=tuple_row) as cursor:
                await cursor.execute(query, (batch,))
                return await cursor.fetchall()
        if isinstance(connection, Connection):
            return await asyncio.to_thread(_rows_blocking, cast("Connection[Any]", connection), query, batch)
    except _NOT_OURS as error:
        raise ForeignConnectionError(
            f"The connection is to a database without jobcore's queue ({error.diag.message_primary}); "
            "pass one to the database that holds the jobs."
        ) from error
    raise InputError(
        f"A connection must be psycopg's AsyncConnection or Connection, not {type(connection).__qualname__}."
    )


def _rows_blocking(connection: Connection[Any], query: LiteralString, batch: str) -> list[TupleRow]:
    with connection.cursor(binary=True, row_factory=tuple_row) as cursor:
        cursor.execute(query, (batch,))
        return cursor.fetchall()
