"""Intervals: true ones, on a grid from an anchor, not cron in disguise; and telling them from cron patterns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Any

from jobcore.errors import InvalidScheduleError
from jobcore.policies.cron import CronSchedule
from jobcore.policies.cronfields import MAX_PATTERN_LENGTH
from jobcore.policies.wallclock import aware

MIN_INTERVAL = timedelta(seconds=1)
MAX_INTERVAL = timedelta(days=3660)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_UNITS = {
    timedelta(seconds=1): ("s", "sec", "secs", "second", "seconds"),
    timedelta(minutes=1): ("m", "min", "mins", "minute", "minutes"),
    timedelta(hours=1): ("h", "hr", "hrs", "hour", "hours"),
    timedelta(days=1): ("d", "day", "days"),
    timedelta(weeks=1): ("w", "week", "weeks"),
}
_UNIT_NAMES = {name: unit for unit, names in _UNITS.items() for name in names}
_NO_FIXED_LENGTH = {"month", "months", "year", "years", "quarter", "quarters"}
_INTERVAL = re.compile(r"\s*(?P<every>every\s+)?(?P<count>[0-9]+)?\s*(?P<unit>[a-z]+)\s*", re.ASCII | re.IGNORECASE)
_LOOKS_LIKE_ONE = re.compile(r"\s*(every\b|[-+]?[0-9.]+\s*[a-z]+\s*$)", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class IntervalSchedule:
    """A fire every `every`, on the grid that `anchor` lies on; the anchor itself is a slot.

    The default anchor is 1970-01-01 00:00 UTC, so that every process computes the same slots.

    Raises:
        InvalidScheduleError: if `every` is under a second or over ten years.
        NaiveDatetimeError: if the anchor has no time zone.
    """

    every: timedelta
    anchor: datetime = EPOCH

    def __post_init__(self) -> None:
        _bounded(self.every, self.every)
        aware(self.anchor)

    def next_after(self, instant: datetime) -> datetime:
        """Return the first slot later than `instant`, in UTC; never one before the anchor.

        However many slots were missed, the answer is one division away.
        """
        anchor = aware(self.anchor)
        passed = (aware(instant) - anchor) // self.every
        return anchor + max(0, passed + 1) * self.every


def parse_interval(value: str | timedelta) -> timedelta:
    """Return the interval that a text or a `timedelta` stands for.

    A text is a whole number and a unit, with or without "every": "24 hours", "30 seconds", "every 5 minutes", "every
    hour". Units are seconds, minutes, hours, days (of 24 hours) and weeks, and their short forms. A bare number is
    refused, because nobody can see its unit; fractions are refused, because a smaller unit says the same.

    Raises:
        InvalidScheduleError: with the position, the reason and near names, or if it is out of bounds.
    """
    if isinstance(value, timedelta):
        return _bounded(value, value)
    if not isinstance(value, str):  # pyright: ignore[reportUnnecessaryIsInstance] - settings and JSON are not typed
        raise _wrong(value, 1, "an interval is a text such as '30 seconds', or a timedelta")
    if len(value) > MAX_PATTERN_LENGTH:
        raise _wrong(value[:40], 1, f"it has {len(value):,} characters; at most {MAX_PATTERN_LENGTH} are accepted")
    found = _INTERVAL.fullmatch(value)
    if found is None or not (found["count"] or found["every"]):
        raise _wrong(value, *_why_not(value))
    count, unit = found["count"] or "1", found["unit"].lower()
    if unit not in _UNIT_NAMES:
        raise _wrong(value, found.start("unit") + 1, _unknown_unit(unit))
    if len(count) > 10:
        raise _wrong(value, found.start("count") + 1, "the number is too large")
    return _bounded(int(count) * _UNIT_NAMES[unit], value)


def parse_schedule(text: str, *, timezone: str = "UTC", anchor: datetime = EPOCH) -> CronSchedule | IntervalSchedule:
    """Return the schedule of a text: a cron pattern of 5 or 6 fields, an alias such as `@daily`, or an interval.

    Args:
        text: for instance "0 3 * * *", "@hourly", "24 hours" or "every 30 seconds".
        timezone: where a cron pattern is read; an interval has none.
        anchor: where an interval's grid begins; a cron pattern has none.

    Raises:
        InvalidScheduleError: if it is neither, with the position and the reason.
    """
    if _LOOKS_LIKE_ONE.match(text):
        return IntervalSchedule(parse_interval(text), anchor)
    if text.lstrip().startswith("@") or len(text.split()) > 1:
        return CronSchedule(text, timezone)
    raise InvalidScheduleError(
        f"The schedule {text[:40]!r} is neither a cron pattern of 5 or 6 fields, such as '0 3 * * *', "
        "nor an interval, such as '24 hours' or 'every 30 seconds'."
    )


def _bounded(interval: Any, shown: object) -> timedelta:
    if not isinstance(interval, timedelta) or interval < MIN_INTERVAL:
        raise _wrong(shown, 1, "the shortest interval is 1 second")
    if interval > MAX_INTERVAL:
        raise _wrong(shown, 1, f"the longest interval is {MAX_INTERVAL.days} days")
    return interval


def _why_not(value: str) -> tuple[int, str]:
    if found := re.search(r"[.,+-]", value):
        return found.start() + 1, "write a whole number without a sign; a smaller unit avoids fractions ('90 minutes')"
    if re.fullmatch(r"\s*[0-9]*\s*", value):
        return len(value) + 1, "the unit is missing; write for instance '30 seconds'"
    if found := re.match(r"\s*(every\s+)?[0-9]*\s*[a-z]+", value, re.ASCII | re.IGNORECASE):
        return found.end() + 1, "write one number and one unit, such as '90 minutes'"
    return 1, "write one number and one unit, such as '24 hours' or 'every 5 minutes'"


def _unknown_unit(unit: str) -> str:
    if unit in _NO_FIXED_LENGTH:
        return f"a {unit.rstrip('s')} has no fixed length; use a cron pattern, such as '0 0 1 * *'"
    near = get_close_matches(unit, [name for name in _UNIT_NAMES if len(name) > 3], n=2)
    hint = f"; did you mean {' or '.join(near)}" if near else ""
    return f"{unit!r} is no unit of seconds, minutes, hours, days or weeks{hint}"


def _wrong(value: object, column: int, reason: str) -> InvalidScheduleError:
    return InvalidScheduleError(f"Interval {value!r}, column {column}: {reason}.")
