"""The handler of `reconcile-bucket-usage` (J08)."""

from __future__ import annotations

from uuid import UUID

from jobcore import SYSTEM_TENANT, JobContext, RetryPolicy, job
from jobcore_handlers.buckets import logs
from jobcore_handlers.buckets.counter import BucketCounter
from jobcore_handlers.buckets.payload import ReconcileBucketUsage
from jobcore_handlers.errors import TenantRequiredError
from jobcore_handlers.isolation import ItemFailure, reason_of


@job("reconcile-bucket-usage", retry=RetryPolicy(max_attempts=3))
async def reconcile_bucket_usage(
    ctx: JobContext,
    data: ReconcileBucketUsage,  # noqa: ARG001 - the handler's signature
) -> dict[str, int]:
    """Count anew what is used of each bucket whose period runs or has just ended, each in a transaction of its own.

    A record that cannot be counted is recorded as a detail of the job; the others go on, and the job succeeds.

    Raises:
        TenantRequiredError: if the job is the system's.
    """
    if ctx.tenant_id == SYSTEM_TENANT:
        raise TenantRequiredError("bucket usage reconciliation")
    async with ctx.db.transaction() as connection:
        current = await BucketCounter(connection, ctx.tenant_id).current()
    totals = {"totalRecords": len(current), "changedCount": 0, "errorCount": 0}
    for position, usage in enumerate(current, start=1):
        ctx.signal.raise_if_aborted()
        await _count_alone(ctx, usage, totals)
        await ctx.progress(100 * position / len(current), f"Bucket {position} of {len(current)}")
    logs.counted(ctx.logger, totals)
    return totals


async def _count_alone(ctx: JobContext, usage: UUID, totals: dict[str, int]) -> None:
    try:
        async with ctx.db.transaction() as connection:
            has_changed = await BucketCounter(connection, ctx.tenant_id).count(usage)
    except ItemFailure as error:
        totals["errorCount"] += 1
        logs.record_failed(ctx.logger, usage, error)
        await ctx.detail(f"Bucket usage {usage}", "failed", result={"error": reason_of(error)})
    else:
        totals["changedCount"] += has_changed
