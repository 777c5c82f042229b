"""`JobService`: the founding documents' face of the store (S05, S06)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from jobcore.ids import NO_USER, parse_tenant, uuid7
from jobcore.limits import check_job_name, encode_payload
from jobcore.models import DetailRecord, JobFilter, JobMetrics, JobRecord, NewJob
from jobcore.ports.store import JobRecords
from jobcore.states import JobState


class JobService:
    """Records jobs, moves them, adds details, and reads their history. Tenants are UUIDs, their text, or `'system'`."""

    def __init__(self, store: JobRecords) -> None:
        self._store = store

    async def create_job(
        self,
        job_type: str,
        *,
        tenant_id: UUID | str,
        data: Mapping[str, Any] | None = None,
        user_id: UUID | str | None = None,
        metadata: Mapping[str, Any] | None = None,
        runner_type: str = "pgboss",
        connection: Any = None,
    ) -> UUID:
        """Record a job as `pending` and return its id; nothing runs it until an engine is given it.

        Raises:
            InvalidNameError, InvalidTenantError, PayloadLimitError: for what cannot be stored.
        """
        tenant = parse_tenant(tenant_id)
        name = check_job_name(job_type)
        job = NewJob(
            job_id=uuid7(),
            tenant=tenant,
            name=name,
            payload=encode_payload({**(data or {}), "tenantId": str(tenant_id)}),
            runner_type=runner_type,
            queue=name,
            user_id=NO_USER if user_id is None else UUID(str(user_id)),
            metadata=dict(metadata or {}),
        )
        return (await self._store.create_job(job, connection=connection)).job_id

    async def update_job_status(
        self,
        job_id: UUID,
        status: JobState | str,
        *,
        tenant_id: UUID | str,
        error: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Move a job and merge its metadata. Raises `JobNotFoundError`, `IllegalMoveError`."""
        await self._store.update_job_status(
            parse_tenant(tenant_id), job_id, JobState(status), error=error, metadata=metadata
        )

    async def create_job_detail(
        self,
        job_id: UUID,
        step_name: str,
        status: str,
        *,
        tenant_id: UUID | str,
        result: Any = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> UUID:
        """Add or update the detail of this step name and return its id. Raises `JobNotFoundError`."""
        return await self._store.create_job_detail(
            parse_tenant(tenant_id), job_id, step_name, status, result=result, metadata=metadata
        )

    async def get_job(self, job_id: UUID, *, tenant_id: UUID | str) -> JobRecord:
        """Read a job. Raises `JobNotFoundError`."""
        return await self._store.get_job(parse_tenant(tenant_id), job_id)

    async def get_job_details(self, job_id: UUID, *, tenant_id: UUID | str) -> Sequence[DetailRecord]:
        """List a job's attempts, steps and items, oldest first. Raises `JobNotFoundError`."""
        return await self._store.get_details(parse_tenant(tenant_id), job_id)

    async def get_job_history(
        self, *, tenant_id: UUID | str | None, where: JobFilter | None = None
    ) -> Sequence[JobRecord]:
        """List jobs, newest first; of every tenant if `tenant_id` is `None`, for operators."""
        tenant = None if tenant_id is None else parse_tenant(tenant_id)
        return await self._store.find_jobs(tenant, where or JobFilter())

    async def get_job_metrics(self, *, tenant_id: UUID | str | None = None) -> JobMetrics:
        """Count jobs by state and runner (D02)."""
        return await self._store.metrics(None if tenant_id is None else parse_tenant(tenant_id))
