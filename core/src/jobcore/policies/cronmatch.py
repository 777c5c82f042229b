"""Which wall times fit a cron pattern: the first one from a given one on."""

from __future__ import annotations

from bisect import bisect_left
from calendar import monthrange
from datetime import date, datetime, time, timedelta

from jobcore.errors import InvalidScheduleError
from jobcore.policies.cronfields import LAST, CronFields

_DAY = timedelta(days=1)


def first_match(fields: CronFields, wall: datetime) -> datetime:
    """Return the first wall time at or after `wall`, a whole second, that fits the pattern.

    Raises:
        InvalidScheduleError: if there is none before the year 10000.
    """
    day = wall.date()
    try:
        if _fits(fields, day) and (found := _time_from(fields, wall.hour, wall.minute, wall.second)) is not None:
            return datetime.combine(day, found)
        day = _next_day(fields, day)
    except OverflowError:
        raise InvalidScheduleError(f"The cron pattern {fields.pattern!r} does not fire again after {wall}.") from None
    return datetime.combine(day, time(fields.hours[0], fields.minutes[0], fields.seconds[0]))


def _time_from(fields: CronFields, hour: int, minute: int, second: int) -> time | None:
    """Return the first fitting time of day at or after this one; `None` if the day has no more."""
    if hour in fields.hours:
        if minute in fields.minutes and (found := _from(fields.seconds, second)) is not None:
            return time(hour, minute, found)
        if (found := _from(fields.minutes, minute + 1)) is not None:
            return time(hour, found, fields.seconds[0])
    if (found := _from(fields.hours, hour + 1)) is not None:
        return time(found, fields.minutes[0], fields.seconds[0])
    return None


def _from(numbers: tuple[int, ...], low: int) -> int | None:
    place = bisect_left(numbers, low)
    return numbers[place] if place < len(numbers) else None


def _next_day(fields: CronFields, day: date) -> date:
    """Return the first fitting day after `day`. Raises `OverflowError` at the end of the calendar."""
    while True:
        day = day + _DAY if day.month in fields.months else _next_month(day)
        if _fits(fields, day):
            return day


def _next_month(day: date) -> date:
    return (day.replace(day=28) + 4 * _DAY).replace(day=1)


def _fits(fields: CronFields, day: date) -> bool:
    if day.month not in fields.months:
        return False
    if fields.is_every_day:
        return True
    if day.day in fields.days or day.isoweekday() % 7 in fields.weekdays:
        return True
    special = fields.days[:1] == (LAST,) or fields.numbered_weekdays
    return bool(special) and _fits_its_month(fields, day)


def _fits_its_month(fields: CronFields, day: date) -> bool:
    """Whether it is the last day, or a numbered or last weekday, of its month."""
    left = monthrange(day.year, day.month)[1] - day.day
    if left == 0 and LAST in fields.days:
        return True
    weekday = day.isoweekday() % 7
    wanted = {(weekday, (day.day + 6) // 7), (weekday, LAST if left < 7 else 0)}
    return not wanted.isdisjoint(fields.numbered_weekdays)
