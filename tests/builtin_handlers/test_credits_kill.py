"""A process that is killed while credits expire or are reconciled: at any point, everything is done once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from builtin_handlers.context import AttemptContext
from builtin_handlers.killing import KilledInTransaction, killed
from builtin_handlers.ledgers import Ledger
from builtin_handlers.world import World
from jobcore_handlers.credits.handler import credit_reconciliation, expired_credits
from jobcore_handlers.credits.payload import ClientCredits

HANDLERS = {"expired-credits": expired_credits, "credit-reconciliation": credit_reconciliation}
ALL = ClientCredits()


def work(handler: str, dsn: str, job: UUID, tenant: UUID, at: int, is_committed: bool) -> None:
    context = KilledInTransaction(dsn, tenant, job_id=job)
    context.at, context.is_committed = at, is_committed
    asyncio.run(HANDLERS[handler](context, ALL))


# A kill right after a commit is one before the next: it needs a test of its own after the last commit only.
@pytest.mark.parametrize(
    ("handler", "at", "is_committed"),
    [
        ("expired-credits", 1, False),
        ("expired-credits", 1, True),
        *(("credit-reconciliation", transaction, False) for transaction in range(2, 6)),
        ("credit-reconciliation", 5, True),
    ],
)
async def test_a_killed_run_and_the_next_attempt_do_each_thing_once(
    world: World, attempt: Callable[..., AttemptContext], handler: str, at: int, is_committed: bool
) -> None:
    ledger, job = Ledger(world, world.tenant), uuid4()
    overdue = ledger.issue(world.client, 500, days=-1)
    ledger.issue(ledger.client(), 700, days=-1)
    await killed(work, handler, world.dsn, job, world.tenant, at, is_committed)

    world.execute("delete from completions")
    await HANDLERS[handler](attempt(world.tenant, job_id=job), ALL)
    ledger.expire()
    ledger.assert_right()
    told = world.rows("select operation from billing.audit_logs where record_id is not null")
    assert len(told) == 2
    runs = world.rows("select operation from billing.audit_logs where record_id is null order by occurred_at")
    began_and_ended = ["credit_validation_run_started", "credit_validation_run_completed"]
    assert [run["operation"] for run in runs] == (began_and_ended if handler == "credit-reconciliation" else [])
    assert overdue.expired == 500
