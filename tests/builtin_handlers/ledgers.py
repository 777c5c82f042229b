"""A ledger of credits, written as an application writes it, and a second account of what must come of it.

Time passes by moving the dates of all credits back: the jobs read the database's clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.sql import SQL, Composed

from builtin_handlers.world import World


@dataclass
class Credit:
    """What the test knows of one credit."""

    client: UUID
    original: UUID
    remaining: int
    days_left: float | None
    expired: int = 0
    """What expired of it, in cents."""

    @property
    def is_over(self) -> bool:
        return self.days_left is not None and self.days_left < 0


@dataclass
class Ledger:
    """The credits of some clients of one tenant."""

    world: World
    tenant: UUID
    credits: list[Credit] = field(default_factory=list[Credit])

    def client(self) -> UUID:
        return self.world.add_client(tenant=self.tenant)

    def issue(self, client: UUID, amount: int, days: float | None = None, kind: str = "credit_issuance") -> Credit:
        with psycopg.connect(self.world.dsn) as connection:
            return self.issue_in(connection, client, amount, days, kind)

    def issue_in(
        self, connection: Any, client: UUID, amount: int, days: float | None = None, kind: str = "credit_issuance",
        source: UUID | None = None,
    ) -> Credit:  # fmt: skip
        original = self._enter(connection, client, amount, kind, source)
        until = None if days is None else datetime.now(UTC) + timedelta(days=days)
        connection.execute(
            "insert into billing.credit_tracking "
            "(tenant, client_id, transaction_id, amount, remaining_amount, expiration_date) "
            "values (%s, %s, %s, %s, %s, %s)",
            (self.tenant, client, original, amount, amount, until),
        )
        credit = Credit(client, original, amount, days)
        self.credits.append(credit)
        return credit

    def apply(self, credit: Credit, amount: int) -> None:
        self.change(credit, -amount, "credit_application")

    def adjust(self, credit: Credit, amount: int) -> None:
        self.change(credit, amount, "credit_adjustment")

    def transfer(self, credit: Credit, client: UUID, amount: int) -> Credit:
        with psycopg.connect(self.world.dsn) as connection:
            lock = "select from billing.clients where tenant = %s and client_id = any(%s) order by client_id for update"
            connection.execute(lock, (self.tenant, [credit.client, client]))
            source = self._change(connection, credit, -amount, "credit_transfer")
            return self.issue_in(connection, client, amount, credit.days_left, "credit_transfer", source)

    def change(self, credit: Credit, amount: int, kind: str) -> None:
        with psycopg.connect(self.world.dsn) as connection:
            self._change(connection, credit, amount, kind)

    def pass_days(self, days: int) -> None:
        self.world.execute(
            "update billing.credit_tracking set expiration_date = expiration_date - %s where tenant = %s",
            timedelta(days=days), self.tenant,
        )  # fmt: skip
        for credit in self.credits:
            if credit.days_left is not None:
                credit.days_left -= days

    def expire(self) -> None:
        """Account for what the jobs must do now."""
        for credit in self.credits:
            if credit.is_over:
                credit.expired += credit.remaining
                credit.remaining = 0

    def assert_right(self) -> None:
        """The database holds what the credits of this ledger come to, to the cent."""
        self._assert_credits()
        self._assert_balances()
        self._assert_expiries()
        assert self.reports() == []

    def reports(self, **where: Any) -> list[dict[str, Any]]:
        rows = self.rows("select * from billing.credit_reconciliation_reports where tenant = %s order by report_id")
        return [row for row in rows if all(row[name] == value for name, value in where.items())]

    def rows(self, query: str) -> list[dict[str, Any]]:
        return self.world.rows(query, self.tenant)

    def damage(self, statement: str | Composed, *values: Any) -> None:
        self.world.execute(statement, *values)

    def refuse_reports_of(self, client: UUID) -> None:
        """Let every check of a client fail that finds something."""
        self.damage(
            SQL("alter table billing.credit_reconciliation_reports add constraint none check (client_id <> {})").format(
                client
            )
        )

    # -- what is written -----------------------------------------------------------------------------------------------

    def _change(self, connection: Any, credit: Credit, amount: int, kind: str) -> UUID:
        entry = self._enter(connection, credit.client, amount, kind, credit.original)
        connection.execute(
            "update billing.credit_tracking set remaining_amount = remaining_amount + %s "
            "where tenant = %s and transaction_id = %s",
            (amount, self.tenant, credit.original),
        )
        credit.remaining += amount
        return entry

    def _enter(self, connection: Any, client: UUID, amount: int, kind: str, related: UUID | None) -> UUID:
        entry = uuid4()
        key = (self.tenant, client)
        (after,) = connection.execute(
            "update billing.clients set credit_balance = credit_balance + %s where tenant = %s and client_id = %s "
            "returning credit_balance",
            (amount, *key),
        ).fetchone()
        connection.execute(
            "insert into billing.transactions (tenant, client_id, transaction_id, type, amount, balance_after, "
            "related_transaction_id, created_at) values (%s, %s, %s, %s, %s, %s, %s, clock_timestamp())",
            (*key, entry, kind, amount, after, related),
        )
        return entry

    # -- what is checked -----------------------------------------------------------------------------------------------

    def _assert_credits(self) -> None:
        rows = self.rows("select transaction_id, remaining_amount from billing.credit_tracking where tenant = %s")
        assert {row["transaction_id"]: row["remaining_amount"] for row in rows} == {
            credit.original: credit.remaining for credit in self.credits
        }

    def _assert_balances(self) -> None:
        entries = self.rows(
            "select client_id, amount, balance_after from billing.transactions where tenant = %s "
            "order by client_id, created_at"
        )
        for client in self.rows("select client_id, credit_balance from billing.clients where tenant = %s"):
            remains = sum(credit.remaining for credit in self.credits if credit.client == client["client_id"])
            assert client["credit_balance"] == remains
            running = 0
            for entry in entries:
                if entry["client_id"] == client["client_id"]:
                    running += entry["amount"]
                    assert entry["balance_after"] == running
            assert running == remains

    def _assert_expiries(self) -> None:
        rows = self.rows(
            "select related_transaction_id as original, amount from billing.transactions "
            "where tenant = %s and type = 'credit_expiration'"
        )
        found = sorted((row["original"], row["amount"]) for row in rows)
        assert found == sorted((credit.original, -credit.expired) for credit in self.credits if credit.expired)
