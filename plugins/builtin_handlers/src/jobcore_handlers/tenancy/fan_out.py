"""One job for each tenant, enqueued in batches, waited for without holding a worker, and reported as one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from jobcore import JobContext, Snooze
from jobcore.errors import InputError
from jobcore_handlers import _logs
from jobcore_handlers.errors import FanOutRefusedError
from jobcore_handlers.tenancy.tenant_jobs import SameJob, Standing, TenantJobs

SHORTEST_WAIT, LONGEST_WAIT = timedelta(seconds=1), timedelta(seconds=30)
"""Between two looks at the jobs; it grows with the time that they take."""
MOST_NAMED = 500
"""How many tenants a report names; all are counted."""


class _Begun(BaseModel):
    """What is settled when a fan-out begins, and stands for all its attempts."""

    at: datetime
    tenants: list[UUID]


async def fan_out(ctx: JobContext, handler: str, data: dict[str, Any], *, batch: int = 200) -> dict[str, Any]:
    """Enqueue `handler` once for each tenant, and return how those jobs ended; the failures of some hold up no other.

    The first attempt enqueues. While jobs run, this one snoozes, which costs no attempt. After a kill it goes on where
    it was: ids follow from this job's, so that no tenant gets a second job. Before any of them, one job of the
    system is enqueued that waits for the end of this one, and cancels what is left if this one was cancelled.

    Args:
        data: the payload of every job, without `tenantId`.
        batch: how many are enqueued in one transaction.

    Raises:
        FanOutRefusedError: if such a job cannot be enqueued for anybody.
        Snooze: while some have not ended.
    """
    jobs, job = ctx.services.get(TenantJobs), SameJob(ctx.job_id, handler, data)
    await jobs.follow(ctx.job_id)
    begun = await ctx.step("List the tenants", _begin, jobs)
    refused = await _enqueue_all(ctx, jobs, job, begun.tenants, batch)
    waited_for = [tenant for tenant in begun.tenants if tenant not in refused]
    standing = await jobs.standing(job, waited_for)
    await _tell(ctx, standing, len(waited_for))
    if standing.unended:
        raise Snooze(_until_next_look(datetime.now(UTC) - begun.at))
    _logs.fanned_out(ctx.logger, handler, len(begun.tenants), standing.failed, len(refused))
    return _report(handler, standing, begun.tenants, sorted(refused))


async def _begin(jobs: TenantJobs) -> _Begun:
    return _Begun(at=datetime.now(UTC), tenants=list(await jobs.tenants()))


async def _enqueue_all(
    ctx: JobContext, jobs: TenantJobs, job: SameJob, tenants: Sequence[UUID], batch: int
) -> set[UUID]:
    refused: set[UUID] = set()
    for first in range(0, len(tenants), batch):
        ctx.signal.raise_if_aborted()
        some = tenants[first : first + batch]
        refused.update(map(UUID, await ctx.step("Enqueue a batch", _enqueue_batch, jobs, job, some)))
    return refused


async def _enqueue_batch(jobs: TenantJobs, job: SameJob, tenants: Sequence[UUID]) -> list[str]:
    try:
        return [str(tenant) for tenant in await jobs.enqueue(job, tenants)]
    except InputError as error:
        raise FanOutRefusedError(job.handler, error) from error


async def _tell(ctx: JobContext, standing: Standing, total: int) -> None:
    ended = total - standing.unended
    await ctx.progress(100 * ended / total if total else 100, f"{ended} of {total} tenants")


def _until_next_look(elapsed: timedelta) -> timedelta:
    return min(LONGEST_WAIT, max(SHORTEST_WAIT, elapsed / 4))


def _report(handler: str, standing: Standing, tenants: Sequence[UUID], refused: Sequence[UUID]) -> dict[str, Any]:
    return {
        "handler": handler,
        "tenants": len(tenants),
        "completed": standing.completed,
        "failed": standing.failed,
        "cancelled": standing.cancelled,
        "unknown": standing.unknown,
        "refused": len(refused),
        "failedTenants": [str(tenant) for tenant in standing.failed_tenants[:MOST_NAMED]],
        "refusedTenants": [str(tenant) for tenant in refused[:MOST_NAMED]],
    }
