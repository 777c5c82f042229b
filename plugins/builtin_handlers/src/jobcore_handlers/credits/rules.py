"""The rules of credits: pure functions over ledger entries and tracked credits, no database and no clock.

Amounts are cents. An entry either opens a credit (an issuance, or a transfer that comes in) or names the one that it
takes from or adjusts. So a client's balance is the sum of all its entries, and what remains of a credit is the sum of
those that are about it; an expiry is one of them, and needs no exception.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class EntryType(StrEnum):
    """What a credit entry of the ledger records."""

    ISSUANCE = "credit_issuance"
    NEGATIVE_INVOICE = "credit_issuance_from_negative_invoice"
    APPLICATION = "credit_application"
    ADJUSTMENT = "credit_adjustment"
    EXPIRATION = "credit_expiration"
    TRANSFER = "credit_transfer"
    """Negative where the credit comes from, positive where it goes to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A credit entry of the ledger."""

    transaction_id: UUID
    type: str
    amount: int
    related_transaction_id: UUID | None

    @property
    def opens_credit(self) -> bool:
        """Whether a credit begins with this entry; if not, `related_transaction_id` names the one that it changes."""
        if self.type == EntryType.TRANSFER:
            return self.amount > 0
        return self.type in (EntryType.ISSUANCE, EntryType.NEGATIVE_INVOICE)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedCredit:
    """What is kept of a credit beside the ledger."""

    credit_id: UUID
    transaction_id: UUID
    """The entry that opened it."""
    remaining_amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DueCredit:
    """A credit whose time is over and of which something remains."""

    credit_id: UUID
    client_id: UUID
    transaction_id: UUID
    remaining_amount: int
    has_original: bool
    """Whether the ledger holds the entry that opened it."""
    has_expiration: bool
    """Whether the ledger holds its expiry already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """A credit's end: the entry to be written."""

    credit: DueCredit
    balance_after: int

    @property
    def amount(self) -> int:
        return -self.credit.remaining_amount


class Issue(StrEnum):
    """What can be wrong, as reports name it."""

    BALANCE = "credit_balance_discrepancy"
    MISSING_TRACKING = "missing_credit_tracking_entry"
    WRONG_REMAINDER = "inconsistent_credit_remaining_amount"


@dataclass(frozen=True, slots=True, kw_only=True)
class Discrepancy:
    """One thing kept beside the ledger that differs from it."""

    issue: Issue
    expected: int
    actual: int
    transaction_id: UUID | None = None
    credit_id: UUID | None = None


def balance(entries: Iterable[Entry]) -> int:
    """Return the credit that a client has, in cents."""
    return sum(entry.amount for entry in entries)


def remainders(entries: Iterable[Entry]) -> dict[UUID, int]:
    """Return what remains of each credit, in cents, by the entry that opened it."""
    sums: Counter[UUID | None] = Counter()
    opened: list[UUID] = []
    for entry in entries:
        if entry.opens_credit:
            opened.append(entry.transaction_id)
        sums[entry.transaction_id if entry.opens_credit else entry.related_transaction_id] += entry.amount
    return {transaction: sums[transaction] for transaction in opened}


def expire(due: Iterable[DueCredit], balances: Mapping[UUID, int]) -> list[Expiry]:
    """Return the expiry of each credit that the ledger knows and that has none, in order.

    Args:
        due: the credits whose time is over.
        balances: what their clients have, in cents, by client.
    """
    left = dict(balances)
    expiries: list[Expiry] = []
    for credit in due:
        if credit.has_original and not credit.has_expiration:
            left[credit.client_id] -= credit.remaining_amount
            expiries.append(Expiry(credit=credit, balance_after=left[credit.client_id]))
    return expiries


def find_discrepancies(
    cached_balance: int, entries: Sequence[Entry], tracked: Sequence[TrackedCredit]
) -> Iterator[Discrepancy]:
    """Yield each difference between a client's ledger and what is kept beside it; none if all is right."""
    expected = balance(entries)
    if expected != cached_balance:
        yield Discrepancy(issue=Issue.BALANCE, expected=expected, actual=cached_balance)
    opened_by = {credit.transaction_id for credit in tracked}
    for entry in entries:
        if entry.opens_credit and entry.transaction_id not in opened_by:
            yield Discrepancy(
                issue=Issue.MISSING_TRACKING, expected=entry.amount, actual=0, transaction_id=entry.transaction_id
            )
    yield from _wrong_remainders(remainders(entries), tracked)


def _wrong_remainders(expected: Mapping[UUID, int], tracked: Iterable[TrackedCredit]) -> Iterator[Discrepancy]:
    for credit in tracked:
        remains = expected.get(credit.transaction_id, 0)
        if remains != credit.remaining_amount:
            yield Discrepancy(
                issue=Issue.WRONG_REMAINDER,
                expected=remains,
                actual=credit.remaining_amount,
                transaction_id=credit.transaction_id,
                credit_id=credit.credit_id,
            )
