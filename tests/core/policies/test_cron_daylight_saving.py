"""Cron and daylight saving: our rule against an enumeration of every minute, and against cronsim (Debian's rule)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from jobcore.policies.cron import CronSchedule
from jobcore.policies.cronfields import parse_cron

MINUTE = timedelta(minutes=1)

CHANGES = [
    ("America/New_York", datetime(2026, 3, 8, 7, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC)),
    ("Europe/Dublin", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ("Europe/Dublin", datetime(2026, 10, 25, 1, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),
    ("Antarctica/Troll", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ("Antarctica/Troll", datetime(2026, 10, 25, 1, tzinfo=UTC)),
    ("Africa/Casablanca", datetime(2026, 2, 15, 2, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC)),
    ("America/Havana", datetime(2026, 3, 8, 5, tzinfo=UTC)),
    ("UTC", datetime(2026, 3, 8, 7, tzinfo=UTC)),
]

FIXED = [
    "30 2 * * *",
    "30 1 * * *",
    "0 0 * * *",
    "15,45 1,2,3 * * *",
    "59 23 * * 6,0",
    "0-59 2 * * *",
    "*/10 1-2 * * *",
    "* 2 * * *",
    "0 2,3 * * *",
]
FOLLOWING = ["0 * * * *", "*/15 * * * *", "45 * * * *", "10 */2 * * *", "30 1-23/2 * * *", "0 0-23 * * *"]


def fires(pattern: str, zone: str, start: datetime, end: datetime) -> list[datetime]:
    schedule, found, instant = CronSchedule(pattern, zone), [], start
    while (instant := schedule.next_after(instant)) < end:
        found.append(instant)
    return found


def rule(pattern: str, zone_name: str, start: datetime, end: datetime) -> list[datetime]:
    """The documented rule, spelled out minute by minute; which walls match comes from cronsim without a zone."""
    zone = ZoneInfo(zone_name)
    minutes = [start - timedelta(days=2) + index * MINUTE for index in range(int((end - start) / MINUTE) + 2 * 2880)]
    walls = [minute.astimezone(zone).replace(tzinfo=None, fold=0) for minute in minutes]
    last = max(walls)
    matching = list(takewhile(lambda wall: wall <= last, CronSim(pattern, walls[0])))
    if parse_cron(pattern).follows_clock:
        wanted = set(matching)
        found = {minute for minute, wall in zip(minutes, walls, strict=True) if wall in wanted}
    else:
        first: dict[datetime, datetime] = {}
        for minute, wall in zip(minutes, walls, strict=True):
            first.setdefault(wall, minute)
        found = {
            first.get(wall) or next(minute for minute, shown in zip(minutes, walls, strict=True) if shown > wall)
            for wall in matching
        }
    return sorted(minute for minute in found if start < minute < end)


@pytest.mark.parametrize("pattern", FIXED + FOLLOWING)
@pytest.mark.parametrize(
    ("zone", "change"), CHANGES, ids=lambda value: value if isinstance(value, str) else f"{value:%F}"
)
def test_fires_around_a_change_are_those_of_the_documented_rule(pattern: str, zone: str, change: datetime) -> None:
    start, end = change - timedelta(hours=30), change + timedelta(hours=30)
    assert fires(pattern, zone, start, end) == rule(pattern, zone, start, end)


@pytest.mark.parametrize("pattern", ["30 2 * * *", "0 3 * * *", "15,45 1,2,3 * * *", "0 * * * *", "*/15 * * * *"])
@pytest.mark.parametrize(
    ("zone", "change"), CHANGES, ids=lambda value: value if isinstance(value, str) else f"{value:%F}"
)
def test_where_debians_rule_and_ours_agree_cronsim_gives_the_same(pattern: str, zone: str, change: datetime) -> None:
    start, end = change - timedelta(days=3), change + timedelta(days=3)
    debian = (found.astimezone(UTC) for found in islice(CronSim(pattern, start.astimezone(ZoneInfo(zone))), 1000))
    assert fires(pattern, zone, start, end) == sorted({found for found in debian if found < end})


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(CHANGES),
    st.sampled_from(FIXED + FOLLOWING),
    st.integers(-200_000, 200_000),
)
def test_from_any_instant_near_a_change_the_next_fire_is_the_first_that_the_rule_gives(
    where: tuple[str, datetime], pattern: str, seconds: int
) -> None:
    zone, change = where
    start = change + timedelta(seconds=seconds)
    found = CronSchedule(pattern, zone).next_after(start)
    expected = rule(pattern, zone, start.replace(second=0), start.replace(second=0) + timedelta(days=7))
    assert found == next(fire for fire in expected if fire > start)


def local(pattern: str, zone: str, start: datetime, hours: int) -> list[str]:
    found = fires(pattern, zone, start, start + timedelta(hours=hours))
    return [f"{fire.astimezone(ZoneInfo(zone)):%d %H:%M%z}" for fire in found]


NEW_YORK_SPRING = datetime(2026, 3, 8, 5, 30, tzinfo=UTC)
NEW_YORK_AUTUMN = datetime(2026, 11, 1, 4, 30, tzinfo=UTC)


def test_a_time_that_new_york_skips_runs_once_when_the_clock_is_put_forward() -> None:
    assert local("30 2 * * *", "America/New_York", NEW_YORK_SPRING, 30) == ["08 03:00-0400", "09 02:30-0400"]


def test_a_time_that_new_york_shows_twice_runs_the_first_time_only() -> None:
    assert local("30 1 * * *", "America/New_York", NEW_YORK_AUTUMN, 30) == ["01 01:30-0400", "02 01:30-0500"]


def test_hours_that_follow_the_clock_skip_the_missing_one_and_repeat_the_doubled_one() -> None:
    assert local("0 * * * *", "America/New_York", NEW_YORK_SPRING, 4) == [
        "08 01:00-0500", "08 03:00-0400", "08 04:00-0400", "08 05:00-0400"
    ]  # fmt: skip
    assert local("0 * * * *", "America/New_York", NEW_YORK_AUTUMN, 4) == [
        "01 01:00-0400", "01 01:00-0500", "01 02:00-0500", "01 03:00-0500"
    ]  # fmt: skip


def test_several_skipped_times_and_the_one_that_stands_there_anyway_run_once_together() -> None:
    assert local("0,30 2,3 * * *", "America/New_York", NEW_YORK_SPRING, 4) == ["08 03:00-0400", "08 03:30-0400"]


def test_every_minute_of_a_fixed_hour_is_fixed_too_unlike_debian() -> None:
    """Debian lets a `*` in the minute field follow the clock: no run in a skipped hour, 120 in a repeated one."""
    assert local("* 2 * * *", "America/New_York", NEW_YORK_SPRING, 4) == ["08 03:00-0400"]
    assert len(local("* 1 * * *", "America/New_York", NEW_YORK_AUTUMN, 4)) == 60
    debian = islice(CronSim("* 1 * * *", NEW_YORK_AUTUMN.astimezone(ZoneInfo("America/New_York"))), 120)
    assert len({found.astimezone(UTC) for found in debian if found.day == 1}) == 120


def test_a_stepped_range_of_hours_follows_the_clock_unlike_debian() -> None:
    """Debian calls only a field that begins with `*` a wildcard."""
    assert local("30 1-23/2 * * *", "America/New_York", NEW_YORK_AUTUMN, 3) == ["01 01:30-0400", "01 01:30-0500"]


def test_six_fields_obey_the_same_rule_as_five_unlike_cronsim() -> None:
    assert local("15 30 2 * * *", "America/New_York", NEW_YORK_SPRING, 4) == ["08 03:00-0400"]
    seconds = fires("*/20 59 1 * * *", "America/New_York", NEW_YORK_AUTUMN, NEW_YORK_AUTUMN + timedelta(hours=4))
    assert [f"{fire:%H:%M:%S}" for fire in seconds] == ["05:59:00", "05:59:20", "05:59:40"]


def test_the_half_hour_change_of_lord_howe() -> None:
    spring, autumn = datetime(2026, 10, 3, 14, tzinfo=UTC), datetime(2026, 4, 4, 13, tzinfo=UTC)
    assert local("15 2 * * *", "Australia/Lord_Howe", spring, 30) == ["04 02:30+1100", "05 02:15+1100"]
    assert local("45 1 * * *", "Australia/Lord_Howe", autumn, 30) == ["05 01:45+1100", "06 01:45+1030"]
    assert local("45 * * * *", "Australia/Lord_Howe", autumn, 3) == [
        "05 00:45+1100", "05 01:45+1100", "05 01:45+1030"
    ]  # fmt: skip


def test_the_day_that_apia_skipped_runs_once_at_the_midnight_after_it() -> None:
    start = datetime(2011, 12, 29, 11, tzinfo=UTC)
    assert local("0 12 * * *", "Pacific/Apia", start, 48) == ["29 12:00-1000", "31 00:00+1400", "31 12:00+1400"]
    assert local("0 */12 * * *", "Pacific/Apia", start, 46) == ["29 12:00-1000", "31 00:00+1400", "31 12:00+1400"]
