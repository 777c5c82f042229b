"""Days as a tenant's clocks count them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jobcore_handlers.credit_notices.errors import UnknownTimeZoneError


def zone_named(name: str) -> tzinfo:
    """Return the zone of an IANA name. Raises `UnknownTimeZoneError`."""
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # ValueError, OSError: a path out of the database, a folder
        raise UnknownTimeZoneError(name) from None


def day_bounds(day: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return when `day` begins and when the next one does, in UTC: 23 to 25 hours apart where clocks are changed."""
    return _beginning(day, zone), _beginning(day + timedelta(days=1), zone)


def day_after(now: datetime, days: int, zone: tzinfo) -> date:
    """Return the day that is `days` after the one that clocks in `zone` show at `now`."""
    return now.astimezone(zone).date() + timedelta(days=days)


def _beginning(day: date, zone: tzinfo) -> datetime:
    """Return the first instant of a day. Of a midnight that clocks skip this is the instant of the change (PEP 495)."""
    return datetime.combine(day, time(), zone).astimezone(UTC)
