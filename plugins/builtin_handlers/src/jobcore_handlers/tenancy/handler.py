"""The handlers of `for-each-tenant`, and of the job that follows it."""

from __future__ import annotations

from typing import Any

from jobcore import JobContext, RetryPolicy, job
from jobcore_handlers.tenancy.cancelling import cancel_jobs_of
from jobcore_handlers.tenancy.fan_out import fan_out
from jobcore_handlers.tenancy.payload import FOLLOWER, NAME, CancelTenantsJobs, ForEachTenant


@job(NAME, retry=RetryPolicy(max_attempts=3))
async def for_each_tenant(ctx: JobContext, data: ForEachTenant) -> dict[str, Any]:
    """Give every tenant a job of one kind, and return how those jobs ended.

    Raises:
        FanOutRefusedError: if such a job cannot be enqueued for anybody.
    """
    return await fan_out(ctx, data.handler, data.data, batch=data.batch)


@job(FOLLOWER, retry=RetryPolicy(max_attempts=3))
async def cancel_tenants_jobs(ctx: JobContext, data: CancelTenantsJobs) -> dict[str, int]:
    """Cancel the tenants' jobs that have not ended, if the job that enqueued them was cancelled."""
    return {"cancelled": await cancel_jobs_of(ctx, data.fan_out)}
