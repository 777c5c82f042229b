"""Which billing cycles a client lacks: without gaps and overlaps, at the anchors, up to today and no further."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobcore_handlers.billing.cadence import Anchor, Cadence, current_start, missing_periods

DAYS = st.dates(date(2000, 1, 1), date(2060, 1, 1))
AGES = st.integers(0, 4000).map(lambda days: timedelta(days=days))
CADENCES = st.sampled_from(Cadence)
ANCHORS = st.one_of(
    st.just(Anchor()),
    st.builds(Anchor, day_of_month=st.integers(1, 28), month=st.integers(1, 12), reference=DAYS),
)
MONTHS = {Cadence.MONTHLY: 1, Cadence.QUARTERLY: 3, Cadence.SEMI_ANNUALLY: 6, Cadence.ANNUALLY: 12}
WEEKS = {Cadence.WEEKLY: 7, Cadence.BI_WEEKLY: 14}


def is_at_anchor(cadence: Cadence, day: date, anchor: Anchor) -> bool:
    if cadence in WEEKS:
        assert anchor.reference is not None
        return (day - anchor.reference).days % WEEKS[cadence] == 0
    assert anchor.month is not None
    return day.day == anchor.day_of_month and (day.month - anchor.month) % MONTHS[cadence] == 0


@given(CADENCES, ANCHORS, DAYS, AGES, st.integers(1, 200))
def test_cycles_adjoin_from_where_the_last_one_ended_until_one_ends_after_today(
    cadence: Cadence, anchor: Anchor, today: date, age: timedelta, limit: int
) -> None:
    reached = today - age
    periods = missing_periods(cadence, anchor, reached, today, limit=limit)
    assert periods[0].start == reached
    assert all(left.end == right.start for left, right in pairwise(periods))
    assert all(period.start <= today for period in periods)
    assert len(periods) <= limit
    assert len(periods) == limit or periods[-1].end > today


@given(CADENCES, ANCHORS, DAYS, st.integers(1, 500))
def test_nothing_is_missing_once_a_cycle_ends_after_today(
    cadence: Cadence, anchor: Anchor, today: date, ahead: int
) -> None:
    assert missing_periods(cadence, anchor, today + timedelta(days=ahead), today, limit=200) == []


@given(CADENCES, ANCHORS, DAYS, AGES, st.integers(1, 7))
def test_several_runs_make_the_same_cycles_as_one(
    cadence: Cadence, anchor: Anchor, today: date, age: timedelta, limit: int
) -> None:
    at_once = missing_periods(cadence, anchor, today - age, today, limit=1000)
    made = missing_periods(cadence, anchor, today - age, today, limit=limit)
    while run := missing_periods(cadence, anchor, made[-1].end, today, limit=limit):
        made += run
    assert made == at_once


@given(
    CADENCES, st.builds(Anchor, day_of_month=st.integers(1, 28), month=st.integers(1, 12), reference=DAYS), DAYS, AGES
)
def test_every_cycle_but_one_that_goes_on_from_elsewhere_begins_at_an_anchor(
    cadence: Cadence, anchor: Anchor, today: date, age: timedelta
) -> None:
    (current,) = missing_periods(cadence, anchor, None, today, limit=200)
    assert is_at_anchor(cadence, current.start, anchor)
    assert is_at_anchor(cadence, current.end, anchor)
    assert today in current
    for period in missing_periods(cadence, anchor, today - age, today, limit=200):
        assert is_at_anchor(cadence, period.end, anchor)
        assert not any(
            is_at_anchor(cadence, period.start + timedelta(days=n), anchor)
            for n in range(1, (period.end - period.start).days)
        )


@given(CADENCES, ANCHORS, DAYS)
def test_a_client_without_a_cycle_gets_the_current_one(cadence: Cadence, anchor: Anchor, today: date) -> None:
    (current,) = missing_periods(cadence, anchor, None, today, limit=200)
    assert current.start == current_start(cadence, today, anchor)
    assert today in current


@given(st.sampled_from(sorted(MONTHS)), DAYS, AGES)
def test_rolling_cycles_keep_their_day_where_shorter_months_cut_it(
    cadence: Cadence, origin: date, age: timedelta
) -> None:
    anchor = Anchor(rolling_day=origin.day)
    for number, period in enumerate(missing_periods(cadence, anchor, origin, origin + age, limit=200), start=1):
        months = origin.year * 12 + origin.month - 1 + number * MONTHS[cadence]
        year, month = months // 12, months % 12 + 1
        assert period.end == date(year, month, min(origin.day, monthrange(year, month)[1]))


@pytest.mark.parametrize(
    ("cadence", "anchor", "reached", "today", "bounds"),
    [
        ("monthly", Anchor(rolling_day=31), "2024-01-31", "2024-05-02",
         "2024-01-31 2024-02-29 2024-03-31 2024-04-30 2024-05-31"),
        ("monthly", Anchor(rolling_day=29), "2025-01-29", "2025-03-01", "2025-01-29 2025-02-28 2025-03-29"),
        ("annually", Anchor(rolling_day=29), "2024-02-29", "2028-02-29",
         "2024-02-29 2025-02-28 2026-02-28 2027-02-28 2028-02-29 2029-02-28"),
        ("annually", Anchor(day_of_month=28, month=2), "2023-02-28", "2024-02-28", "2023-02-28 2024-02-28 2025-02-28"),
        ("monthly", Anchor(day_of_month=15), "2025-01-20", "2025-02-15", "2025-01-20 2025-02-15 2025-03-15"),
        ("quarterly", Anchor(day_of_month=1, month=2), "2025-02-01", "2025-08-01",
         "2025-02-01 2025-05-01 2025-08-01 2025-11-01"),
        ("semi-annually", Anchor(), None, "2025-08-17", "2025-07-01 2026-01-01"),
        ("quarterly", Anchor(), None, "2024-03-31", "2024-01-01 2024-04-01"),
        ("annually", Anchor(day_of_month=6, month=4), None, "2025-04-05", "2024-04-06 2025-04-06"),
        ("weekly", Anchor(), None, "2024-02-28", "2024-02-28 2024-03-06"),
        ("bi-weekly", Anchor(reference=date(2026, 1, 5)), None, "2025-12-22", "2025-12-22 2026-01-05"),
        ("bi-weekly", Anchor(reference=date(2026, 1, 5)), None, "2025-12-21", "2025-12-08 2025-12-22"),
    ],
)  # fmt: skip
def test_cycles(cadence: str, anchor: Anchor, reached: str | None, today: str, bounds: str) -> None:
    begin = None if reached is None else date.fromisoformat(reached)
    periods = missing_periods(Cadence(cadence), anchor, begin, date.fromisoformat(today), limit=200)
    expected = [date.fromisoformat(bound) for bound in bounds.split()]
    assert [period.start for period in periods] == expected[:-1]
    assert [period.end for period in periods] == expected[1:]


def test_at_most_so_many_cycles_are_made_at_once() -> None:
    periods = missing_periods(Cadence.WEEKLY, Anchor(), date(2000, 1, 1), date(2025, 1, 1), limit=200)
    assert len(periods) == 200
    assert periods[-1].end == date(2000, 1, 1) + timedelta(weeks=200)
