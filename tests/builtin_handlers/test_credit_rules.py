"""The rules of credits over random ledgers, without a database."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from jobcore_handlers.credits.rules import (
    Discrepancy,
    DueCredit,
    Entry,
    EntryType,
    Issue,
    TrackedCredit,
    balance,
    expire,
    find_discrepancies,
    remainders,
)

OPENING = [EntryType.ISSUANCE, EntryType.NEGATIVE_INVOICE, EntryType.TRANSFER]
TAKING = [EntryType.APPLICATION, EntryType.ADJUSTMENT, EntryType.TRANSFER, EntryType.EXPIRATION]
AMOUNTS = st.integers(1, 10**12)


def entry(kind: EntryType, amount: int, related: UUID | None = None) -> Entry:
    return Entry(transaction_id=uuid4(), type=kind, amount=amount, related_transaction_id=related)


def due(client: UUID, remaining: int, *, original: bool = True, expiration: bool = False) -> DueCredit:
    return DueCredit(credit_id=uuid4(), client_id=client, transaction_id=uuid4(), remaining_amount=remaining,
                     has_original=original, has_expiration=expiration)  # fmt: skip


@st.composite
def ledgers(draw: st.DrawFn) -> tuple[list[Entry], list[TrackedCredit]]:
    """A client's entries in any order, and its credits as they must be tracked: kept apart while they are written."""
    entries: list[Entry] = []
    tracked: list[TrackedCredit] = []
    for amount in draw(st.lists(AMOUNTS, min_size=1, max_size=6)):
        # what comes in by a transfer names the entry that it came from, which is another client's
        opened = entry(draw(st.sampled_from(OPENING)), amount, draw(st.sampled_from([None, uuid4()])))
        entries.append(opened)
        left = amount
        for kind in draw(st.lists(st.sampled_from(TAKING), max_size=4)):
            taken = left if kind is EntryType.EXPIRATION else draw(st.integers(0, left))
            if taken:
                entries.append(entry(kind, -taken, opened.transaction_id))
                left -= taken
        added = draw(st.integers(0, 500))
        if added:
            entries.append(entry(EntryType.ADJUSTMENT, added, opened.transaction_id))
        tracked.append(
            TrackedCredit(credit_id=uuid4(), transaction_id=opened.transaction_id, remaining_amount=left + added)
        )
    return draw(st.permutations(entries)), tracked


@given(ledgers())
def test_a_balance_is_what_remains_of_all_credits(ledger: tuple[list[Entry], list[TrackedCredit]]) -> None:
    entries, tracked = ledger
    assert balance(entries) == sum(credit.remaining_amount for credit in tracked)
    assert remainders(entries) == {credit.transaction_id: credit.remaining_amount for credit in tracked}


@given(ledgers())
def test_a_correct_ledger_has_no_discrepancy(ledger: tuple[list[Entry], list[TrackedCredit]]) -> None:
    entries, tracked = ledger
    assert list(find_discrepancies(balance(entries), entries, tracked)) == []


@given(ledgers(), st.integers(-(10**6), 10**6).filter(bool))
def test_a_changed_balance_is_one_discrepancy(ledger: tuple[list[Entry], list[TrackedCredit]], error: int) -> None:
    entries, tracked = ledger
    expected = balance(entries)
    assert list(find_discrepancies(expected + error, entries, tracked)) == [
        Discrepancy(issue=Issue.BALANCE, expected=expected, actual=expected + error)
    ]


@given(ledgers(), st.randoms(use_true_random=False))
def test_a_missing_credit_is_one_discrepancy(ledger: tuple[list[Entry], list[TrackedCredit]], random: Random) -> None:
    entries, tracked = ledger
    lost = tracked.pop(random.randrange(len(tracked)))
    (amount,) = [entry.amount for entry in entries if entry.transaction_id == lost.transaction_id]
    assert list(find_discrepancies(balance(entries), entries, tracked)) == [
        Discrepancy(issue=Issue.MISSING_TRACKING, expected=amount, actual=0, transaction_id=lost.transaction_id)
    ]


@given(ledgers(), st.integers(1, 10**6))
def test_a_wrong_remainder_is_one_discrepancy(ledger: tuple[list[Entry], list[TrackedCredit]], error: int) -> None:
    entries, tracked = ledger
    right = tracked[0]
    wrong = replace(right, remaining_amount=right.remaining_amount + error)
    assert list(find_discrepancies(balance(entries), entries, [wrong, *tracked[1:]])) == [
        Discrepancy(issue=Issue.WRONG_REMAINDER, expected=right.remaining_amount, actual=wrong.remaining_amount,
                    transaction_id=right.transaction_id, credit_id=right.credit_id)
    ]  # fmt: skip


def test_a_credit_that_the_ledger_does_not_know_should_have_nothing_left() -> None:
    unknown = TrackedCredit(credit_id=uuid4(), transaction_id=uuid4(), remaining_amount=5)
    (found,) = find_discrepancies(0, [], [unknown])
    assert (found.issue, found.expected, found.actual) == (Issue.WRONG_REMAINDER, 0, 5)


@given(st.lists(st.tuples(st.sampled_from([UUID(int=1), UUID(int=2)]), AMOUNTS, st.booleans()), max_size=8))
def test_each_expiry_takes_what_remains_from_what_the_ones_before_left(
    tracked: list[tuple[UUID, int, bool]],
) -> None:
    over = [due(client, remaining, expiration=expired) for client, remaining, expired in tracked]
    balances = {client: sum(amount for owner, amount, _ in tracked if owner == client) for client, _, _ in tracked}
    expiries = expire(over, balances)
    assert [expiry.credit for expiry in expiries] == [credit for credit in over if not credit.has_expiration]
    left = dict(balances)
    for expiry in expiries:
        left[expiry.credit.client_id] += expiry.amount
        assert expiry.balance_after == left[expiry.credit.client_id] >= 0


def test_a_credit_of_unknown_origin_stays_and_holds_up_no_other() -> None:
    client = uuid4()
    first, lost, last = due(client, 50), due(client, 100, original=False), due(client, 20)
    expiries = expire([first, lost, last], {client: 70})
    assert [(expiry.credit, expiry.balance_after) for expiry in expiries] == [(first, 20), (last, 0)]
