"""Random ledgers, with the jobs of credits run between their entries: alone, twice, and beside one another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builtin_handlers.context import AttemptContext
from builtin_handlers.ledgers import Credit, Ledger
from builtin_handlers.world import World
from jobcore_handlers.credits.handler import credit_reconciliation, expired_credits
from jobcore_handlers.credits.payload import ClientCredits

Attempt = Callable[..., AttemptContext]

CLIENTS = 3
ALL = ClientCredits()

ISSUE = st.tuples(
    st.just("issue"), st.integers(0, CLIENTS - 1), st.integers(1, 100_000),
    st.sampled_from([None, -0.5, 0.5, 1.5, 3.5]),
    st.sampled_from(["credit_issuance", "credit_issuance_from_negative_invoice"]),
)  # fmt: skip
CHANGE = st.tuples(
    st.sampled_from(["apply", "adjust down", "adjust up", "transfer"]), st.integers(0, 99), st.integers(1, 100),
    st.integers(0, CLIENTS - 1),
)  # fmt: skip
PASS = st.tuples(st.just("pass"), st.integers(1, 2))
JOBS = st.tuples(st.just("jobs"), st.sampled_from(["expire", "reconcile", "expire twice", "both at once", "beside"]))
PROGRAMS = st.lists(st.one_of(ISSUE, CHANGE, CHANGE, PASS, JOBS), min_size=1, max_size=14).map(
    lambda steps: [("issue", 0, 5000, 0.5, "credit_issuance"), *steps]
)
PATIENT = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class Program:
    """Runs the steps of one example on a tenant of its own."""

    def __init__(self, world: World, attempt: Attempt) -> None:
        self.tenant = world.add_tenant()
        self.ledger = Ledger(world, self.tenant)
        self.clients = [self.ledger.client() for _ in range(CLIENTS)]
        self.attempt = attempt

    async def run(self, steps: list[tuple[Any, ...]]) -> None:
        for kind, *values in steps:
            if kind == "issue":
                client, amount, days, entry = values
                self.ledger.issue(self.clients[client], amount, days, entry)
            elif kind == "pass":
                self.ledger.pass_days(*values)
            elif kind == "jobs":
                await self._work(*values)
            else:
                self._change(kind, *values)

    async def finish(self) -> dict[str, int]:
        """Expire what is overdue, reconcile, and return the totals."""
        await self.expire()
        self.ledger.expire()
        return await self.reconcile()

    async def expire(self) -> dict[str, Any]:
        return await expired_credits(self.attempt(self.tenant), ALL)

    async def reconcile(self) -> dict[str, int]:
        return await credit_reconciliation(self.attempt(self.tenant), ALL)

    def damage(self, issue: str, credit: Credit, error: int) -> None:
        values = {"tenant": self.tenant, "client": credit.client, "original": credit.original, "error": error}
        with psycopg.connect(self.ledger.world.dsn) as connection:
            assert connection.execute(DAMAGES[issue], values).rowcount == 1

    def _change(self, kind: str, number: int, percent: int, client: int) -> None:
        credit = self.ledger.credits[number % len(self.ledger.credits)]
        amount = credit.remaining * percent // 100
        if kind == "adjust up" and not credit.expired:
            self.ledger.adjust(credit, percent)
        elif amount and kind == "apply":
            self.ledger.apply(credit, amount)
        elif amount and kind == "adjust down":
            self.ledger.adjust(credit, -amount)
        elif amount and kind == "transfer":
            self.ledger.transfer(credit, self.clients[client], amount)

    async def _work(self, kind: str) -> None:
        """Run jobs; `beside` an application that enters credits at the same time."""
        work: list[Any] = {
            "expire": lambda: [self.expire()],
            "expire twice": lambda: [self.expire(), self.expire()],
            "reconcile": lambda: [self.reconcile()],
            "both at once": lambda: [self.expire(), self.reconcile(), self.reconcile()],
            "beside": lambda: [self.expire(), self.reconcile(), asyncio.to_thread(self._enter_beside)],
        }[kind]()
        await asyncio.gather(*work)
        self.ledger.expire()

    def _enter_beside(self) -> None:
        for client in self.clients:
            self.ledger.apply(self.ledger.issue(client, 900), 400)


@PATIENT
@given(steps=PROGRAMS)
async def test_a_correct_ledger_adds_up_and_yields_no_report(
    world: World, attempt: Attempt, steps: list[tuple[Any, ...]]
) -> None:
    program = Program(world, attempt)
    await program.run(steps)
    totals = await program.finish()
    program.ledger.assert_right()
    assert totals["balanceValidCount"] == totals["totalClients"] == CLIENTS
    program.ledger.pass_days(9)
    await program.finish()
    program.ledger.assert_right()


DAMAGES = {
    "credit_balance_discrepancy": "update billing.clients set credit_balance = credit_balance + %(error)s "
    "where tenant = %(tenant)s and client_id = %(client)s",
    "missing_credit_tracking_entry": "delete from billing.credit_tracking "
    "where tenant = %(tenant)s and transaction_id = %(original)s",
    "inconsistent_credit_remaining_amount": "update billing.credit_tracking "
    "set remaining_amount = remaining_amount + %(error)s where tenant = %(tenant)s and transaction_id = %(original)s",
}


@PATIENT
@given(steps=PROGRAMS, issue=st.sampled_from(sorted(DAMAGES)), number=st.integers(0, 99), error=st.integers(1, 5000),
       is_overdue=st.booleans())  # fmt: skip
async def test_each_damage_yields_one_open_report_however_often_it_is_looked_for(
    world: World, attempt: Attempt, steps: list[tuple[Any, ...]], issue: str, number: int, error: int, is_overdue: bool
) -> None:
    program = Program(world, attempt)
    await program.run(steps)
    credit = program.ledger.credits[number % len(program.ledger.credits)]
    program.damage(issue, credit, error)
    if is_overdue:  # what is damaged may expire afterwards, and is found all the same
        program.ledger.pass_days(9)
    await program.expire()
    await program.reconcile()
    (first,) = program.ledger.reports()
    await asyncio.gather(program.reconcile(), program.reconcile())
    (second,) = program.ledger.reports()

    assert (second["issue_type"], second["status"], second["client_id"]) == (issue, "open", credit.client)
    assert second["report_id"] == first["report_id"]
    assert second["detection_date"] > first["detection_date"]
    assert (second["expected_balance"], second["actual_balance"]) == (
        first["expected_balance"],
        first["actual_balance"],
    )
    assert second["transaction_id"] == (None if issue == "credit_balance_discrepancy" else credit.original)
