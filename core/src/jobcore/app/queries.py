"""What the application reads about its jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from jobcore.app.options import as_instant, as_uuid
from jobcore.errors import InputError
from jobcore.ids import parse_tenant
from jobcore.limits import check_key
from jobcore.models import DetailRecord, JobFilter, JobMetrics, JobRecord
from jobcore.ports.store import JobStore

TenantId = UUID | str
JobId = UUID | str


@dataclass(frozen=True, slots=True)
class Relative:
    """A job that hangs together with another one."""

    job: JobRecord
    after: tuple[UUID, ...]
    """Those that it was made to wait for."""


class JobQueries:
    """The reading part of `JobApp`; ids are UUIDs or their text, a tenant may be `'system'`."""

    store: JobStore

    async def get_job(self, tenant: TenantId, job_id: JobId) -> JobRecord:
        """Read a job. Raises `JobNotFoundError`."""
        return await self.store.get_job(parse_tenant(tenant), parse_job_id(job_id))

    async def find_jobs(self, tenant: TenantId | None = None, where: JobFilter | None = None) -> Sequence[JobRecord]:
        """List jobs, newest first; those of every tenant if none is named. Raises `InputError` for a wrong filter."""
        wanted = None if where is None else _checked(where)
        return await self.store.find_jobs(None if tenant is None else parse_tenant(tenant), wanted or JobFilter())

    async def details(self, tenant: TenantId, job_id: JobId) -> Sequence[DetailRecord]:
        """List a job's failed attempts, steps and items, oldest first. Raises `JobNotFoundError`."""
        return await self.store.get_details(parse_tenant(tenant), parse_job_id(job_id))

    async def relatives(self, tenant: TenantId, job_id: JobId) -> Sequence[Relative]:
        """Return the jobs that hang together with one, itself the first: its flow, and who enqueued whom.

        At most 1,000, the nearest first. Raises `JobNotFoundError` if there is no such job.
        """
        owner = parse_tenant(tenant)
        job = await self.store.get_job(owner, parse_job_id(job_id))
        after = await self.store.relatives(owner, job.job_id)
        found = await self.store.find_jobs(owner, JobFilter(ids=tuple(after), limit=1000))
        by_id = {record.job_id: record for record in found}
        return [Relative(by_id[known], parents) for known, parents in after.items() if known in by_id]

    async def metrics(self, tenant: TenantId | None = None) -> JobMetrics:
        """Count jobs by state and runner; those of every tenant if none is named."""
        return await self.store.metrics(None if tenant is None else parse_tenant(tenant))


def _checked(where: JobFilter) -> JobFilter:
    """Refuse what no job can have, and instants that mean another time on each machine."""
    as_instant("created_after", where.created_after)
    as_instant("created_before", where.created_before)
    for name in where.names:
        check_key("A job's name", name)
    if where.external_id is not None:
        check_key("external_id", where.external_id)
    return where


def parse_job_id(value: JobId) -> UUID:
    """Return a job's id given as a UUID or as text. Raises `InputError`."""
    job_id = as_uuid("job_id", value)
    if job_id is None:
        raise InputError("job_id is missing.")
    return job_id
