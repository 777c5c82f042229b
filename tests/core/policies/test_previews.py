"""Previews tell people when a schedule fires, and what daylight saving does to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from jobcore.errors import InputError, NaiveDatetimeError
from jobcore.policies.cron import CronSchedule
from jobcore.policies.intervals import IntervalSchedule
from jobcore.policies.previews import previews

NEW_YORK_SPRING = datetime(2026, 3, 8, 5, 30, tzinfo=UTC)
NEW_YORK_AUTUMN = datetime(2026, 11, 1, 4, 30, tzinfo=UTC)
START = datetime(2026, 1, 1, tzinfo=UTC)


def notes(pattern: str, start: datetime, count: int, zone: str = "America/New_York") -> list[str]:
    return [preview.note for preview in previews(CronSchedule(pattern, zone), start, count)]


def test_a_time_that_does_not_exist_is_told_with_the_time_at_which_it_fires() -> None:
    assert notes("30 2 * * *", NEW_YORK_SPRING, 2) == ["02:30 does not exist on this day: fires at 03:00", ""]
    assert notes("15 30 2 * * *", NEW_YORK_SPRING, 1) == ["02:30:15 does not exist on this day: fires at 03:00"]
    [preview] = previews(CronSchedule("30 2 * * *", "America/New_York"), NEW_YORK_SPRING, 1)
    assert preview.fire == datetime(2026, 3, 8, 7, tzinfo=UTC)
    assert f"{preview.local:%H:%M %Z}" == "03:00 EDT"


def test_a_time_on_a_day_that_does_not_exist_is_told_with_the_day_on_which_it_fires() -> None:
    skipped = datetime(2011, 12, 30, tzinfo=UTC)
    assert notes("0 12 * * *", skipped, 1, "Pacific/Apia") == [
        "12:00 does not exist on this day: fires at 00:00 on 2011-12-31"
    ]


def test_a_time_that_occurs_twice_is_told_with_how_often_it_fires() -> None:
    assert notes("30 1 * * *", NEW_YORK_AUTUMN, 2) == ["01:30 occurs twice: fires once, the first time", ""]
    twice = "01:30 occurs twice: fires both times"
    assert notes("30 */1 * * *", NEW_YORK_AUTUMN, 3) == [twice, twice, ""]


def test_a_pattern_that_follows_the_clock_tells_which_times_were_left_out() -> None:
    left_out = "02:00 to 03:00 does not exist on this day: no fire in it"
    assert notes("*/30 * * * *", NEW_YORK_SPRING, 5) == ["", "", left_out, "", ""]
    assert notes("0 */3 * * *", NEW_YORK_SPRING, 3) == ["", "", ""]
    half = datetime(2026, 10, 3, 14, 10, tzinfo=UTC)
    assert notes("15 * * * *", half, 3, "Australia/Lord_Howe") == [
        "", "02:00 to 02:30 does not exist on this day: no fire in it", ""
    ]  # fmt: skip


def test_an_interval_is_previewed_on_its_grid_in_utc() -> None:
    times = IntervalSchedule(timedelta(minutes=90), START)
    found = previews(times, START + timedelta(minutes=91), 2)
    assert [preview.fire for preview in found] == [START + timedelta(hours=3), START + timedelta(minutes=270)]
    assert {(preview.local.tzinfo, preview.note) for preview in found} == {(UTC, "")}


def test_the_number_of_previews_is_bounded() -> None:
    with pytest.raises(InputError, match="1000"):
        previews(CronSchedule("* * * * *"), START, 1001)
    assert previews(CronSchedule("* * * * *"), START, 0) == []


def test_a_start_without_a_time_zone_is_refused() -> None:
    with pytest.raises(NaiveDatetimeError, match="no time zone"):
        previews(CronSchedule("* * * * *"), datetime(2026, 1, 1), 1)
