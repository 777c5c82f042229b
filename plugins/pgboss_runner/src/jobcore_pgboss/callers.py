"""Work on connections that are not ours: the caller's own transaction, which we neither commit nor roll back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, LiteralString
from uuid import UUID

import orjson

from jobcore.errors import ForeignConnectionError, StaleClaimError
from jobcore.models import Enqueued, NewJob, Settlement
from jobcore_pgboss.bridges import Bridge, bridge_to, sqlstate_of
from jobcore_pgboss.encoding import encode_jobs, encode_settlement
from jobcore_pgboss.runs import Run
from jobcore_pgboss.settings import PgBossSettings
from jobcore_pgboss.statements import statement
from jobcore_postgres.database import Database

_NOT_OURS = {"42883": "function", "3F000": "schema", "42P01": "table"}
"""What a database without jobcore lacks, by SQLSTATE."""


async def enqueue_on(
    bridge: Bridge, jobs: Sequence[NewJob], settings: PgBossSettings, database: Database
) -> list[Enqueued]:
    """Enqueue in the transaction of a connection, with one statement.

    Raises:
        ForeignConnectionError: if the connection does not lead to `database`; nothing was written.
        Exception: what PostgreSQL refuses, as the connection's library says it.
    """
    batch = encode_jobs(jobs, settings)
    answer = await _enqueue(bridge, database.place, batch)
    if answer["jobs"] is None and await database.is_at(answer["place"]):  # the server was started anew meanwhile
        answer = await _enqueue(bridge, database.place, batch)
    if answer["jobs"] is None:
        raise ForeignConnectionError(
            f"The connection leads to the database {answer['database']!r}, and the jobs are in another database "
            f"({database.address}): the two cannot commit together."
        )
    return [Enqueued(UUID(job_id), deduplicated=not inserted) for job_id, inserted in answer["jobs"]]


async def settle_on(connection: Any, run: Run, settlement: Settlement) -> None:
    """Settle a claim in the transaction of a connection.

    Raises:
        StaleClaimError: if the claim is gone; the caller's transaction must then be rolled back.
        InputError: if it is no connection that a bridge leads to.
        ForeignConnectionError: if the connection's database has no jobcore.
        Exception: what PostgreSQL refuses, as the connection's library says it.
    """
    batch = orjson.dumps([encode_settlement(run, settlement)]).decode()
    if await _call(bridge_to(connection), statement("settle_in"), batch) != "true":
        raise StaleClaimError(
            f"Job {run.claim.job_id} is no longer this worker's in the database of this connection: it was lost, "
            "cancelled or settled meanwhile, or the connection is to another database. Nothing was committed."
        )


async def _enqueue(bridge: Bridge, place: str, batch: str) -> dict[str, Any]:
    return orjson.loads(await _call(bridge, statement("enqueue_in"), place, batch))


async def _call(bridge: Bridge, query: LiteralString, *arguments: str) -> str:
    try:
        return await bridge.call(query, *arguments)
    except Exception as error:
        if (missing := _NOT_OURS.get(sqlstate_of(error) or "")) is None:
            raise
        raise ForeignConnectionError(
            f"The connection is to a database without jobcore's queue (a {missing} is missing); "
            "pass one to the database that holds the jobs."
        ) from error
