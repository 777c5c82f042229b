"""Jobs that Node sent and no worker of ours has seen, as `jobs` would record them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from jobcore.ids import NO_USER
from jobcore.models import JobRecord
from jobcore.states import JobState
from jobcore_pgboss.identity import RUNNER_TYPE
from jobcore_pgboss.reasons.looking import Row, look_for

if TYPE_CHECKING:
    from jobcore_postgres.database import Database

STATES = {
    "created": JobState.QUEUED,
    "retry": JobState.QUEUED,
    "active": JobState.PROCESSING,
    "completed": JobState.COMPLETED,
    "cancelled": JobState.CANCELLED,
    "failed": JobState.FAILED,
}


async def find_unrecorded(database: Database, tenant: UUID, job_id: UUID) -> JobRecord | None:
    """Return a job that the queue alone knows. Raises `StorageUnavailableError`, `StorageError`."""
    for row in await look_for(database, "find_unrecorded", {"tenant": tenant, "job_id": job_id}):
        return _record(row, tenant)
    return None


def _record(row: Row, tenant: UUID) -> JobRecord:
    return JobRecord(
        tenant=tenant,
        job_id=row["job_id"],
        type=row["queue"],
        status=STATES[row["state"]],
        metadata={},
        created_at=row["created_on"],
        updated_at=None,
        user_id=NO_USER,
        runner_type=RUNNER_TYPE,
        external_id=None,
        external_run_id=None,
        payload=row["payload"],
        result=None,
        run_at=row["start_after"],
        started_at=row["started_on"],
        completed_at=row["completed_on"],
        attempt=0 if row["started_on"] is None else row["retry_count"] + 1,
        max_attempts=row["retry_limit"] + 1,
        rescues=0,
        queue=row["queue"],
        priority=row["priority"],
        progress=None,
        progress_message=None,
        error=None,
        dedupe_key=None,
        singleton_key=None,
        cancel_requested=None,
        schedule_id=None,
        fire_time=None,
        parent_job_id=None,
        epoch=0,
    )
