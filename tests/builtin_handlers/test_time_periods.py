"""J14 on a real PostgreSQL, as the tenant's own role."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from builtin_handlers.context import AttemptContext
from builtin_handlers.world import World
from jobcore import Cancel
from jobcore.errors import StaleClaimError
from jobcore.handlers.definition import DEFAULT_TIMEOUT
from jobcore.ids import SYSTEM_TENANT
from jobcore_handlers.time_periods.handler import create_next_time_periods
from jobcore_handlers.time_periods.payload import CreateNextTimePeriods

Attempt = Callable[..., AttemptContext]


@pytest.fixture
def today() -> date:
    return datetime.now(UTC).date()


async def make(context: AttemptContext) -> dict[str, Any]:
    return await create_next_time_periods(context, CreateNextTimePeriods(tenant_id=context.tenant_id))


def weekly(world: World, **row: Any) -> None:
    world.add("time_period_settings", frequency_unit="week", **row)


def periods(world: World) -> list[tuple[date, date]]:
    rows = world.rows(
        "select start_date, end_date from billing.time_periods where tenant = %s order by 1", world.tenant
    )
    return [(row["start_date"], row["end_date"]) for row in rows]


def test_the_handler_has_the_name_and_policies_of_the_catalogue() -> None:
    assert create_next_time_periods.name == "createNextTimePeriods"
    assert create_next_time_periods.retry.max_attempts == 3
    assert create_next_time_periods.timeout == DEFAULT_TIMEOUT


@pytest.mark.parametrize("tenant", ["system", SYSTEM_TENANT, str(SYSTEM_TENANT)])
def test_the_system_is_refused_with_the_payload(tenant: Any) -> None:
    with pytest.raises(ValidationError, match="name the tenant whose periods"):
        CreateNextTimePeriods.model_validate({"tenantId": tenant})


async def test_the_next_periods_are_made_and_each_is_told(world: World, attempt: Attempt, today: date) -> None:
    weekly(world)
    monday = today - timedelta(days=today.weekday())
    world.add("time_periods", start_date=monday - timedelta(weeks=3), end_date=monday - timedelta(weeks=2))
    context = attempt(world.tenant)
    result = await make(context)
    made = periods(world)[1:]
    assert made[:3] == [(monday - timedelta(weeks=n), monday - timedelta(weeks=n - 1)) for n in (2, 1, 0)]
    # next week's too, once it is five days away: from Wednesday on
    assert len(made) == (4 if today.weekday() >= 2 else 3)
    lines = [f"Created new time period {start} to {end}" for start, end in made]
    assert context.details == {line: [("completed", None)] for line in lines}
    assert context.completion() == result == {"created": len(made), "details": lines}
    assert {row["created_by_job"] for row in world.rows("select * from billing.time_periods")} == {
        None, context.job_id
    }  # fmt: skip


async def test_a_second_run_needs_no_new_period(world: World, attempt: Attempt) -> None:
    weekly(world)
    await make(attempt(world.tenant))
    before, context = periods(world), attempt(world.tenant)
    assert await make(context) == {"created": 0, "details": ["No new time period needed"]}
    assert list(context.details) == ["No new time period needed"]
    assert periods(world) == before != []


@pytest.mark.parametrize(
    "row",
    [None, {"is_active": False}, {"effective_from": date(2100, 1, 1)}, {"effective_to": date(2020, 1, 1)}],
    ids=["none", "inactive", "to come", "over"],
)  # fmt: skip
async def test_without_settings_the_tenant_is_skipped(
    world: World, attempt: Attempt, row: dict[str, Any] | None
) -> None:
    if row is not None:
        weekly(world, **row)
    context = attempt(world.tenant)
    line = "Skipped - no time period settings configured"
    assert await make(context) == {"created": 0, "details": [line]}
    assert context.details == {line: [("completed", None)]}
    assert periods(world) == []


async def test_at_most_52_periods_are_made_in_one_run(world: World, attempt: Attempt, today: date) -> None:
    world.add("time_period_settings", frequency_unit="day")
    world.add("time_periods", start_date=today - timedelta(days=101), end_date=today - timedelta(days=100))
    runs = [(await make(attempt(world.tenant)))["created"] for _ in range(4)]
    assert runs == [52, 52, 2, 0]  # 100 days, today, and five days ahead


async def test_a_run_that_lost_its_job_leaves_nothing(world: World, attempt: Attempt) -> None:
    weekly(world)
    with pytest.raises(StaleClaimError):
        await make(attempt(world.tenant, stale=True))
    assert periods(world) == []


async def test_two_runs_at_once_make_each_period_once(world: World, attempt: Attempt, today: date) -> None:
    world.add("time_period_settings", frequency_unit="day")
    world.add("time_periods", start_date=today - timedelta(days=11), end_date=today - timedelta(days=10))
    results = await asyncio.gather(*(make(attempt(world.tenant)) for _ in range(4)))
    assert sorted(result["created"] for result in results) == [0, 0, 0, 16]
    assert len(periods(world)) == 17


async def test_a_job_of_a_tenant_that_is_no_more_is_cancelled(attempt: Attempt) -> None:
    with pytest.raises(Cancel, match="Remove its schedules"):
        await make(attempt(uuid4()))


async def test_other_tenants_keep_their_periods(world: World, attempt: Attempt) -> None:
    stranger = world.add_tenant()
    weekly(world, tenant=stranger)
    assert (await make(attempt(world.tenant)))["created"] == 0
    await make(attempt(stranger))
    assert {row["tenant"] for row in world.rows("select tenant from billing.time_periods")} == {stranger}
