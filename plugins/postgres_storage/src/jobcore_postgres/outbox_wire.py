"""Jobs and settlements as the outbox's SQL functions take them, also on connections of the application's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from jobcore.models import Enqueued, NewJob, OnConflict, Settlement
from jobcore.states import JobState
from jobcore_postgres import wire
from jobcore_postgres.bridges import Bridge
from jobcore_postgres.bridges.callers import enqueue_there, settle_there
from jobcore_postgres.database import Database
from jobcore_postgres.statements import statement


def encode_new_jobs(jobs: Sequence[NewJob], name_of: Callable[[UUID, UUID, int], str]) -> str:
    """Return the argument of `jobcore.outbox_enqueue`. Raises as `wire.new_jobs`.

    Args:
        name_of: what the engine calls a job: its tenant, its id and its epoch, which is 0 for a new one.
    """
    return wire.array([{**_new_job(job), "external_id": name_of(job.tenant, job.job_id, 0)} for job in jobs])


def encode_settlement(settlement: Settlement, epoch: int, worker_id: UUID | None = None) -> dict[str, Any]:
    """Return one element of what `jobcore.outbox_settle` takes. Raises as `wire.settlements`."""
    return {**wire.settlement(settlement, worker_id), "epoch": epoch}


async def enqueue_on(bridge: Bridge, batch: str, database: Database) -> list[Enqueued]:
    """Enqueue what `encode_new_jobs` made in the transaction of a connection. Raises as `enqueue_there`."""
    return await enqueue_there(bridge, statement("outbox_enqueue_in"), batch, database)


async def settle_on(connection: Any, settlement: Settlement, epoch: int) -> None:
    """Settle a claim in the transaction of a connection of the application's. Raises as `settle_there`."""
    batch = wire.array([encode_settlement(settlement, epoch)])
    await settle_there(connection, statement("outbox_settle_in"), batch, settlement.claim.job_id)


def _new_job(job: NewJob) -> dict[str, Any]:
    status = JobState.QUEUED if job.admission is None else JobState.PENDING
    element = wire.new_job(job, status)
    element["options"] = {"timeout_ms": wire.milliseconds(job.timeout), **job.engine_options}
    if job.on_conflict is not OnConflict.SKIP:
        element |= {"on_conflict": job.on_conflict, "window_ms": wire.milliseconds(job.window)}
    if job.admission is None:
        del element["admission"]
    return element
