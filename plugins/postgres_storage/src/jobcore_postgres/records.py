"""Jobs and their details: the `JobRecords` part of the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg import errors as pg

from jobcore.errors import IllegalMoveError, InputError, JobNotFoundError, PayloadError
from jobcore.limits import DEFAULT_LIMITS, PayloadLimits, bounded_text
from jobcore.models import DetailRecord, Enqueued, JobFilter, JobMetrics, JobRecord, NewJob
from jobcore.ports.store import JobRecords, Watch
from jobcore.states import JobState
from jobcore_postgres.database import Connection, Database
from jobcore_postgres.queries import row_of, rows_of, value_of
from jobcore_postgres.quotas import within_quotas
from jobcore_postgres.rows import detail_record, job_record
from jobcore_postgres.watching import Watchtower
from jobcore_postgres.wire import json_text, new_jobs, plain_text

MAX_PAGE = 1000
MAX_ERROR_CHARS = 8_000


class PostgresJobRecords(JobRecords):
    """Reads and writes `jobs` and `job_details`, over all tenants: the tenant is an argument of every call."""

    database: Database
    watchtower: Watchtower
    limits: PayloadLimits = DEFAULT_LIMITS

    async def create_job(self, job: NewJob, *, connection: Any = None) -> Enqueued:
        """See the port. With a connection the job commits with it; on one of `ctx.db` it must be of that tenant.

        Raises:
            PayloadLimitError, NaiveDatetimeError: before anything is sent.
            ForeignConnectionError: if the connection leads to another database.
            QuotaExceededError: if the tenant would have more than it may.
        """
        encoded = new_jobs([job], JobState.PENDING, self.limits)
        if connection is not None:
            for_all_tenants = await self.database.require_own(connection)
            name = "job_new" if for_all_tenants else "tenant_new"
            return _enqueued(job, await _insert(connection, name, encoded), repeated=False)
        tries = 0

        async def work(own: Connection) -> Enqueued:
            nonlocal tries
            tries += 1
            return _enqueued(job, await _insert(own, "job_new", encoded), repeated=tries > 1)

        return await self.database.repeatable(work)

    async def update_job_status(
        self,
        tenant: UUID,
        job_id: UUID,
        status: JobState,
        *,
        error: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        move = {
            "tenant": tenant,
            "job_id": job_id,
            "status": status.value,
            "error": None if error is None else bounded_text(error, MAX_ERROR_CHARS),
            "metadata": json_text(dict(metadata or {}), "The metadata"),
        }

        async def work(connection: Connection) -> None:
            if await value_of(connection, "job_update_status", move) is None:
                await _explain_refusal(connection, tenant, job_id, status)

        await self.database.repeatable(work)

    async def create_job_detail(
        self,
        tenant: UUID,
        job_id: UUID,
        step_name: str,
        status: str,
        *,
        result: Any = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> UUID:
        detail = (
            tenant,
            job_id,
            None,
            plain_text(step_name, "The step's name"),
            plain_text(status, "The detail's status"),
            None if result is None else json_text(result, "The result"),
            None if metadata is None else json_text(dict(metadata), "The metadata"),
        )
        written = await self.database.repeatable(lambda connection: value_of(connection, "job_detail", detail))
        if written is None:
            raise JobNotFoundError(job_id, tenant)
        return written

    async def get_job(self, tenant: UUID, job_id: UUID) -> JobRecord:
        key = {"tenant": tenant, "job_id": job_id}
        row = await self.database.repeatable(lambda connection: row_of(connection, "job_read", key))
        if row is None:
            raise JobNotFoundError(job_id, tenant)
        return job_record(row)

    async def find_jobs(self, tenant: UUID | None, where: JobFilter) -> Sequence[JobRecord]:
        """See the port. Raises `InputError` if the limit is not from 1 to 1,000."""
        if not 1 <= where.limit <= MAX_PAGE:
            raise InputError(f"limit must be from 1 to {MAX_PAGE}, not {where.limit}.")
        criteria = {
            **asdict(where),
            "tenant": tenant,
            "ids": list(where.ids) or None,
            "states": [state.value for state in where.states] or None,
            "names": list(where.names) or None,
            "runner_types": list(where.runner_types) or None,
        }
        rows = await self.database.repeatable(lambda connection: rows_of(connection, "jobs_find", criteria))
        return [job_record(row) for row in rows]

    async def relatives(self, tenant: UUID, job_id: UUID, *, limit: int = 1000) -> Mapping[UUID, tuple[UUID, ...]]:
        parameters = (tenant, job_id, limit)
        rows = await self.database.repeatable(lambda connection: rows_of(connection, "relatives", parameters))
        return {row["relative"]: tuple(row["after"]) for row in rows}

    async def get_details(self, tenant: UUID, job_id: UUID) -> Sequence[DetailRecord]:
        """See the port. Raises `JobNotFoundError`."""
        key = {"tenant": tenant, "job_id": job_id}

        async def work(connection: Connection) -> list[dict[str, Any]]:
            rows = await rows_of(connection, "details_read", key)
            if not rows and await value_of(connection, "job_status", key) is None:
                raise JobNotFoundError(job_id, tenant)
            return rows

        return [detail_record(row) for row in await self.database.repeatable(work)]

    def watch(self, tenant: UUID, job_id: UUID) -> AbstractAsyncContextManager[Watch]:  # noqa: ARG002 - ids are unique
        return self.watchtower.watch(job_id)

    async def metrics(self, tenant: UUID | None = None) -> JobMetrics:
        rows = await self.database.repeatable(lambda connection: rows_of(connection, "jobs_count", {"tenant": tenant}))
        by_state = dict.fromkeys(JobState, 0)
        by_runner: dict[str, dict[JobState, int]] = {}
        for row in rows:
            state, count = JobState(row["status"]), row["count"]
            by_state[state] += count
            by_runner.setdefault(row["runner_type"], dict.fromkeys(JobState, 0))[state] = count
        return JobMetrics(by_state, by_runner)


async def _insert(connection: AsyncConnection[Any], name: str, encoded: str) -> dict[str, Any]:
    try:
        with within_quotas():
            return (await rows_of(connection, name, (encoded,)))[0]
    except (pg.UntranslatableCharacter, pg.InvalidTextRepresentation) as error:
        raise PayloadError(f"PostgreSQL cannot store the payload: {error.diag.message_primary}.") from error


def _enqueued(job: NewJob, row: dict[str, Any], *, repeated: bool) -> Enqueued:
    """Read the answer of `job_new`; after a lost reply, the job's own id says that the first try had arrived."""
    arrived_before = repeated and row["job_id"] == job.job_id
    return Enqueued(row["job_id"], deduplicated=not row["inserted"] and not arrived_before)


async def _explain_refusal(connection: Connection, tenant: UUID, job_id: UUID, status: JobState) -> None:
    current = await value_of(connection, "job_status", {"tenant": tenant, "job_id": job_id})
    if current is None:
        raise JobNotFoundError(job_id, tenant)
    raise IllegalMoveError(f"Job {job_id} is {current}; it cannot become {status}.")
