"""J13 on a real PostgreSQL, as the tenant's own role."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from builtin_handlers.context import AttemptContext
from builtin_handlers.world import World
from jobcore.handlers.definition import DEFAULT_TIMEOUT
from jobcore_handlers.cycles.handler import create_client_contract_line_cycles
from jobcore_handlers.cycles.payload import CreateCycles

Attempt = Callable[..., AttemptContext]


@pytest.fixture
def today() -> date:
    return datetime.now(UTC).date()


@pytest.fixture
def world(billing_dsn: str) -> World:
    """A tenant with one client that has no cycle yet."""
    world = World(billing_dsn)
    world.execute("delete from billing.client_billing_cycles")
    return world


async def make(context: AttemptContext) -> dict[str, Any]:
    return await create_client_contract_line_cycles(context, CreateCycles(tenant_id=context.tenant_id))


def cycles_of(world: World, client: UUID) -> list[tuple[date, date]]:
    rows = world.rows(
        "select * from billing.client_billing_cycles where client_id = %s order by effective_date", client
    )
    assert all(row["effective_date"] == row["period_start_date"] and row["is_active"] for row in rows)
    return [(row["period_start_date"], row["period_end_date"]) for row in rows]


def test_the_handler_has_the_name_and_policies_of_the_catalogue() -> None:
    assert create_client_contract_line_cycles.name == "createClientContractLineCycles"
    assert create_client_contract_line_cycles.retry.max_attempts == 3
    assert create_client_contract_line_cycles.timeout == DEFAULT_TIMEOUT


async def test_a_client_without_a_cycle_gets_the_current_one(world: World, attempt: Attempt, today: date) -> None:
    weekly = world.add_client(billing_cycle="bi-weekly")
    world.add("client_billing_settings", client_id=weekly, anchor_reference_date=today - timedelta(days=30))
    result = await make(attempt(world.tenant))
    ((start, end),) = cycles_of(world, world.client)
    assert (start.day, end.day) == (1, 1)
    assert start <= today < end
    assert end == (start + timedelta(days=31)).replace(day=1)
    assert cycles_of(world, weekly) == [(today - timedelta(days=2), today + timedelta(days=12))]
    assert result == {"clients": 2, "created": 2, "duplicates": 0, "failed": 0, "behind": 0}


async def test_cycles_go_on_where_the_last_one_ended_until_one_ends_after_today(
    world: World, attempt: Attempt, today: date
) -> None:
    world.execute("update billing.clients set billing_cycle = 'weekly'")
    begin = today - timedelta(days=35)
    world.add_cycle((begin, begin + timedelta(days=7)), billing_cycle="weekly")
    result = await make(attempt(world.tenant))
    cycles = cycles_of(world, world.client)
    assert cycles[0][0] == begin
    assert all(left[1] == right[0] for left, right in pairwise(cycles))
    assert cycles[-1] == (today, today + timedelta(days=7))
    assert result["created"] == 5


async def test_a_cycle_without_dates_ends_where_its_invoice_would(world: World, attempt: Attempt, today: date) -> None:
    world.execute("update billing.clients set billing_cycle = 'weekly'")
    world.add_cycle((None, None), effective_date=today - timedelta(days=3), billing_cycle="weekly")
    assert (await make(attempt(world.tenant)))["created"] == 0
    world.execute("update billing.client_billing_cycles set effective_date = effective_date - 5")
    assert (await make(attempt(world.tenant)))["created"] == 1
    rows = world.rows("select period_start_date from billing.client_billing_cycles where period_start_date is not null")
    assert [row["period_start_date"] for row in rows] == [today - timedelta(days=1)]


async def test_a_second_run_changes_nothing(world: World, attempt: Attempt) -> None:
    await make(attempt(world.tenant))
    before = cycles_of(world, world.client)
    result = await make(attempt(world.tenant))
    assert result == {"clients": 0, "created": 0, "duplicates": 0, "failed": 0, "behind": 0}
    assert cycles_of(world, world.client) == before


async def test_two_runs_at_once_make_each_cycle_once(world: World, attempt: Attempt, today: date) -> None:
    clients = [world.client, *(world.add_client(billing_cycle="weekly") for _ in range(8))]
    for client in clients:
        begin = today - timedelta(days=70)
        world.add_cycle((begin, begin + timedelta(days=7)), client_id=client)
    results = await asyncio.gather(*(make(attempt(world.tenant)) for _ in range(4)))
    for client in clients:
        cycles = cycles_of(world, client)
        assert all(left[1] == right[0] for left, right in pairwise(cycles))
        assert cycles[-2][1] <= today < cycles[-1][1]
    made = sum(len(cycles_of(world, client)) for client in clients) - len(clients)
    assert sum(result["created"] for result in results) == made
    assert sum(result["duplicates"] for result in results) == 0


async def test_a_client_that_is_far_behind_is_helped_in_several_runs(
    world: World, attempt: Attempt, today: date
) -> None:
    world.execute("update billing.clients set billing_cycle = 'weekly'")
    begin = today - timedelta(weeks=301)
    world.add_cycle((begin, begin + timedelta(weeks=1)), billing_cycle="weekly")
    runs = [await make(attempt(world.tenant)) for _ in range(3)]
    assert [(run["created"], run["behind"]) for run in runs] == [(200, 1), (101, 0), (0, 0)]


async def test_a_cycle_that_was_taken_out_of_use_is_not_made_again(world: World, attempt: Attempt, today: date) -> None:
    world.execute("update billing.clients set billing_cycle = 'weekly'")
    begin = today - timedelta(weeks=2)
    world.add_cycle((begin, begin + timedelta(weeks=1)), billing_cycle="weekly")
    world.add_cycle((begin + timedelta(weeks=1), today), billing_cycle="weekly", is_active=False)
    result = await make(attempt(world.tenant))
    assert (result["created"], result["duplicates"]) == (1, 1)
    active = world.rows("select period_end_date from billing.client_billing_cycles where is_active order by 1")
    assert [row["period_end_date"] for row in active] == [today - timedelta(weeks=1), today + timedelta(weeks=1)]


async def test_a_client_with_wrong_data_holds_nobody_up_and_is_told(
    world: World, attempt: Attempt, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    wrong = world.add_client(billing_cycle="fortnightly", name="Secret Ltd", billing_email="boss@secret.example")
    context = attempt(world.tenant)
    result = await make(context)
    assert (result["created"], result["failed"]) == (1, 1)
    ((status, told),) = context.details[f"Client {wrong}"]
    assert status == "failed"
    assert told["error"].startswith("'fortnightly' is no billing cycle; a client has one of weekly, bi-weekly")
    assert str(wrong) in caplog.text
    assert "ecret" not in caplog.text + str(context.details)


async def test_what_the_database_refuses_for_one_client_holds_up_no_other(world: World, attempt: Attempt) -> None:
    world.execute(
        "create function refuse() returns trigger language plpgsql as $$ begin "
        "if exists (select from billing.clients where client_id = new.client_id and name = 'Secret Ltd') then "
        "raise check_violation using message = 'no cycle for Secret Ltd'; end if; return new; end $$"
    )
    world.execute(
        "create trigger refuse before insert on billing.client_billing_cycles for each row execute function refuse()"
    )
    refused = world.add_client(name="Secret Ltd")
    context = attempt(world.tenant)
    result = await make(context)
    assert (result["created"], result["failed"]) == (1, 1)
    assert context.details == {f"Client {refused}": [("failed", {"error": "CheckViolation (23514)"})]}


async def test_a_fault_of_the_database_fails_the_job(world: World, attempt: Attempt) -> None:
    world.execute("revoke insert on billing.client_billing_cycles from jobcore_tenant")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await make(attempt(world.tenant))


async def test_other_tenants_and_inactive_clients_are_left_alone(world: World, attempt: Attempt) -> None:
    inactive = world.add_client(is_inactive=True)
    stranger = world.add_tenant()
    world.add("clients", tenant=stranger, client_id=(other := uuid4()), name="Elsewhere")
    assert (await make(attempt(world.tenant)))["clients"] == 1
    assert cycles_of(world, inactive) == cycles_of(world, other) == []
    await make(attempt(stranger))
    assert len(cycles_of(world, other)) == 1


async def test_progress_counts_all_clients(world: World, attempt: Attempt) -> None:
    world.add_client()
    context = attempt(world.tenant)
    await make(context)
    assert context.progress_reports == [50, 100]
