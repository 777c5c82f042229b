"""Quotas in memory (the `QuotaStore` part of the store), and their enforcement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from jobcore.errors import QuotaExceededError
from jobcore.memory.rows import JobRow
from jobcore.memory.tables import Tables
from jobcore.models import NewJob, Quota, QuotaKind, TenantQuota
from jobcore.policies.quotas import quota_of
from jobcore.ports.quotas import QuotaStore
from jobcore.states import JobState

SECOND = timedelta(seconds=1)


class MemoryQuotas(QuotaStore):
    """Everything is counted anew each time."""

    tables: Tables

    async def set_quota(self, tenant: UUID | None, quota: Quota) -> None:
        self.tables.quotas[tenant] = TenantQuota(tenant=tenant, quota=quota, set_at=self.tables.clock.now())

    async def clear_quota(self, tenant: UUID | None) -> bool:
        return self.tables.quotas.pop(tenant, None) is not None

    async def quotas(self) -> Sequence[TenantQuota]:
        return sorted(self.tables.quotas.values(), key=lambda one: "" if one.tenant is None else str(one.tenant))


def guard_jobs(tables: Tables, made: Iterable[NewJob]) -> None:
    """Raise `QuotaExceededError` if these new jobs bring a tenant over its quota."""
    if not tables.quotas:
        return
    by_tenant: defaultdict[UUID, list[NewJob]] = defaultdict(list)
    for job in made:
        by_tenant[job.tenant].append(job)
    for tenant, jobs in by_tenant.items():
        quota = _quota_of(tables, tenant)
        called = sum(job.fire_time is None for job in jobs)
        if called and quota.enqueues_per_second is not None:
            _guard_rate(tables, tenant, quota.enqueues_per_second, called)
        if quota.waiting is not None:
            waiting = sum(_waits(row) for row in _rows_of(tables, tenant))
            _guard(tenant, QuotaKind.WAITING, quota.waiting, waiting, len(jobs))


def guard_schedules(tables: Tables, tenant: UUID) -> None:
    """Raise `QuotaExceededError` if a tenant may have no further schedule."""
    most = _quota_of(tables, tenant).schedules
    if most is not None:
        has = sum(owner == tenant for owner, _ in tables.schedules)
        _guard(tenant, QuotaKind.SCHEDULES, most, has + 1, 1)


def _guard_rate(tables: Tables, tenant: UUID, most: int, made: int) -> None:
    now = tables.clock.now()
    recent = sorted(
        (
            row.created_at
            for row in _rows_of(tables, tenant)
            if row.plan.fire_time is None and row.created_at > now - SECOND
        ),
        reverse=True,
    )
    if len(recent) > most:
        wait = (recent[most] + SECOND - now).total_seconds() if made <= most else None
        raise QuotaExceededError(tenant, QuotaKind.ENQUEUES_PER_SECOND, most, len(recent) - made, made, wait)


def _guard(tenant: UUID, kind: QuotaKind, most: int, total: int, more: int) -> None:
    if total > most:
        raise QuotaExceededError(tenant, kind, most, total - more, more)


def _waits(row: JobRow) -> bool:
    """Whether a job waits for its engine, or for its admission; not one that was only recorded."""
    is_new = row.written_by is not None and row.plan.admission is not None
    return row.status is JobState.QUEUED or row.lane is not None or is_new


def _quota_of(tables: Tables, tenant: UUID) -> Quota:
    return quota_of(tenant, {one.tenant: one.quota for one in tables.quotas.values()}) or Quota()


def _rows_of(tables: Tables, tenant: UUID) -> Iterable[JobRow]:
    return (row for row in tables.jobs.values() if row.plan.tenant == tenant)
