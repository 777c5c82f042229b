"""Cron patterns: what they mean, and how a wrong one is refused."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from jobcore.errors import InvalidScheduleError, NaiveDatetimeError
from jobcore.policies.cron import CronSchedule
from jobcore.policies.cronfields import parse_cron
from jobcore.policies.previews import previews

START = datetime(2026, 1, 1, tzinfo=UTC)


def first(pattern: str, count: int = 3, start: datetime = START) -> list[str]:
    return [f"{preview.fire:%F %T}" for preview in previews(CronSchedule(pattern), start, count)]


def field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    spans = st.tuples(number, number).map(sorted).filter(lambda pair: pair[0] < pair[1])
    single = st.one_of(
        number.map(str),
        spans.map(lambda pair: f"{pair[0]}-{pair[1]}"),
        st.tuples(spans, st.integers(1, 5)).map(lambda both: f"{both[0][0]}-{both[0][1]}/{both[1]}"),
    )
    return st.one_of(
        st.just("*"),
        st.integers(1, 5).map(lambda step: f"*/{step}"),
        st.lists(single, min_size=1, max_size=3).map(",".join),
    )


days = (
    st.tuples(field(1, 28), st.just("*"))
    | st.tuples(st.just("*"), field(0, 6))
    | st.tuples(st.just("1,15"), field(1, 5))
    | st.tuples(st.sampled_from(["L", "15,L"]), st.just("*"))
    | st.tuples(st.just("*"), st.sampled_from(["5#2", "1#5", "0L", "1#1,3#3"]))
)


@settings(max_examples=150, deadline=None)
@given(field(0, 59), field(0, 23), days, field(1, 12), st.datetimes(datetime(2020, 1, 1), datetime(2060, 1, 1)))
def test_in_utc_any_pattern_fires_when_cronsim_says(
    minute: str, hour: str, day: tuple[str, str], month: str, start: datetime
) -> None:
    dom, dow = day
    if dow.startswith("*/"):
        dow = "*"  # Debian combines this with the day of the month by "and", we by "or"
    pattern = f"{minute} {hour} {dom} {month} {dow}"
    start = start.replace(tzinfo=UTC)
    schedule, instant = CronSchedule(pattern), start
    for expected in islice(CronSim(pattern, start), 5):
        instant = schedule.next_after(instant)
        assert instant == expected


@settings(max_examples=60, deadline=None)
@given(field(0, 59), field(0, 59), st.datetimes(datetime(2020, 1, 1), datetime(2060, 1, 1)))
def test_six_fields_put_the_seconds_first(second: str, minute: str, start: datetime) -> None:
    start = start.replace(tzinfo=UTC)
    pattern = f"{second} {minute} * * * *"
    assert CronSchedule(pattern).next_after(start) == next(CronSim(pattern, start))


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*/15 * * * *", ["2026-01-01 00:15:00", "2026-01-01 00:30:00", "2026-01-01 00:45:00"]),
        ("0 3 * * *", ["2026-01-01 03:00:00", "2026-01-02 03:00:00", "2026-01-03 03:00:00"]),
        ("0 0 * * 0", ["2026-01-04 00:00:00", "2026-01-11 00:00:00", "2026-01-18 00:00:00"]),
        ("0 0 * * 7", ["2026-01-04 00:00:00", "2026-01-11 00:00:00", "2026-01-18 00:00:00"]),
        ("0 0 * * fri-MON", ["2026-01-02 00:00:00", "2026-01-03 00:00:00", "2026-01-04 00:00:00"]),
        ("0 0 * * SAT-SUN", ["2026-01-03 00:00:00", "2026-01-04 00:00:00", "2026-01-10 00:00:00"]),
        ("0 0 * * 5-7", ["2026-01-02 00:00:00", "2026-01-03 00:00:00", "2026-01-04 00:00:00"]),
        ("0 0 L * *", ["2026-01-31 00:00:00", "2026-02-28 00:00:00", "2026-03-31 00:00:00"]),
        ("0 0 15,L * ?", ["2026-01-15 00:00:00", "2026-01-31 00:00:00", "2026-02-15 00:00:00"]),
        ("0 0 * * 5#2", ["2026-01-09 00:00:00", "2026-02-13 00:00:00", "2026-03-13 00:00:00"]),
        ("0 0 * * 5L", ["2026-01-30 00:00:00", "2026-02-27 00:00:00", "2026-03-27 00:00:00"]),
        ("0 0 ? * MON#1,WED#3", ["2026-01-05 00:00:00", "2026-01-21 00:00:00", "2026-02-02 00:00:00"]),
        ("0 0 13 * 5", ["2026-01-02 00:00:00", "2026-01-09 00:00:00", "2026-01-13 00:00:00"]),
        ("0 0 */1 * 1", ["2026-01-05 00:00:00", "2026-01-12 00:00:00", "2026-01-19 00:00:00"]),
        ("0 0 29 2 *", ["2028-02-29 00:00:00", "2032-02-29 00:00:00", "2036-02-29 00:00:00"]),
        ("0 0 1 JAN,jul *", ["2026-07-01 00:00:00", "2027-01-01 00:00:00", "2027-07-01 00:00:00"]),
        ("59/15 1-1 * * *", ["2026-01-01 01:59:00", "2026-01-02 01:59:00", "2026-01-03 01:59:00"]),
        ("30 0 0 1 1 *", ["2026-01-01 00:00:30", "2027-01-01 00:00:30", "2028-01-01 00:00:30"]),
        ("@hourly", ["2026-01-01 01:00:00", "2026-01-01 02:00:00", "2026-01-01 03:00:00"]),
        ("@Weekly", ["2026-01-04 00:00:00", "2026-01-11 00:00:00", "2026-01-18 00:00:00"]),
        ("  0   0 1 * * ", ["2026-02-01 00:00:00", "2026-03-01 00:00:00", "2026-04-01 00:00:00"]),
    ],
)
def test_what_patterns_mean(pattern: str, expected: list[str]) -> None:
    assert first(pattern) == expected


def test_a_weekday_that_has_a_rare_date_is_found() -> None:
    assert first("0 0 * 2 MON#5", 2) == ["2044-02-29 00:00:00", "2072-02-29 00:00:00"]


def test_the_end_of_the_calendar_is_told() -> None:
    with pytest.raises(InvalidScheduleError, match=r"'0 0 29 2 \*' does not fire again after 9999-01-01"):
        CronSchedule("0 0 29 2 *").next_after(datetime(9998, 12, 31, 23, 59, 59, tzinfo=UTC))


def test_a_fire_is_strictly_later_than_the_instant_and_in_utc() -> None:
    schedule = CronSchedule("0 12 * * *", "Europe/Berlin")
    noon = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=1)))
    assert schedule.next_after(noon) == datetime(2026, 1, 2, 11, tzinfo=UTC)
    assert schedule.next_after(noon - timedelta(microseconds=1)) == datetime(2026, 1, 1, 11, tzinfo=UTC)
    assert schedule.next_after(noon).tzinfo is UTC


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(NaiveDatetimeError, match="no time zone"):
        CronSchedule("0 0 * * *").next_after(datetime(2026, 1, 1))


@pytest.mark.parametrize(
    ("pattern", "named", "column", "reason"),
    [
        ("0 24 * * *", "hour", 3, "24 is not from 0 to 23"),
        ("0 1,x * * *", "hour", 5, "'X' is not a number"),
        ("61 * * * * *", "second", 1, "61 is not from 0 to 59"),
        ("0 0 0 * *", "day of the month", 5, "0 is not from 1 to 31"),
        ("0 0 * 13 *", "month", 7, "13 is not from 1 to 12"),
        ("0 0 * JAM *", "month", 7, "nor a name like JAN"),
        ("0 0 * * MOM", "weekday", 9, "nor a name like MON"),
        ("0 0 * * 5#6", "weekday", 11, "'6' is not a week from 1 to 5"),
        ("0 0 * * 1,5#2", "weekday", 9, "cannot be listed together"),
        ("0 0 13 * 5#2", "weekday", 10, "cannot be combined with a day of the month"),
        ("0 22-2 * * *", "hour", 3, "runs backwards; write 22-23,0-2"),
        ("*/0 * * * *", "minute", 3, "the step '0'"),
        ("*/90 * * * *", "minute", 3, "'90 minutes'"),
        ("*/ * * * *", "minute", 3, "the step ''"),
        ("1,,2 * * * *", "minute", 3, "empty item"),
        ("1-2-3 * * * *", "minute", 3, "'2-3' is not a number"),
        ("-1 * * * *", "minute", 1, "'' is not a number"),
        ("? * * * *", "minute", 1, "is not a number"),
        ("R * * * *", "minute", 1, "is not a number"),
        ("0 0 15W * *", "day of the month", 5, "is not a number"),
        ("99999999999999999999 * * * *", "minute", 1, "is not from 0 to 59"),
        ("0 0 30 2 *", "day of the month", 5, "never fires: day 30"),
        ("0 0 31 4,6,9,11 ?", "day of the month", 5, "never fires: day 31"),
    ],
)
def test_a_wrong_field_is_named_with_its_column_and_the_reason(
    pattern: str, named: str, column: int, reason: str
) -> None:
    with pytest.raises(InvalidScheduleError) as caught:
        CronSchedule(pattern)
    assert f", {named}, column {column}: " in str(caught.value)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "column", "reason"),
    [
        ("", 1, "it has 0 fields; write 5"),
        ("* * *", 6, "it has 3 fields"),
        ("* * * * * * *", 13, "it has 7 fields"),
        ("@reboot", 1, "not known"),
        ("@dayly", 1, "Did you mean @daily"),
        ("0 0 * * ſun", 9, "only ASCII"),
        ("0\u00a00 * * * *", 2, "only ASCII"),
        ("* " * 200, 257, "has 400 characters"),
    ],
)
def test_a_pattern_that_is_wrong_as_a_whole_is_refused_with_the_column(pattern: str, column: int, reason: str) -> None:
    with pytest.raises(InvalidScheduleError) as caught:
        CronSchedule(pattern)
    assert f", column {column}: " in str(caught.value)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("zone", "hint"),
    [
        ("Europe/Berln", "Europe/Berlin"),
        ("europe/berlin_", "Europe/Berlin"),
        ("../../etc/passwd", "There is no time zone"),
        ("America", "There is no time zone"),
        ("", "IANA"),
        ("\x00", "There is no time zone"),
        ("x" * 100_000, "There is no time zone"),
    ],
)
def test_an_unknown_zone_is_refused_with_near_names(zone: str, hint: str) -> None:
    with pytest.raises(InvalidScheduleError, match=hint):
        CronSchedule("0 0 * * *", zone)


def test_patterns_that_never_fire_and_hostile_ones_are_answered_at_once() -> None:
    hostile = ["0 0 30 2 *", "0 0 31 2,4,6,9,11 *", "*" * 100_000, ",".join(["1"] * 100_000), "1-" * 100, "9" * 250]
    began = time.perf_counter()
    for pattern in hostile:
        with pytest.raises(InvalidScheduleError):
            CronSchedule(pattern)
    for pattern in ["0 0 * 2 1#5", "59 59 23 29 2 *", "0 0 29 2 *"]:
        previews(CronSchedule(pattern, "America/New_York"), START, 3)
    assert time.perf_counter() - began < 2


@given(st.text(max_size=40) | st.text("0123456789*/,-#L? JANMON", max_size=40))
def test_any_text_is_either_a_pattern_or_an_invalid_schedule(text: str) -> None:
    try:
        fields = parse_cron(text)
    except InvalidScheduleError:
        return
    assert fields.pattern == text
    assert CronSchedule(text).next_after(START) > START
