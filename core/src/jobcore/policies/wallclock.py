"""Between local wall times and instants: zones, and what happens where a zone's offset changes.

PEP 495 decides which of two instants an ambiguous wall time is (`fold`); a wall time that a zone skips stands for the
instant of the change.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from jobcore.errors import InvalidScheduleError, NaiveDatetimeError

MAX_ZONE_LENGTH = 64
SECOND = timedelta(seconds=1)


def zone_named(name: str) -> tzinfo:
    """Return the zone of an IANA name.

    Raises:
        InvalidScheduleError: if there is none, with near names.
    """
    if name == "UTC":
        return UTC
    if len(name) <= MAX_ZONE_LENGTH:
        try:
            return _zone(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            # ValueError: a path that leaves the database; OSError: the name of a folder in it.
            pass
    raise InvalidScheduleError(f"There is no time zone {name[:MAX_ZONE_LENGTH]!r}.{_hint(name[:MAX_ZONE_LENGTH])}")


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    """All zones: `ZoneInfo` itself keeps eight, and reads the others from their files each time."""
    return ZoneInfo(name)


def aware(instant: datetime) -> datetime:
    """Return `instant` in UTC. Raises `NaiveDatetimeError` if it has no time zone."""
    if instant.utcoffset() is None:
        raise NaiveDatetimeError(
            f"{instant.isoformat()} has no time zone, so that nobody can say which instant is meant; "
            "use datetime.now(UTC) or add a tzinfo."
        )
    return instant.astimezone(UTC)


def wall_of(zone: tzinfo, instant: datetime) -> datetime:
    """Return what a clock in `zone` shows at `instant`, without a time zone."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def offset_at(zone: tzinfo, instant: datetime) -> timedelta:
    return wall_of(zone, instant) - instant.astimezone(UTC).replace(tzinfo=None)


def exists(zone: tzinfo, wall: datetime) -> bool:
    """Return whether a clock in `zone` ever shows `wall`."""
    return wall_of(zone, _first(zone, wall)) == wall


def occurs_twice(zone: tzinfo, wall: datetime) -> bool:
    """Return whether a clock in `zone` shows `wall` twice, because it is put back."""
    return exists(zone, wall) and _first(zone, wall) != _second(zone, wall)


def instant_of(zone: tzinfo, wall: datetime) -> datetime:
    """Return when a clock in `zone` first shows `wall`; if it never does, the instant at which it skips it."""
    first = _first(zone, wall)
    if wall_of(zone, first) == wall:
        return first
    return first_change(zone, _second(zone, wall), first)


def first_change(zone: tzinfo, low: datetime, high: datetime) -> datetime:
    """Return the first second after `low` at which the offset differs from that at `low`; at `high` it does."""
    before = offset_at(zone, low)
    while high - low > SECOND:
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if offset_at(zone, middle) == before:
            low = middle
        else:
            high = middle
    return high


def _first(zone: tzinfo, wall: datetime) -> datetime:
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def _second(zone: tzinfo, wall: datetime) -> datetime:
    return wall.replace(tzinfo=zone, fold=1).astimezone(UTC)


def _hint(name: str) -> str:
    known = available_timezones()
    if not known:
        return " This machine has no time zone database: install the distribution tzdata."
    near = get_close_matches(name, known, n=3) or [zone for zone in known if zone.lower().endswith(name.lower())][:3]
    return (
        f" Did you mean {' or '.join(sorted(near))}?" if near and name else " Use an IANA name such as 'Europe/Berlin'."
    )
