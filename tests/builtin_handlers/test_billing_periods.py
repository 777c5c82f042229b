"""Periods and cadences: half-open, without gaps and without overlaps."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobcore_handlers.billing.cadence import Anchor, Cadence, next_boundary
from jobcore_handlers.billing.periods import Period
from jobcore_handlers.billing.terms import PaymentTerms

DAYS = st.dates(date(2000, 1, 1), date(2060, 1, 1))


def test_a_period_has_its_first_day_and_not_its_end() -> None:
    period = Period(date(2025, 11, 1), date(2025, 12, 1))
    assert date(2025, 11, 1) in period
    assert date(2025, 11, 30) in period
    assert date(2025, 12, 1) not in period
    assert period.last_day == date(2025, 11, 30)


def test_a_period_without_a_day_is_refused() -> None:
    with pytest.raises(ValueError, match="holds none"):
        Period(date(2025, 11, 1), date(2025, 11, 1))


@given(DAYS, st.lists(st.integers(1, 60), min_size=1, max_size=12), st.integers(0, 800))
def test_every_day_and_every_month_is_in_exactly_one_of_adjoining_periods(
    start: date, lengths: list[int], offset: int
) -> None:
    bounds = [start]
    for length in lengths:
        bounds.append(bounds[-1] + timedelta(days=length))
    periods = [Period(left, right) for left, right in pairwise(bounds)]
    day = start + timedelta(days=offset)
    assert sum(day in period for period in periods) == (day < bounds[-1])
    months = [month for period in periods for month in period.month_starts()]
    assert months == list(Period(bounds[0], bounds[-1]).month_starts())


@given(st.sampled_from(Cadence), DAYS, st.integers(1, 28), st.integers(1, 12), DAYS)
def test_a_boundary_is_later_than_the_start_and_at_most_one_cadence_away(
    cadence: Cadence, start: date, day: int, month: int, reference: date
) -> None:
    longest = {Cadence.WEEKLY: 7, Cadence.BI_WEEKLY: 14, Cadence.MONTHLY: 31, Cadence.QUARTERLY: 92,
               Cadence.SEMI_ANNUALLY: 184, Cadence.ANNUALLY: 366}  # fmt: skip
    anchored = Anchor(day_of_month=day, month=month, reference=reference)
    for anchor in (anchored, Anchor()):
        assert timedelta() < next_boundary(cadence, start, anchor) - start <= timedelta(days=longest[cadence])
    boundary = next_boundary(cadence, start, anchored)
    assert next_boundary(cadence, boundary - timedelta(days=1), anchored) == boundary


@pytest.mark.parametrize(
    ("cadence", "start", "anchor", "expected"),
    [
        ("weekly", date(2025, 11, 5), Anchor(), date(2025, 11, 12)),
        ("weekly", date(2025, 11, 5), Anchor(reference=date(2025, 1, 6)), date(2025, 11, 10)),
        ("bi-weekly", date(2025, 11, 5), Anchor(reference=date(2025, 11, 3)), date(2025, 11, 17)),
        ("bi-weekly", date(2025, 11, 5), Anchor(reference=date(2026, 1, 5)), date(2025, 11, 10)),
        ("monthly", date(2025, 1, 31), Anchor(), date(2025, 2, 28)),
        ("monthly", date(2025, 12, 3), Anchor(day_of_month=1), date(2026, 1, 1)),
        ("monthly", date(2025, 12, 15), Anchor(day_of_month=15), date(2026, 1, 15)),
        ("quarterly", date(2025, 11, 20), Anchor(day_of_month=1, month=2), date(2026, 2, 1)),
        ("quarterly", date(2025, 11, 20), Anchor(day_of_month=1), date(2026, 2, 20)),
        ("semi-annually", date(2025, 11, 20), Anchor(day_of_month=15, month=12), date(2025, 12, 15)),
        ("annually", date(2024, 2, 29), Anchor(), date(2025, 2, 28)),
        ("annually", date(2025, 4, 6), Anchor(day_of_month=6, month=4), date(2026, 4, 6)),
    ],
)
def test_boundaries(cadence: str, start: date, anchor: Anchor, expected: date) -> None:
    assert next_boundary(Cadence(cadence), start, anchor) == expected


def test_payment_terms_count_days_from_the_invoice() -> None:
    assert PaymentTerms.NET_45.due_date(date(2025, 12, 1)) == date(2026, 1, 15)
    assert PaymentTerms.DUE_ON_RECEIPT.due_date(date(2025, 12, 1)) == date(2025, 12, 1)
