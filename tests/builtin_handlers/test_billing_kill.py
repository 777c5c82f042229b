"""A process that is killed while it bills: at any point, one invoice in the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from builtin_handlers.context import AttemptContext
from builtin_handlers.killing import KilledAfterCommit, KilledBeforeCompletion, killed
from builtin_handlers.world import World
from jobcore_handlers.errors import CycleAlreadyBilledError
from jobcore_handlers.invoicing.handler import generate_invoice


def bill(kind: type[AttemptContext], dsn: str, job: UUID, tenant: UUID, payload: Any) -> None:
    asyncio.run(generate_invoice(kind(dsn, tenant, job_id=job), payload))


async def run_until_killed(kind: type[AttemptContext], world: World, job: UUID) -> None:
    await killed(bill, kind, world.dsn, job, world.tenant, world.payload())


@pytest.fixture
def work(world: World) -> UUID:
    """An hour to be billed, and another that is not yet approved."""
    service = world.add_service()
    world.add_line(service)
    world.add_time(service, date(2025, 11, 12))
    return world.add_time(service, date(2025, 11, 13), status="submitted")


async def test_a_kill_before_the_commit_leaves_nothing_and_the_next_attempt_bills_once(
    world: World, work: UUID, attempt: Callable[..., AttemptContext]
) -> None:
    job = uuid4()
    await run_until_killed(KilledBeforeCompletion, world, job)
    assert world.invoices() == []
    assert world.rows("select from billing.transactions") == []
    assert world.rows("select from completions") == []
    (waiting,) = world.rows("select billing_date from billing.time_entries where entry_id = %s", work)
    assert waiting["billing_date"] == date(2025, 11, 13)

    await generate_invoice(attempt(world.tenant, job_id=job), world.payload())
    assert [(invoice["invoice_number"], invoice["total"]) for invoice in world.invoices()] == [("INV-000001", 12000)]


async def test_a_kill_after_the_commit_leaves_the_invoice_and_the_completion(
    world: World, work: UUID, attempt: Callable[..., AttemptContext]
) -> None:
    await run_until_killed(KilledAfterCommit, world, uuid4())
    assert len(world.invoices()) == len(world.rows("select from completions")) == 1
    with pytest.raises(CycleAlreadyBilledError):
        await generate_invoice(attempt(world.tenant), world.payload())
    assert len(world.invoices()) == 1


async def test_a_job_that_runs_again_returns_the_invoice_that_it_wrote(
    world: World, work: UUID, attempt: Callable[..., AttemptContext]
) -> None:
    job = uuid4()
    first = await generate_invoice(attempt(world.tenant, job_id=job), world.payload())
    world.execute("delete from completions")
    assert await generate_invoice(attempt(world.tenant, job_id=job), world.payload()) == first
    assert len(world.invoices()) == 1
