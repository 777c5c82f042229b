"""Where a period for recording time ends, and the next ones begin: the calendar's rules, without a database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from jobcore_handlers.billing.periods import Period, first_of_next_month

_DAY = timedelta(days=1)


class Unit(StrEnum):
    """What a setting counts in."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePeriodSetting:
    """One rule of a tenant. Several stand together: 1 to 15 and 16 to 0 are half-months."""

    frequency: int
    """How many units a period lasts."""
    frequency_unit: str
    start_day: int = 1
    """From 1, within the week (1 is Monday), the month or the year: where the first period begins."""
    end_day: int = 0
    """The last day of a period, counted so too; 0, or a day that a short month lacks, is the unit's last one."""
    effective_from: date
    effective_to: date | None = None
    """The day after the last one in force."""

    def is_in_force(self, day: date) -> bool:
        return self.effective_from <= day and (self.effective_to is None or day < self.effective_to)

    def end_after(self, start: date) -> date:
        """Return where a period from `start` ends by this rule: the day after its last one."""
        if self.frequency_unit == Unit.DAY:
            return start + timedelta(days=self.frequency)
        end = start
        for _ in range(self.frequency):
            end = self._next_end(end)
        return end

    def start_until(self, day: date) -> date:
        """Return the last day up to `day` on which a period begins by this rule, not before it is in force."""
        if self.frequency_unit == Unit.DAY:
            return day
        first, length = _unit_around(day, Unit(self.frequency_unit))
        start = _nth_day(first, length, self.start_day)
        if start > day:
            first, length = _unit_around(first - _DAY, Unit(self.frequency_unit))
            start = _nth_day(first, length, self.start_day)
        return max(start, self.effective_from)

    def _next_end(self, after: date) -> date:
        first, length = _unit_around(after, Unit(self.frequency_unit))
        end = _nth_day(first, length, self.end_day or length) + _DAY
        if end <= after:
            first, length = _unit_around(first + timedelta(days=length), Unit(self.frequency_unit))
            end = _nth_day(first, length, self.end_day or length) + _DAY
        return end


def next_periods(
    settings: Sequence[TimePeriodSetting], reached: date | None, today: date, *, ahead: timedelta, limit: int
) -> list[Period]:
    """Return the periods to be made: each begins where the one before ended, the last begins up to `ahead` of today.

    A period ends at the first end that any rule in force on its first day gives. Where none was in force then, those of
    today count, so that no gap remains.

    Args:
        settings: the tenant's rules; without one that is in force today, there is no period.
        reached: the end of the last period; without one the first begins with the current week, month or year.
        today: the tenant's day.
        ahead: how long before it begins a period is made.
        limit: how many at most; what is left is due at the next call.
    """
    current = [setting for setting in settings if setting.is_in_force(today)]
    if not current:
        return []
    start = max(setting.start_until(today) for setting in current) if reached is None else reached
    periods: list[Period] = []
    while start <= today + ahead and len(periods) < limit:
        rules = [setting for setting in settings if setting.is_in_force(start)] or current
        periods.append(Period(start, min(setting.end_after(start) for setting in rules)))
        start = periods[-1].end
    return periods


def _unit_around(day: date, unit: Unit) -> tuple[date, int]:
    """Return the first day of the week, month or year that holds `day`, and how many days that has."""
    if unit is Unit.WEEK:
        return day - timedelta(days=day.weekday()), 7
    first = day.replace(day=1) if unit is Unit.MONTH else date(day.year, 1, 1)
    following = first_of_next_month(first) if unit is Unit.MONTH else date(day.year + 1, 1, 1)
    return first, (following - first).days


def _nth_day(first: date, length: int, number: int) -> date:
    return first + timedelta(days=min(number, length) - 1)
