"""The fires to come, for people to check: what the local clock shows then, and what daylight saving does to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from itertools import islice

from jobcore.errors import InputError
from jobcore.policies.cron import CronSchedule
from jobcore.policies.cronfields import parse_cron
from jobcore.policies.cronmatch import first_match
from jobcore.policies.intervals import IntervalSchedule
from jobcore.policies.wallclock import aware, exists, first_change, occurs_twice, offset_at, wall_of, zone_named

MAX_PREVIEWS = 1_000


@dataclass(frozen=True, slots=True)
class Preview:
    """A fire to come: the instant in UTC, what the local clock shows then, and what daylight saving did to it."""

    fire: datetime
    local: datetime
    note: str = ""


def previews(times: CronSchedule | IntervalSchedule, start: datetime, count: int) -> list[Preview]:
    """Return the `count` fires after `start`.

    Raises:
        InputError: if `count` is not from 0 to 1,000, or `start` has no time zone.
        InvalidScheduleError: if it does not fire so often.
    """
    if not 0 <= count <= MAX_PREVIEWS:
        raise InputError(f"count must be from 0 to {MAX_PREVIEWS}, not {count!r}.")
    fires = _of_cron(times, aware(start)) if isinstance(times, CronSchedule) else _of_interval(times, aware(start))
    return list(islice(fires, count))


def _of_interval(times: IntervalSchedule, instant: datetime) -> Iterator[Preview]:
    while True:
        instant = times.next_after(instant)
        yield Preview(instant, instant.astimezone(UTC))


def _of_cron(times: CronSchedule, start: datetime) -> Iterator[Preview]:
    zone, before = zone_named(times.timezone), start
    for fire, wall in times.fires(start):
        note = _note(times, zone, fire, wall) or _note_of_missing(times, zone, before, fire)
        yield Preview(fire, fire.astimezone(zone), note)
        before = fire


def _note(times: CronSchedule, zone: tzinfo, fire: datetime, wall: datetime) -> str:
    """Return what becomes of a wall time that its day skips or shows twice."""
    if not exists(zone, wall):
        shown = wall_of(zone, fire)
        return f"{_brief(wall)} does not exist on this day: fires at {_brief(shown, wall)}"
    if not occurs_twice(zone, wall):
        return ""
    if parse_cron(times.pattern).follows_clock:
        return f"{_brief(wall)} occurs twice: fires both times"
    return f"{_brief(wall)} occurs twice: fires once, the first time"


def _note_of_missing(times: CronSchedule, zone: tzinfo, before: datetime, fire: datetime) -> str:
    """Return where the clock was put forward over times at which a pattern that follows it would have fired."""
    fields = parse_cron(times.pattern)
    if not fields.follows_clock:
        return ""
    if offset_at(zone, fire) <= (offset := offset_at(zone, before)):
        return ""
    change = first_change(zone, before, fire)
    begin, end = change.replace(tzinfo=None) + offset, wall_of(zone, change)
    if first_match(fields, begin) >= end:
        return ""
    return f"{_brief(begin)} to {_brief(end)} does not exist on this day: no fire in it"


def _brief(wall: datetime, beside: datetime | None = None) -> str:
    """Return the time of day; with its date if that is another one than that of the time beside."""
    time = f"{wall:%H:%M:%S}" if wall.second else f"{wall:%H:%M}"
    return time if beside is None or wall.date() == beside.date() else f"{time} on {wall:%Y-%m-%d}"
