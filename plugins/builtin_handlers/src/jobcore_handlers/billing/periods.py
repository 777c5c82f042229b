"""Billing periods: half-open spans of days."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """The days from `start` to the day before `end`. One period's end is the next one's start: no day is in both."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError(f"A period needs a day at least: {self.start} to {self.end} holds none.")

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end

    @property
    def last_day(self) -> date:
        return self.end - timedelta(days=1)

    def month_starts(self) -> Iterator[date]:
        """Yield each first day of a month within the period, oldest first."""
        day = self.start if self.start.day == 1 else first_of_next_month(self.start)
        while day < self.end:
            yield day
            day = first_of_next_month(day)


def first_of_next_month(day: date) -> date:
    """Return the first day of the month after that of `day`."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)
