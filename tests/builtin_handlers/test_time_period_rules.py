"""Where periods for recording time begin and end: without gaps and overlaps, whatever the rules and the month."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobcore_handlers.time_periods.rules import TimePeriodSetting, next_periods

DAYS = st.dates(date(2000, 1, 1), date(2060, 1, 1))
LAST_DAY = {"day": 0, "week": 7, "month": 31, "year": 366}
LONGEST = {"day": 1, "week": 7, "month": 31, "year": 366}
AHEAD = timedelta(days=5)
EVER = date(1990, 1, 1)


@st.composite
def settings(draw: st.DrawFn) -> TimePeriodSetting:
    unit = draw(st.sampled_from(sorted(LAST_DAY)))
    return TimePeriodSetting(
        frequency=draw(st.integers(1, 4)),
        frequency_unit=unit,
        start_day=draw(st.integers(1, max(1, LAST_DAY[unit]))),
        end_day=draw(st.integers(0, LAST_DAY[unit])),
        effective_from=EVER,
    )


RULES = st.lists(settings(), min_size=1, max_size=3)


@given(RULES, DAYS, st.integers(0, 900), st.integers(1, 52))
def test_periods_adjoin_from_where_the_last_one_ended_until_one_begins_beyond_what_is_needed(
    rules: list[TimePeriodSetting], today: date, age: int, limit: int
) -> None:
    reached = today - timedelta(days=age)
    periods = next_periods(rules, reached, today, ahead=AHEAD, limit=limit)
    assert periods[0].start == reached
    assert all(left.end == right.start for left, right in pairwise(periods))
    assert all(period.start <= today + AHEAD for period in periods)
    assert len(periods) == limit or (len(periods) < limit and periods[-1].end > today + AHEAD)


@given(RULES, DAYS, st.integers(0, 900), st.integers(1, 5))
def test_several_runs_make_the_same_periods_as_one(
    rules: list[TimePeriodSetting], today: date, age: int, limit: int
) -> None:
    reached = today - timedelta(days=age)
    at_once = next_periods(rules, reached, today, ahead=AHEAD, limit=2000)
    made = next_periods(rules, reached, today, ahead=AHEAD, limit=limit)
    while run := next_periods(rules, made[-1].end, today, ahead=AHEAD, limit=limit):
        made += run
    assert made == at_once


@given(RULES, DAYS)
def test_the_first_periods_hold_today(rules: list[TimePeriodSetting], today: date) -> None:
    periods = next_periods(rules, None, today, ahead=AHEAD, limit=1000)
    assert sum(today in period for period in periods) == 1


@given(settings(), DAYS)
def test_no_period_is_longer_than_its_rule_says_and_the_next_one_is_full(rule: TimePeriodSetting, start: date) -> None:
    end = rule.end_after(start)
    assert timedelta() < end - start <= timedelta(days=rule.frequency * LONGEST[rule.frequency_unit])
    last_day = end - timedelta(days=1)
    match rule.frequency_unit:
        case "day":
            assert end - start == timedelta(days=rule.frequency)
        case "week":
            assert last_day.isoweekday() == (rule.end_day or 7)
            assert rule.end_after(end) - end == timedelta(weeks=rule.frequency)
        case "month":
            assert last_day.day == rule.end_day or (end.day == 1 and last_day.day < (rule.end_day or 32))
        case _:
            number = last_day.timetuple().tm_yday
            assert number == rule.end_day or (end.timetuple().tm_yday == 1 and number < (rule.end_day or 367))


@pytest.mark.parametrize(
    ("rules", "reached", "today", "bounds"),
    [
        ([("month", 1, 1, 0)], None, "2024-02-10", "2024-02-01 2024-03-01"),
        ([("month", 1, 1, 0)], "2024-02-01", "2024-02-25", "2024-02-01 2024-03-01 2024-04-01"),
        ([("month", 1, 1, 0)], "2023-02-15", "2023-02-28", "2023-02-15 2023-03-01 2023-04-01"),
        ([("month", 1, 1, 15), ("month", 1, 16, 0)], None, "2025-02-20", "2025-02-16 2025-03-01"),
        ([("month", 1, 1, 15), ("month", 1, 16, 0)], "2025-01-16", "2025-02-26",
         "2025-01-16 2025-02-01 2025-02-16 2025-03-01 2025-03-16"),
        ([("month", 1, 31, 30)], None, "2025-02-27", "2025-01-31 2025-03-01 2025-03-31"),
        ([("month", 2, 1, 0)], "2024-01-01", "2024-02-28", "2024-01-01 2024-03-01 2024-05-01"),
        ([("week", 1, 1, 0)], None, "2025-11-05", "2025-11-03 2025-11-10 2025-11-17"),
        ([("week", 2, 7, 6)], "2025-11-02", "2025-11-05", "2025-11-02 2025-11-16"),
        ([("day", 10, 1, 0)], "2024-02-20", "2024-02-25", "2024-02-20 2024-03-01 2024-03-11"),
        ([("year", 1, 1, 0)], None, "2024-12-28", "2024-01-01 2025-01-01 2026-01-01"),
        ([("year", 1, 60, 59)], None, "2024-03-01", "2024-02-29 2025-03-01"),
    ],
)  # fmt: skip
def test_periods(rules: list[tuple[str, int, int, int]], reached: str | None, today: str, bounds: str) -> None:
    given_rules = [
        TimePeriodSetting(frequency_unit=unit, frequency=every, start_day=start, end_day=end, effective_from=EVER)
        for unit, every, start, end in rules
    ]
    begin = None if reached is None else date.fromisoformat(reached)
    periods = next_periods(given_rules, begin, date.fromisoformat(today), ahead=AHEAD, limit=52)
    expected = [date.fromisoformat(bound) for bound in bounds.split()]
    assert [period.start for period in periods] == expected[:-1]
    assert [period.end for period in periods] == expected[1:]


def test_rules_take_turns_on_the_day_from_which_they_are_in_force() -> None:
    turn = date(2025, 3, 1)
    monthly = TimePeriodSetting(frequency_unit="month", frequency=1, effective_from=EVER, effective_to=turn)
    weekly = TimePeriodSetting(frequency_unit="week", frequency=1, effective_from=turn)
    periods = next_periods([monthly, weekly], date(2025, 2, 1), date(2025, 3, 5), ahead=AHEAD, limit=52)
    assert [str(period.end) for period in periods] == ["2025-03-01", "2025-03-03", "2025-03-10", "2025-03-17"]
    assert next_periods([monthly], date(2025, 2, 1), date(2025, 3, 5), ahead=AHEAD, limit=52) == []


def test_days_before_any_rule_was_in_force_follow_those_of_today() -> None:
    rule = TimePeriodSetting(frequency_unit="month", frequency=1, effective_from=date(2025, 3, 10))
    periods = next_periods([rule], date(2025, 1, 15), date(2025, 3, 12), ahead=AHEAD, limit=52)
    assert [str(period.start) for period in periods] == ["2025-01-15", "2025-02-01", "2025-03-01"]
    (first,) = next_periods([rule], None, date(2025, 3, 12), ahead=AHEAD, limit=52)
    assert (first.start, first.end) == (date(2025, 3, 10), date(2025, 4, 1))
