"""Billing cycles and time periods as users meet them: on either engine, and through kills."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from uuid import UUID, uuid4

import pytest

from builtin_handlers.context import AttemptContext
from builtin_handlers.killing import KilledAfterCommit, KilledBeforeCompletion, killed
from builtin_handlers.world import World
from jobcore.app.facade import JobApp
from jobcore.errors import JobCancelledError, JobFailedError, PayloadInvalidError, TenantRequiredError
from jobcore.models import JobFilter
from jobcore.states import JobState
from jobcore_handlers.cycles.handler import create_client_contract_line_cycles
from jobcore_handlers.cycles.payload import CreateCycles
from jobcore_handlers.schedules import register_default_schedules
from jobcore_handlers.time_periods.handler import create_next_time_periods
from jobcore_handlers.time_periods.payload import CreateNextTimePeriods

Attempt = Callable[..., AttemptContext]
OpenApp = Callable[..., AbstractAsyncContextManager[JobApp]]


@pytest.fixture
def today() -> date:
    return datetime.now(UTC).date()


@pytest.fixture
def world(billing_dsn: str, today: date) -> World:
    """A tenant with three clients that are three weeks behind, and time periods of ten days."""
    world = World(billing_dsn)
    world.execute("delete from billing.client_billing_cycles")
    for client in (world.client, world.add_client(), world.add_client()):
        begin = today - timedelta(weeks=4)
        world.add_cycle((begin, begin + timedelta(weeks=1)), client_id=client, billing_cycle="weekly")
    world.execute("update billing.clients set billing_cycle = 'weekly'")
    world.add("time_period_settings", frequency_unit="day", frequency=10)
    world.add("time_periods", start_date=today - timedelta(days=30), end_date=today - timedelta(days=20))
    return world


@pytest.fixture
async def app(open_app: OpenApp) -> AsyncIterator[JobApp]:
    async with open_app() as app:
        yield app


def cycles(world: World) -> dict[UUID, list[tuple[date, date]]]:
    found: dict[UUID, list[tuple[date, date]]] = {}
    for row in world.rows("select * from billing.client_billing_cycles order by client_id, period_start_date"):
        found.setdefault(row["client_id"], []).append((row["period_start_date"], row["period_end_date"]))
    return found


def periods(world: World) -> list[tuple[date, date]]:
    rows = world.rows("select start_date, end_date from billing.time_periods order by start_date")
    return [(row["start_date"], row["end_date"]) for row in rows]


def weeks(today: date) -> list[tuple[date, date]]:
    return [(today + timedelta(weeks=n), today + timedelta(weeks=n + 1)) for n in range(-4, 1)]


def tens(today: date) -> list[tuple[date, date]]:
    return [(today + timedelta(days=n), today + timedelta(days=n + 10)) for n in range(-30, 1, 10)]


async def test_cycles_and_periods_are_made_and_told(app: JobApp, world: World, today: date) -> None:
    making = await create_client_contract_line_cycles.enqueue(app, CreateCycles(tenant_id=world.tenant))
    made = await making.result(timeout=60)
    assert (made["clients"], made["created"], made["failed"]) == (3, 12, 0)
    assert list(cycles(world).values()) == [weeks(today)] * 3

    planning = await create_next_time_periods.enqueue(app, CreateNextTimePeriods(tenant_id=world.tenant))
    planned = await planning.result(timeout=60)
    assert periods(world) == tens(today)
    details = {detail.step_name: detail.status for detail in await app.details(world.tenant, planning.job_id)}
    lines = [f"Created new time period {start} to {end}" for start, end in tens(today)[1:]]
    assert details == dict.fromkeys(lines, "completed")
    assert planned == {"created": 3, "details": lines}
    for job in (making, planning):
        assert (await job.status()).status is JobState.COMPLETED
        assert "Alder" not in str(await app.get_job(world.tenant, job.job_id))


async def test_a_job_of_time_periods_names_a_tenant(app: JobApp) -> None:
    with pytest.raises(PayloadInvalidError, match="name the tenant whose periods"):
        await create_next_time_periods.enqueue(app, CreateNextTimePeriods.model_construct(tenant_id="system"))
    with pytest.raises(TenantRequiredError):
        await app.enqueue("createNextTimePeriods", {})


async def test_a_job_of_a_tenant_that_is_no_more_ends_cancelled(app: JobApp) -> None:
    gone = await create_next_time_periods.enqueue(app, CreateNextTimePeriods(tenant_id=uuid4()))
    with pytest.raises(JobCancelledError, match="Remove its schedules"):
        await gone.result(timeout=60)


async def test_the_default_schedule_keeps_the_chain_whatever_becomes_of_one_job(
    app: JobApp, world: World, today: date
) -> None:
    """The next fire is the schedule's: it comes although a job failed, and one that succeeds enqueues no other."""
    await register_default_schedules(app, tenant=world.tenant)
    before = await app.schedules.get(world.tenant, "createNextTimePeriods")
    world.execute("revoke insert on billing.time_periods from jobcore_tenant")
    await app.schedules.put("createNextTimePeriods", "createNextTimePeriods", "24 hours", tenant=world.tenant,
                            max_attempts=1)  # fmt: skip
    failing = await app.trigger_schedule(world.tenant, "createNextTimePeriods")
    with pytest.raises(JobFailedError, match="permission denied"):
        await failing.result(timeout=60)
    world.execute("grant insert on billing.time_periods to jobcore_tenant")
    working = await app.trigger_schedule(world.tenant, "createNextTimePeriods")
    assert (await working.result(timeout=60))["created"] == 3
    after = await app.schedules.get(world.tenant, "createNextTimePeriods")
    assert (after.enabled, after.interval, after.next_fire) == (True, timedelta(hours=24), before.next_fire)
    jobs = await app.find_jobs(world.tenant, JobFilter(names=("createNextTimePeriods",)))
    assert {job.job_id for job in jobs} == {failing.job_id, working.job_id}


def make_cycles(dsn: str, tenant: UUID) -> None:
    context = KilledAfterCommit(dsn, tenant)
    context.at = 2
    asyncio.run(create_client_contract_line_cycles(context, CreateCycles(tenant_id=tenant)))


def make_periods(dsn: str, tenant: UUID) -> None:
    asyncio.run(create_next_time_periods(KilledBeforeCompletion(dsn, tenant), CreateNextTimePeriods(tenant_id=tenant)))


async def run_until_killed(target: Callable[[str, UUID], None], world: World) -> None:
    await killed(target, world.dsn, world.tenant)


async def test_a_kill_between_two_clients_leaves_whole_clients_and_the_next_run_goes_on(
    world: World, attempt: Attempt, today: date
) -> None:
    await run_until_killed(make_cycles, world)  # after the list, and the first client
    assert sorted(map(len, cycles(world).values())) == [1, 1, 5]
    result = await create_client_contract_line_cycles(attempt(world.tenant), CreateCycles(tenant_id=world.tenant))
    assert (result["clients"], result["created"]) == (2, 8)
    assert list(cycles(world).values()) == [weeks(today)] * 3


async def test_a_kill_before_the_commit_leaves_no_period_and_the_next_run_makes_each_once(
    world: World, attempt: Attempt, today: date
) -> None:
    await run_until_killed(make_periods, world)
    assert periods(world) == tens(today)[:1]
    await create_next_time_periods(attempt(world.tenant), CreateNextTimePeriods(tenant_id=world.tenant))
    assert periods(world) == tens(today)
    assert all(left[1] == right[0] for left, right in pairwise(periods(world)))
