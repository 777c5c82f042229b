"""Small words that these tests share."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import psycopg

from jobcore.app import JobRunnerFace
from jobcore.models import JobStatus
from jobcore.states import JobState
from support.fleet import eventually

TENANT = str(uuid4())
OTHER_TENANT = str(uuid4())


class Tables:
    """Reads the database as its owner."""

    def __init__(self, connection: psycopg.Connection[dict[str, Any]]) -> None:
        self._connection = connection

    def all(self, query: str, *values: Any) -> list[dict[str, Any]]:
        return self._connection.execute(query, values).fetchall()

    def one(self, query: str, *values: Any) -> dict[str, Any]:
        (row,) = self.all(query, *values)
        return row

    def job(self, job_id: UUID | str) -> dict[str, Any]:
        return self.one("select * from jobs where job_id = %s", job_id)

    def queued(self, job_id: UUID | str) -> dict[str, Any]:
        return self.one("select * from pgboss.job where id = %s", job_id)


async def ended(runner: JobRunnerFace, job_id: UUID | str, tenant: str = TENANT) -> JobStatus:
    """Wait until the job has ended, and return its status."""
    return await reaches(runner, job_id, JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED, tenant=tenant)


async def reaches(runner: JobRunnerFace, job_id: UUID | str, *states: JobState, tenant: str = TENANT) -> JobStatus:
    """Wait until the job stands in one of these states, and return its status."""

    async def there() -> bool:
        return (await runner.get_job_status(job_id, tenant)).status in states

    await eventually(there, f"job {job_id} is {' or '.join(states)}", patience=20)
    return await runner.get_job_status(job_id, tenant)
