"""Letting credits expire, within one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from jobcore.ids import uuid7
from jobcore_handlers.credits.audit import AuditLog
from jobcore_handlers.credits.rules import DueCredit, Expiry, expire
from jobcore_handlers.statements import Connection, Statements


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """What a run let expire."""

    count: int
    amount: int
    """Cents, zero or more."""
    skipped: tuple[UUID, ...]
    """The credits whose expiry stood in the ledger although they were not marked."""
    lost: tuple[DueCredit, ...]
    """The credits that stay as they are: the ledger lacks the entries that opened them."""

    def as_result(self) -> dict[str, Any]:
        """Return it as the job's result."""
        return {"expiredCount": self.count, "expiredAmount": self.amount, "skippedCount": len(self.skipped)}


NONE = Expired(count=0, amount=0, skipped=(), lost=())


@dataclass(frozen=True, slots=True)
class _Client:
    client_id: UUID


@dataclass(frozen=True, slots=True)
class _Balance:
    client_id: UUID
    balance: int


class Expirer:
    """Lets credits of one tenant expire, for one job, on one connection within a transaction."""

    def __init__(self, connection: Connection, tenant: UUID, job_id: UUID) -> None:
        self._statements = Statements("credits", connection)
        self._audit = AuditLog(self._statements, tenant, job_id)
        self._tenant = tenant

    async def expire(self, client: UUID | None) -> Expired:
        """Enter the expiry of each credit whose time is over, once, and take it from its client's balance.

        The clients stay locked until the transaction ends. Where the tenant has switched expiry off, nothing happens.
        """
        locked = await self._statements.all(
            "lock_clients_with_due_credits", _Client, tenant=self._tenant, client=client
        )
        if not locked:
            return NONE
        clients = [row.client_id for row in locked]
        due = await self._statements.all("lock_due_credits", DueCredit, tenant=self._tenant, clients=clients)
        expiries = expire(due, await self._balances(clients))
        if expiries:
            await self._write(expiries)
        return Expired(
            count=len(expiries),
            amount=-sum(expiry.amount for expiry in expiries),
            skipped=tuple(credit.credit_id for credit in due if credit.has_original and credit.has_expiration),
            lost=tuple(credit for credit in due if not credit.has_original),
        )

    async def _balances(self, clients: list[UUID]) -> dict[UUID, int]:
        rows = await self._statements.all("sum_credit_entries", _Balance, tenant=self._tenant, clients=clients)
        return {row.client_id: row.balance for row in rows}

    async def _write(self, expiries: Sequence[Expiry]) -> None:
        rows = [self._values(expiry) for expiry in expiries]
        await self._statements.run_each("insert_expiration", rows)
        await self._statements.run_each("add_to_balance", rows)
        await self._statements.run_each("mark_expired", rows)
        await self._audit.credits_expired(expiries)

    def _values(self, expiry: Expiry) -> dict[str, Any]:
        credit = expiry.credit
        return {
            "tenant": self._tenant,
            "transaction": uuid7(),
            "client": credit.client_id,
            "credit": credit.credit_id,
            "original": credit.transaction_id,
            "amount": expiry.amount,
            "balance_after": expiry.balance_after,
        }
