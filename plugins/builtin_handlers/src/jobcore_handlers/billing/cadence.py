"""How often a client is billed, and where one billing cycle ends."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


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
    month = start.month if months == 1 else anchor.month
    if anchor.day_of_month is None or month is None:
        return _add_months(start, months)
    boundary = start.replace(day=anchor.day_of_month)
    while boundary <= start or (boundary.month - month) % months:
        boundary = _add_months(boundary, 1)
    return boundary


def _add_months(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
