"""Cron schedules, with one rule for daylight saving on every runner (DESIGN section 7).

A pattern with fixed hours (`30 2 * * *`) names wall times: one that a day skips fires once, at the instant of the
change (with others that it skips, and with the one that stands there anyway); one that occurs twice fires the first
time. A pattern with `*` or a step in the hour field (`*/15 * * * *`, `0 */2 * * *`) follows the clock: it fires
whenever the clock shows a matching time, so twice in an hour that is repeated and not at all in one that is skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from jobcore.policies.cronfields import CronFields, parse_cron
from jobcore.policies.cronmatch import first_match
from jobcore.policies.wallclock import (
    SECOND,
    aware,
    first_change,
    instant_of,
    offset_at,
    wall_of,
    zone_named,
)

_STRIDE = timedelta(days=2)
"""More than any zone's clock was ever put back or forward at once."""


@dataclass(frozen=True, slots=True)
class CronSchedule:
    """A cron pattern of 5 or 6 fields (seconds first), read in a time zone.

    Raises:
        InvalidScheduleError: if the pattern does not parse or never fires (field, column, reason), or the zone is not
            known (near names).
    """

    pattern: str
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        parse_cron(self.pattern)
        zone_named(self.timezone)

    def next_after(self, instant: datetime) -> datetime:
        """Return the first fire later than `instant`, in UTC. Raises `NaiveDatetimeError` if it has no time zone."""
        return self._next(aware(instant))[0]

    def fires(self, instant: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield the fires after `instant`, in UTC, each with the wall time that it stands for."""
        while True:
            instant, wall = self._next(instant)
            yield instant, wall

    def _next(self, instant: datetime) -> tuple[datetime, datetime]:
        """Return the next fire and the wall time that it stands for."""
        fields = parse_cron(self.pattern)
        zone = zone_named(self.timezone)
        begin = instant.replace(microsecond=0) + SECOND
        return _next_on_the_clock(fields, zone, begin) if fields.follows_clock else _next_fixed(fields, zone, begin)


def _next_fixed(fields: CronFields, zone: tzinfo, begin: datetime) -> tuple[datetime, datetime]:
    """Return the first fire at or after `begin` of a pattern that names wall times.

    If the clock is put forward at `begin`, the wall times that it skips stand for that instant too.
    """
    wall = wall_of(zone, begin - SECOND) + SECOND
    if begin > instant_of(zone, wall):
        wall = _end_of_repetition(zone, begin)
    match = first_match(fields, wall)
    return instant_of(zone, match), match


def _end_of_repetition(zone: tzinfo, second_time: datetime) -> datetime:
    """Return the first wall time after those that occur for the second time around `second_time`."""
    first_time = instant_of(zone, wall_of(zone, second_time))
    change = first_change(zone, first_time, second_time)
    return change.replace(tzinfo=None) + offset_at(zone, first_time)


def _next_on_the_clock(fields: CronFields, zone: tzinfo, begin: datetime) -> tuple[datetime, datetime]:
    """Return the first instant at or after `begin` at which the clock shows a matching time.

    The search goes on the wall within a stretch of constant offset, and starts anew at a change.
    """
    while True:
        offset = offset_at(zone, begin)
        wall = first_match(fields, begin.replace(tzinfo=None) + offset)
        match = (wall - offset).replace(tzinfo=UTC)
        end = min(match, begin + _STRIDE)
        if offset_at(zone, end) == offset:
            if end == match:
                return match, wall
            begin = max(end, match - _STRIDE)
        else:
            begin = first_change(zone, begin, end)
            if match < begin:
                return match, wall
