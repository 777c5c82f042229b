"""What becomes of the tenants' jobs if the one that enqueued them is cancelled."""

from __future__ import annotations

from uuid import UUID

from jobcore import JobContext
from jobcore_handlers.tenancy.tenant_jobs import TenantJobs


async def cancel_jobs_of(ctx: JobContext, parent: UUID) -> int:
    """Cancel the jobs that a cancelled fan-out enqueued and that have not ended; return how many."""
    jobs = ctx.services.get(TenantJobs)
    if not await jobs.was_cancelled(parent):
        return 0
    unended = await jobs.unended(parent)
    cancelled = 0
    for position, job in enumerate(unended, start=1):
        ctx.signal.raise_if_aborted()
        cancelled += await jobs.cancel(job, f"job {parent}, which gave each tenant a job, was cancelled")
        await ctx.progress(100 * position / len(unended), f"Job {position} of {len(unended)}")
    return cancelled
