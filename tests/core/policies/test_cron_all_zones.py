"""Cron at every change of every zone's clock from 2025 to 2030, against cronsim as an oracle.

Two changes are the same to a pattern if the clock shows the same before them and moves by the same: of the 2,400
changes of 600 zones about 200 remain, and each is tried in one zone that makes it. cronsim follows Debian's rule; where
that is not ours, or cronsim slips, `DIFFERENCES` says where and why, and what we do instead in terms of a pattern on
which both agree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import takewhile
from zoneinfo import ZoneInfo, available_timezones

import pytest
from cronsim import CronSim

from jobcore.policies.cron import CronSchedule
from jobcore.policies.wallclock import first_change, offset_at

SPAN = datetime(2025, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
STRIDE = timedelta(days=7)
"""No zone changes twice within a week: the shortest pause, of Morocco's summer time in Ramadan, lasts five."""
AROUND = timedelta(hours=26)
HALF_HOUR = timedelta(minutes=30)
FIRST = ("America/New_York", "Europe/Dublin", "Australia/Lord_Howe")
"""Zones that stand for others that change like them."""


@dataclass(frozen=True)
class Change:
    zone: str
    instant: datetime
    wall: datetime
    """What the clock would show, had it not been moved."""
    shift: timedelta


@cache
def changes() -> tuple[Change, ...]:
    """Return one change of each kind."""
    found: dict[tuple[datetime, timedelta], Change] = {}
    for name in (*FIRST, *sorted(available_timezones())):
        zone, week = ZoneInfo(name), SPAN[0]
        while week < SPAN[1]:
            before, after = offset_at(zone, week), offset_at(zone, week + STRIDE)
            if before != after:
                instant = first_change(zone, week, week + STRIDE)
                wall = instant.replace(tzinfo=None) + before
                found.setdefault((wall, after - before), Change(name, instant, wall, after - before))
            week += STRIDE
    return tuple(found.values())


def ours(pattern: str, change: Change) -> list[datetime]:
    schedule, fires = CronSchedule(pattern, change.zone), [change.instant - AROUND]
    while fires[-1] < change.instant + AROUND:
        fires.append(schedule.next_after(fires[-1]))
    return fires[1:-1]


@cache
def cronsims(pattern: str, change: Change) -> list[datetime]:
    start = (change.instant - AROUND).astimezone(ZoneInfo(change.zone))
    instants = (fire.astimezone(UTC) for fire in CronSim(pattern, start))
    return list(takewhile(lambda fire: fire < change.instant + AROUND, instants))


AGREED = [
    "30 2 * * *",
    "30 1 * * *",
    "0 0 * * *",
    "30 0 * * *",
    "45 23 * * *",
    "15 2 * * *",
    "0 3 * * *",
    "0 12 * * *",
    "0,30 2,3 * * *",
    "15,45 0,1,2,3,22,23 * * *",
    "0-59 2 * * *",
    "30 2 * * SUN",
    "30 1 * * SUN#1",
    "0 2 * * 0L",
    "0 0 L * *",
    "30 2 1,15 * *",
    "30 0 * * 5",
    "0 * * * *",
    "*/15 * * * *",
    "20 */30 * * * *",
]


@pytest.mark.parametrize("pattern", AGREED)
def test_at_every_change_of_any_clock_cronsim_fires_when_we_do(pattern: str) -> None:
    for change in changes():
        assert ours(pattern, change) == cronsims(pattern, change), change


@pytest.mark.parametrize("pattern", [*AGREED, "15 30 2 * * *", "* 2 * * *", "0 0-23 * * *"])
def test_a_fire_at_a_change_is_found_from_the_moment_before_it(pattern: str) -> None:
    """A schedule that is due is asked so: what falls due after the moment before its next fire?"""
    for change in changes():
        if change.instant in ours(pattern, change):
            schedule = CronSchedule(pattern, change.zone)
            assert schedule.next_after(change.instant - timedelta(microseconds=1)) == change.instant, change
            assert schedule.next_after(change.instant - timedelta(seconds=1)) == change.instant, change


@dataclass(frozen=True)
class Difference:
    """Where cronsim does not do what our rule says."""

    pattern: str
    why: str
    as_cronsim_reads: str
    """A pattern on which both agree, and whose fires are ours as far as `shown` lets them through."""
    shown: Callable[[datetime], bool] = lambda wall: True
    at: Callable[[Change], bool] = lambda change: True
    """At which changes alone the two differ."""


def within_an_hour(change: Change) -> bool:
    """Whether the clock moves by a part of an hour, or in the middle of one."""
    return change.wall.minute != 0 or change.shift % timedelta(hours=1) != timedelta()


PASSED_OVER = "cronsim goes on by whole hours, and passes over a time where the clock moves within one"
MIDNIGHT = "cronsim makes up for a midnight that is skipped, though the pattern follows the clock"
SPELLED_OUT = (
    "a field that does not begin with `*` is no wildcard to Debian; to us it says every hour, or every other one"
)
MINUTES = "a `*` in the minute lets the pattern follow the clock in Debian; to us the hour decides"
SECONDS = "cronsim has no rule for fixed times with seconds: none in a skipped hour, two in a repeated one"

DIFFERENCES = [
    Difference(
        "0 */2 * * *",
        PASSED_OVER,
        "*/15 * * * *",
        lambda wall: wall.minute == 0 and wall.hour % 2 == 0,
        at=within_an_hour,
    ),
    Difference(
        "45 * * * *",
        PASSED_OVER,
        "*/15 * * * *",
        lambda wall: wall.minute == 45,
        at=within_an_hour,
    ),
    Difference(
        "*/15 */2 * * 0",
        f"{MIDNIGHT}; {PASSED_OVER}",
        "*/15 * * * *",
        lambda wall: wall.hour % 2 == 0 and wall.isoweekday() == 7,
        at=lambda change: within_an_hour(change) or (change.shift > timedelta() and change.wall.hour in {23, 0}),
    ),
    Difference("0 0-23 * * *", SPELLED_OUT, "0 * * * *"),
    Difference("30 1-23/2 * * *", SPELLED_OUT, "*/15 * * * *", lambda wall: wall.minute == 30 and wall.hour % 2 == 1),
    Difference("* 2 * * *", MINUTES, "0-59 2 * * *"),
    Difference("*/10 1-2 * * *", MINUTES, "0-59/10 1-2 * * *"),
    Difference("0 30 1 * * *", SECONDS, "30 1 * * *"),
    Difference("0 30 2 * * *", SECONDS, "30 2 * * *"),
    Difference("0 */5 2 * * *", f"{SECONDS}; {MINUTES}", "0-59/5 2 * * *"),
]


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.pattern)
def test_where_cronsim_differs_our_rule_holds_at_every_change(difference: Difference) -> None:
    for change in changes():
        zone = ZoneInfo(change.zone)
        agreed = cronsims(difference.as_cronsim_reads, change)
        expected = [fire for fire in agreed if difference.shown(fire.astimezone(zone))]
        assert ours(difference.pattern, change) == expected, change


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.pattern)
def test_cronsim_differs_where_it_is_said_to_and_nowhere_else(difference: Difference) -> None:
    differing = {
        change for change in changes() if ours(difference.pattern, change) != cronsims(difference.pattern, change)
    }
    assert differing, f"cronsim agrees by now: {difference.why}"
    assert [change for change in differing if not difference.at(change)] == []


def test_the_changes_are_those_of_the_whole_world() -> None:
    kinds = {(change.wall.time().isoformat("minutes"), change.shift) for change in changes()}
    assert len(changes()) > 150
    assert {
        ("02:00", timedelta(hours=1)),  # America/New_York
        ("02:00", -timedelta(hours=1)),
        ("01:00", timedelta(hours=1)),  # Europe/Dublin
        ("02:00", HALF_HOUR),  # Australia/Lord_Howe
        ("02:00", -HALF_HOUR),
        ("00:00", timedelta(hours=1)),  # Africa/Cairo
        ("01:00", timedelta(hours=2)),  # Antarctica/Troll
        ("02:45", timedelta(hours=1)),  # Pacific/Chatham
    } <= kinds
    assert {change.zone for change in changes()} >= set(FIRST)
