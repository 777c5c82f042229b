"""Jobs and their details in memory (the `JobRecords` part of the store)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any
from uuid import UUID

from jobcore.errors import InputError
from jobcore.limits import encode_payload
from jobcore.memory import moves
from jobcore.memory.connection import MemoryConnection, own_connection
from jobcore.memory.quotas import guard_jobs
from jobcore.memory.rows import JobRow
from jobcore.memory.tables import Tables
from jobcore.models import DetailRecord, Enqueued, JobFilter, JobMetrics, JobRecord, NewJob
from jobcore.ports.store import JobRecords, Watch
from jobcore.states import JobState

MAX_PAGE = 1000


class MemoryJobRecords(JobRecords):
    """Reads and writes `jobs` and `job_details`."""

    tables: Tables

    async def create_job(self, job: NewJob, *, connection: Any = None) -> Enqueued:
        if connection is not None:
            async with own_connection(connection, self.tables).savepoint() as own:
                return await self._create(job, own)
        async with MemoryConnection(self.tables).transaction() as own:
            return await self._create(job, own)

    async def update_job_status(
        self,
        tenant: UUID,
        job_id: UUID,
        status: JobState,
        *,
        error: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        row = self.tables.row(tenant, job_id)
        waited = row.status is JobState.QUEUED
        moves.move(self.tables, row, status)
        row.metadata.update(metadata or {})
        if error is not None:
            row.error = {"message": error}
        if status is JobState.QUEUED and not waited:
            self.tables.wait_in_line(row)

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
        encoded = None if result is None else encode_payload(result)
        return moves.write_detail(
            self.tables, self.tables.row(tenant, job_id), step_name, status, result=encoded, metadata=metadata
        )

    async def get_job(self, tenant: UUID, job_id: UUID) -> JobRecord:
        return self.tables.row(tenant, job_id).as_record()

    async def find_jobs(self, tenant: UUID | None, where: JobFilter) -> Sequence[JobRecord]:
        if not 1 <= where.limit <= MAX_PAGE:
            raise InputError(f"limit must be from 1 to {MAX_PAGE}, not {where.limit}.")
        newest_first = sorted(self.tables.committed(), key=lambda row: row.number, reverse=True)
        last = next((row.number for row in newest_first if row.plan.job_id == where.before), None)
        found = (
            row
            for row in newest_first
            if (tenant is None or row.plan.tenant == tenant)
            and (last is None or row.number < last)
            and _matches(row, where)
        )
        return [row.as_record() for row, _ in zip(found, range(where.limit), strict=False)]

    async def relatives(self, tenant: UUID, job_id: UUID, *, limit: int = 1000) -> Mapping[UUID, tuple[UUID, ...]]:
        after = {row.plan.job_id: _awaited(row) for row in self.tables.committed() if row.plan.tenant == tenant}
        near: dict[UUID, set[UUID]] = {known: set() for known in after}
        for child, parents in after.items():
            enqueued_by = self.tables.jobs[tenant, child].plan.parent_job_id
            for other in {*parents, *([] if enqueued_by is None else [enqueued_by])} & near.keys():
                near[child].add(other)
                near[other].add(child)
        found = [job_id] if job_id in near else []
        for known in found:
            found.extend(sorted(near[known].difference(found)))
        return {known: after[known] for known in found[:limit]}

    async def get_details(self, tenant: UUID, job_id: UUID) -> Sequence[DetailRecord]:
        key = self.tables.row(tenant, job_id).key
        details = self.tables.details.get(key, {}).values()
        return [detail.as_record(key) for detail in sorted(details, key=lambda detail: detail.processed_at)]

    def watch(self, tenant: UUID, job_id: UUID) -> AbstractAsyncContextManager[Watch]:  # noqa: ARG002 - one bell for all
        return nullcontext(_BellWatch(self.tables))

    async def metrics(self, tenant: UUID | None = None) -> JobMetrics:
        by_state = dict.fromkeys(JobState, 0)
        by_runner: dict[str, dict[JobState, int]] = {}
        for row in self.tables.committed():
            if tenant is None or row.plan.tenant == tenant:
                by_state[row.status] += 1
                of_runner = by_runner.setdefault(row.plan.runner_type, dict.fromkeys(JobState, 0))
                of_runner[row.status] += 1
        return JobMetrics(by_state, by_runner)

    async def _create(self, job: NewJob, connection: MemoryConnection) -> Enqueued:
        answer = await self.tables.insert(job, JobState.PENDING, connection)
        guard_jobs(self.tables, () if answer.deduplicated else (job,))
        return answer


class _BellWatch:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def changed(self, timeout: float) -> None:
        await self._tables.bell.wait(timeout)


def _awaited(row: JobRow) -> tuple[UUID, ...]:
    admission = row.plan.admission
    return () if admission is None else tuple(parent.job_id for parent in admission.after)


def _matches(row: JobRow, where: JobFilter) -> bool:
    return (
        (not where.ids or row.plan.job_id in where.ids)
        and (not where.states or row.status in where.states)
        and (not where.names or row.plan.name in where.names)
        and (not where.runner_types or row.plan.runner_type in where.runner_types)
        and (where.external_id is None or row.external_id == where.external_id)
        and (where.created_after is None or row.created_at >= where.created_after)
        and (where.created_before is None or row.created_at < where.created_before)
        and (where.parent_job_id is None or row.plan.parent_job_id == where.parent_job_id)
    )
