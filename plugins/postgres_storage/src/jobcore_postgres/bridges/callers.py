"""Work in a caller's own transaction, which we neither commit nor roll back: for engines, by a statement of each."""

from __future__ import annotations

from typing import Any, LiteralString
from uuid import UUID

import orjson

from jobcore.errors import ForeignConnectionError, StaleClaimError
from jobcore.models import Enqueued
from jobcore_postgres.bridges.choice import Bridge, bridge_to
from jobcore_postgres.database import Database


async def enqueue_there(bridge: Bridge, query: LiteralString, batch: str, database: Database) -> list[Enqueued]:
    """Enqueue in the transaction of a connection, with one statement.

    Args:
        query: takes a place and a batch, and answers `{place, database, jobs}` as JSON; `jobs` is null elsewhere.

    Raises:
        ForeignConnectionError: if the connection does not lead to `database`; nothing was written.
        Exception: what PostgreSQL refuses, as the connection's library says it.
    """
    answer = orjson.loads(await bridge.call_ours(query, database.place, batch))
    if answer["jobs"] is None and await database.is_at(answer["place"]):  # the server was started anew meanwhile
        answer = orjson.loads(await bridge.call_ours(query, database.place, batch))
    if answer["jobs"] is None:
        raise ForeignConnectionError(
            f"The connection leads to the database {answer['database']!r}, and the jobs are in another database "
            f"({database.address}): the two cannot commit together."
        )
    return [Enqueued(UUID(job_id), deduplicated=not inserted) for job_id, inserted in answer["jobs"]]


async def settle_there(connection: Any, query: LiteralString, batch: str, job_id: UUID) -> None:
    """Settle a claim in the transaction of a connection.

    Args:
        query: takes a batch of one, and answers `true` if the claim stood.

    Raises:
        StaleClaimError: if the claim is gone; the caller's transaction must then be rolled back.
        InputError: if it is no connection that a bridge leads to.
        ForeignConnectionError: if the connection's database has no jobcore.
        Exception: what PostgreSQL refuses, as the connection's library says it.
    """
    if await bridge_to(connection).call_ours(query, batch) != "true":
        raise StaleClaimError(
            f"Job {job_id} is no longer this worker's in the database of this connection: it was lost, cancelled or "
            "settled meanwhile, or the connection is to another database. Nothing was committed."
        )
