"""The handler of `createClientContractLineCycles` (J13)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from jobcore import SYSTEM_TENANT, JobContext, RetryPolicy, job
from jobcore_handlers import _logs
from jobcore_handlers.cycles.maker import CycleMaker
from jobcore_handlers.cycles.payload import CreateCycles
from jobcore_handlers.tenancy import fan_out


@job("createClientContractLineCycles", retry=RetryPolicy(max_attempts=3))
async def create_client_contract_line_cycles(
    ctx: JobContext,
    data: CreateCycles,  # noqa: ARG001 - it names the tenant, which the context knows
) -> dict[str, Any]:
    """Make the billing cycles that the tenant's active clients lack, until each has one that ends after today.

    A job of the system tenant gives each tenant a job of its own, and returns how those ended.

    Each client has a transaction of its own, and a second run finds nothing to do. A client whose data is wrong is told
    in the job's details; the job completes all the same, and returns how many there were.
    """
    if ctx.tenant_id == SYSTEM_TENANT:
        return await fan_out(ctx, ctx.job_name, {})
    tally = await CycleMaker(ctx).run()
    _logs.cycles_made(ctx.logger, tally.created, tally.clients, tally.failed)
    return asdict(tally)
