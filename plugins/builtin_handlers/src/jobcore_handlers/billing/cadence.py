"""How often a client is billed, where one billing cycle ends, and which cycles a client lacks."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from jobcore_handlers.billing.periods import Period


class Cadence(StrEnum):
    """The length of a billing cycle."""

    WEEKLY = "weekly"
    BI_WEEKLY = "bi-weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    SEMI_ANNUALLY = "semi-annually"
    ANNUALLY = "annually"


_WEEKS = {Cadence.WEEKLY: 1, Cadence.BI_WEEKLY: 2}
_MONTHS = {Cadence.MONTHLY: 1, Cadence.QUARTERLY: 3, Cadence.SEMI_ANNUALLY: 6, Cadence.ANNUALLY: 12}


@dataclass(frozen=True, slots=True)
class Anchor:
    """The fixed points that cycles begin on. Without the one that a cadence uses, cycles roll from where they began."""

    day_of_month: int | None = None
    """1 to 28, so that every month has it; for monthly and longer cadences."""
    month: int | None = None
    """1 to 12, for quarterly and longer cadences; needs `day_of_month`."""
    reference: date | None = None
    """A day on which a cycle begins, for weekly and bi-weekly cadences."""
    rolling_day: int | None = None
    """1 to 31: the day of the month on which cycles began that roll. A shorter month cuts it for that month only."""


def missing_periods(cadence: Cadence, anchor: Anchor, reached: date | None, today: date, *, limit: int) -> list[Period]:
    """Return the cycles that are to be made so that the last one ends after `today`, oldest first.

    Args:
        cadence: how long each is.
        anchor: on what days they begin.
        reached: the end of the client's last cycle, on which the next one begins; a client without a cycle gets the
            current one.
        today: the day of billing.
        limit: how many at most; what is left is due at the next call.
    """
    start = current_start(cadence, today, anchor) if reached is None else reached
    periods: list[Period] = []
    while start <= today and len(periods) < limit:
        periods.append(Period(start, next_boundary(cadence, start, anchor)))
        start = periods[-1].end
    return periods


def current_start(cadence: Cadence, day: date, anchor: Anchor) -> date:
    """Return the last day, `day` among them, on which a cycle begins.

    Without an anchor, weeks begin on `day` itself, and months, quarters, halves and years with those of the calendar.
    """
    if cadence in _WEEKS:
        passed = 0 if anchor.reference is None else (day - anchor.reference).days % (7 * _WEEKS[cadence])
        return day - timedelta(days=passed)
    months = _MONTHS[cadence]
    month = _anchor_month(day, months, anchor)
    if anchor.day_of_month is None or month is None:
        return date(day.year, day.month - (day.month - 1) % months, 1)
    start = day.replace(day=anchor.day_of_month)
    while start > day or (start.month - month) % months:
        start = _add_months(start, -1)
    return start


def next_boundary(cadence: Cadence, start: date, anchor: Anchor) -> date:
    """Return the first day after `start` on which a new cycle begins."""
    if cadence in _WEEKS:
        return _next_by_weeks(start, _WEEKS[cadence], anchor.reference)
    return _next_by_months(start, _MONTHS[cadence], anchor)


def _next_by_weeks(start: date, weeks: int, reference: date | None) -> date:
    length = 7 * weeks
    passed = 0 if reference is None else (start - reference).days % length
    return start + timedelta(days=length - passed)


def _next_by_months(start: date, months: int, anchor: Anchor) -> date:
    month = _anchor_month(start, months, anchor)
    if anchor.day_of_month is None or month is None:
        return _add_months(start, months, anchor.rolling_day)
    boundary = start.replace(day=anchor.day_of_month)
    while boundary <= start or (boundary.month - month) % months:
        boundary = _add_months(boundary, 1)
    return boundary


def _anchor_month(day: date, months: int, anchor: Anchor) -> int | None:
    return day.month if months == 1 else anchor.month


def _add_months(day: date, months: int, rolling_day: int | None = None) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    wanted = rolling_day if rolling_day is not None and _is_cut(day, rolling_day) else day.day
    return date(year, month + 1, min(wanted, monthrange(year, month + 1)[1]))


def _is_cut(day: date, rolling_day: int) -> bool:
    return day.day < rolling_day and day.day == monthrange(day.year, day.month)[1]
