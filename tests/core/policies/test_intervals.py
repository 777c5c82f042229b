"""Interval texts, true intervals, and telling them from cron patterns (R05, G04)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobcore.errors import InvalidScheduleError, NaiveDatetimeError
from jobcore.policies.cron import CronSchedule
from jobcore.policies.intervals import IntervalSchedule, parse_interval, parse_schedule

instants = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
spans = st.timedeltas(timedelta(seconds=1), timedelta(days=3000))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("24 hours", timedelta(hours=24)),
        ("30 seconds", timedelta(seconds=30)),
        ("every 5 minutes", timedelta(minutes=5)),
        ("Every 1 Hour", timedelta(hours=1)),
        ("every minute", timedelta(minutes=1)),
        ("90s", timedelta(seconds=90)),
        (" 15 min ", timedelta(minutes=15)),
        ("2 weeks", timedelta(weeks=2)),
        ("1d", timedelta(days=1)),
        (timedelta(milliseconds=1500), timedelta(milliseconds=1500)),
    ],
)
def test_intervals_that_are_understood(text: str | timedelta, expected: timedelta) -> None:
    assert parse_interval(text) == expected


@pytest.mark.parametrize(
    ("value", "column", "reason"),
    [
        ("24 hurs", 4, "did you mean hours"),
        ("5 minuts", 3, "did you mean minutes"),
        ("3 months", 3, "a month has no fixed length"),
        ("1.5 h", 2, "smaller unit avoids fractions"),
        ("-5 minutes", 1, "without a sign"),
        ("30", 3, "the unit is missing"),
        ("", 1, "the unit is missing"),
        ("hours", 6, "one number and one unit"),
        ("1 hour 30 minutes", 7, "one number and one unit"),
        ("0 seconds", 1, "shortest interval is 1 second"),
        ("every 400000 weeks", 1, "longest interval is"),
        ("99999999999999 s", 1, "too large"),
        ("x" * 300, 1, "300 characters"),
        ("¼ hour", 1, "one number and one unit"),
        ("٣ hours", 1, "one number and one unit"),
        (30_000, 1, "a text such as"),
        (None, 1, "a text such as"),
        (timedelta(milliseconds=999), 1, "shortest"),
        (timedelta.max, 1, "longest"),
    ],
)
def test_others_are_refused_with_the_column_and_the_reason(value: object, column: int, reason: str) -> None:
    with pytest.raises(InvalidScheduleError) as caught:
        parse_interval(value)
    assert f", column {column}: " in str(caught.value)
    assert reason in str(caught.value)


@given(spans, instants, instants)
def test_the_next_slot_is_the_first_one_later_on_the_grid(every: timedelta, anchor: datetime, now: datetime) -> None:
    slot = IntervalSchedule(every, anchor).next_after(now)
    assert slot > now or slot == anchor
    assert slot >= anchor
    assert (slot - anchor) % every == timedelta()
    assert slot - every <= now or slot == anchor


def test_the_anchor_is_a_slot_and_nothing_fires_before_it() -> None:
    anchor = datetime(2026, 1, 1, tzinfo=UTC)
    schedule = IntervalSchedule(timedelta(hours=7), anchor)
    assert schedule.next_after(anchor - timedelta(days=30)) == anchor
    assert schedule.next_after(anchor) == anchor + timedelta(hours=7)


def test_an_interval_ignores_daylight_saving() -> None:
    zone = timezone(timedelta(hours=-5))
    schedule = IntervalSchedule(timedelta(hours=24), datetime(2026, 3, 7, 2, 30, tzinfo=zone))
    assert schedule.next_after(datetime(2026, 3, 8, 0, tzinfo=UTC)) == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)


def test_slots_missed_for_decades_cost_nothing() -> None:
    schedule = IntervalSchedule(timedelta(seconds=1))
    now = datetime(2026, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)
    assert schedule.next_after(now) == datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC)


def test_naive_times_and_short_intervals_are_refused() -> None:
    with pytest.raises(NaiveDatetimeError):
        IntervalSchedule(timedelta(hours=1), datetime(2026, 1, 1))
    with pytest.raises(NaiveDatetimeError):
        IntervalSchedule(timedelta(hours=1)).next_after(datetime(2026, 1, 1))
    with pytest.raises(InvalidScheduleError, match="shortest"):
        IntervalSchedule(timedelta(0))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 0 * * *", CronSchedule("0 0 * * *", "Europe/Berlin")),
        ("*/30 * * * * *", CronSchedule("*/30 * * * * *", "Europe/Berlin")),
        ("@daily", CronSchedule("@daily", "Europe/Berlin")),
        ("24 hours", IntervalSchedule(timedelta(hours=24))),
        ("every 5 minutes", IntervalSchedule(timedelta(minutes=5))),
    ],
)
def test_cron_and_interval_are_told_apart(text: str, expected: object) -> None:
    assert parse_schedule(text, timezone="Europe/Berlin") == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("24 hurs", "did you mean hours"),
        ("every 1 hour and 30 minutes", "one number and one unit"),
        ("0 25 * * *", "hour, column 3"),
        ("* * *", "it has 3 fields"),
        ("5 2", "it has 2 fields"),
        ("daily", "neither a cron pattern of 5 or 6 fields"),
        ("", "neither"),
        ("30", "neither"),
    ],
)
def test_what_is_neither_is_refused_for_the_likelier_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidScheduleError, match=reason):
        parse_schedule(text)
