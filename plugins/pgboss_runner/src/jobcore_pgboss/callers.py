"""Work on connections that are not ours: the caller's own transaction, which we neither commit nor roll back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from jobcore.models import Enqueued, NewJob, Settlement
from jobcore_pgboss.encoding import encode_jobs, encode_settlement
from jobcore_pgboss.runs import Run
from jobcore_pgboss.settings import PgBossSettings
from jobcore_pgboss.statements import statement
from jobcore_postgres.bridges import Bridge
from jobcore_postgres.bridges.callers import enqueue_there, settle_there
from jobcore_postgres.database import Database


async def enqueue_on(
    bridge: Bridge, jobs: Sequence[NewJob], settings: PgBossSettings, database: Database
) -> list[Enqueued]:
    """Enqueue in the transaction of a connection, with one statement. Raises as `enqueue_there`."""
    return await enqueue_there(bridge, statement("enqueue_in"), encode_jobs(jobs, settings), database)


async def settle_on(connection: Any, run: Run, settlement: Settlement) -> None:
    """Settle a claim in the transaction of a connection. Raises as `settle_there`."""
    batch = orjson.dumps([encode_settlement(run, settlement)]).decode()
    await settle_there(connection, statement("settle_in"), batch, run.claim.job_id)
