"""The handler of `createNextTimePeriods` (J14)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from jobcore import Cancel, JobContext, RetryPolicy, job
from jobcore.ids import uuid7
from jobcore_handlers import _logs
from jobcore_handlers.billing.periods import Period
from jobcore_handlers.statements import Connection, Statements
from jobcore_handlers.time_periods.payload import CreateNextTimePeriods
from jobcore_handlers.time_periods.rules import TimePeriodSetting, next_periods

AHEAD = timedelta(days=5)
"""How long before it begins a period is made."""
MOST_PERIODS = 52
"""How many a run makes; the next run goes on."""

SKIPPED = "Skipped - no time period settings configured"
NOT_NEEDED = "No new time period needed"


@job("createNextTimePeriods", retry=RetryPolicy(max_attempts=3))
async def create_next_time_periods(
    ctx: JobContext,
    data: CreateNextTimePeriods,  # noqa: ARG001 - it names the tenant, which the context knows
) -> dict[str, Any]:
    """Make the tenant's next periods for recording time: those that begin within five days.

    The periods and the completion of the job commit together. A job of a tenant that is no more is cancelled.
    """
    async with ctx.db.transaction() as connection:
        outcome = await _make_periods(ctx, connection)
        for line in outcome.details:
            await ctx.detail(line, "completed")
        async with ctx.complete_in(connection, result=outcome.as_result()):
            pass  # the periods are written already
    _logs.time_periods_made(ctx.logger, outcome.details)
    return outcome.as_result()


@dataclass(frozen=True, slots=True)
class _Outcome:
    created: int
    details: tuple[str, ...]

    def as_result(self) -> dict[str, Any]:
        return {"created": self.created, "details": list(self.details)}


async def _make_periods(ctx: JobContext, connection: Connection) -> _Outcome:
    statements, tenant = Statements("time_periods", connection), ctx.tenant_id
    locked = await statements.first("lock_tenant", _Today, tenant=tenant)
    if locked is None:
        raise Cancel("The tenant is no more: there is nobody to record time. Remove its schedules.")
    settings = await statements.all("list_settings", TimePeriodSetting, tenant=tenant)
    if not any(setting.is_in_force(locked.today) for setting in settings):
        return _Outcome(0, (SKIPPED,))
    last = await statements.first("get_last_end", _LastEnd, tenant=tenant)
    reached = None if last is None else last.end_date
    periods = next_periods(settings, reached, locked.today, ahead=AHEAD, limit=MOST_PERIODS)
    await _insert(statements, ctx, periods)
    return _Outcome(len(periods), tuple(map(_told, periods)) or (NOT_NEEDED,))


async def _insert(statements: Statements, ctx: JobContext, periods: Sequence[Period]) -> None:
    await statements.run(
        "insert_periods",
        tenant=ctx.tenant_id,
        job=ctx.job_id,
        ids=[uuid7() for _ in periods],
        starts=[period.start for period in periods],
        ends=[period.end for period in periods],
    )


def _told(period: Period) -> str:
    return f"Created new time period {period.start} to {period.end}"


@dataclass(frozen=True, slots=True)
class _Today:
    today: date


@dataclass(frozen=True, slots=True)
class _LastEnd:
    end_date: date | None
