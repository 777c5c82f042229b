"""The grammar of cron patterns: five fields, or six with the seconds first.

A field is a list of items: `*`, a number, a name (`JAN`, `MON`), a range `a-b`, each with an optional step `/n`. Beyond
that the day of the month takes `L` (the last day), and the weekday `5#2` (the second Friday) and `5L` (the last
Friday); `?` is `*` in either. Weekdays count from 0 or 7, both Sunday. If both day fields are restricted, a day that
fits either one fits.

Every pattern is checked and written out here, number by number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

from jobcore.errors import InvalidScheduleError

MAX_PATTERN_LENGTH = 256

ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}

_MONTHS = {
    "JAN": 1, "FEB": 2, "MAR": 3, "APR": 4, "MAY": 5, "JUN": 6,
    "JUL": 7, "AUG": 8, "SEP": 9, "OCT": 10, "NOV": 11, "DEC": 12,
}  # fmt: skip
_WEEKDAYS = {"SUN": 0, "MON": 1, "TUE": 2, "WED": 3, "THU": 4, "FRI": 5, "SAT": 6}
_LONGEST = {1: 31, 2: 29, 3: 31, 4: 30, 5: 31, 6: 30, 7: 31, 8: 31, 9: 30, 10: 31, 11: 30, 12: 31}
_WORD = re.compile(r"\S+", re.ASCII)


LAST = -1
"""Stands for the last day of a month, and for the last of its weekdays."""


@dataclass(frozen=True, slots=True)
class CronFields:
    """A checked pattern, written out number by number, in order."""

    pattern: str
    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    """Days of the month, among them `LAST`; none if it leaves them open."""
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    """From 0, Sunday; none if it leaves them open, or numbers them."""
    numbered_weekdays: tuple[tuple[int, int], ...]
    """Weekdays, each with its number in the month: 1 to 5, or `LAST`."""
    follows_clock: bool
    """Whether it runs in every hour that the clock shows (`*` or a step in the hour field), and not at fixed times."""

    @property
    def is_every_day(self) -> bool:
        return not (self.days or self.weekdays or self.numbered_weekdays)


@dataclass(frozen=True, slots=True)
class _Kind:
    name: str
    low: int
    high: int
    names: dict[str, int]


_SECOND = _Kind("second", 0, 59, {})
_MINUTE = _Kind("minute", 0, 59, {})
_HOUR = _Kind("hour", 0, 23, {})
_DAY = _Kind("day of the month", 1, 31, {})
_MONTH = _Kind("month", 1, 12, _MONTHS)
_WEEKDAY = _Kind("weekday", 0, 7, _WEEKDAYS)
_FIVE = (_MINUTE, _HOUR, _DAY, _MONTH, _WEEKDAY)


@dataclass(frozen=True, slots=True)
class _Field:
    """One field of one pattern: what it is, its text, and the column (from 1) where it stands."""

    pattern: str
    kind: _Kind
    text: str
    column: int

    def wrong(self, reason: str, offset: int = 0) -> InvalidScheduleError:
        return InvalidScheduleError(
            f"Cron pattern {self.pattern!r}, {self.kind.name}, column {self.column + offset}: {reason}."
        )

    @property
    def is_open(self) -> bool:
        """Whether it leaves its part of the time open."""
        return self.text in {"*", "*/1", "?"}

    def items(self) -> Iterator[tuple[str, int]]:
        """Yield the items of the list, each with its offset in the field."""
        offset = 0
        for item in self.text.split(","):
            if not item:
                raise self.wrong("a list has an empty item", offset)
            yield item, offset
            offset += len(item) + 1


@lru_cache(maxsize=16_384)
def parse_cron(pattern: str) -> CronFields:
    """Return the checked form of `pattern`.

    Raises:
        InvalidScheduleError: naming the field, the column and the reason.
    """
    fields = _split(pattern)
    second, minute, hour, day, month, weekday = fields if len(fields) == 6 else (None, *fields)
    hours, months, days = _numbers(hour), _numbers(month), _days(day)
    numbered = _numbered_weekdays(weekday)
    if days and numbered:
        raise weekday.wrong("a numbered or last weekday cannot be combined with a day of the month")
    if weekday.is_open and days and LAST not in days:
        _check_that_it_fires(day, days, months)
    return CronFields(
        pattern=pattern,
        seconds=(0,) if second is None else _numbers(second),
        minutes=_numbers(minute),
        hours=hours,
        days=days,
        months=months,
        weekdays=() if weekday.is_open or numbered else _numbers(weekday),
        numbered_weekdays=numbered,
        follows_clock="*" in hour.text or "/" in hour.text or len(hours) == 24,
    )


def _split(pattern: str) -> list[_Field]:
    if len(pattern) > MAX_PATTERN_LENGTH:
        raise InvalidScheduleError(
            f"Cron pattern {pattern[:40]!r}…, column {MAX_PATTERN_LENGTH + 1}: it has {len(pattern):,} characters; "
            f"at most {MAX_PATTERN_LENGTH} are accepted."
        )
    if not pattern.isascii():
        column = next(index for index, letter in enumerate(pattern, 1) if not letter.isascii())
        raise InvalidScheduleError(f"Cron pattern {pattern!r}, column {column}: only ASCII characters are accepted.")
    words = [(found[0].upper(), found.start() + 1) for found in _WORD.finditer(_unaliased(pattern))]
    if len(words) not in {5, 6}:
        column = words[6][1] if len(words) > 6 else len(pattern) + 1
        raise InvalidScheduleError(
            f"Cron pattern {pattern!r}, column {column}: it has {len(words)} fields; write 5 (minute, hour, day of the "
            "month, month, weekday) or 6 (second first)."
        )
    kinds = _FIVE if len(words) == 5 else (_SECOND, *_FIVE)
    return [_Field(pattern, kind, text, column) for kind, (text, column) in zip(kinds, words, strict=True)]


def _unaliased(pattern: str) -> str:
    name = pattern.strip().lower()
    if not name.startswith("@"):
        return pattern
    if name in ALIASES:
        return ALIASES[name]
    near = get_close_matches(name, ALIASES, n=2)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise InvalidScheduleError(
        f"Cron pattern {pattern!r}, column 1: this alias is not known; there are {', '.join(ALIASES)}.{hint}"
    )


def _days(field: _Field) -> tuple[int, ...]:
    return () if field.is_open else _numbers(field)


def _numbered_weekdays(field: _Field) -> tuple[tuple[int, int], ...]:
    special = [(item, offset) for item, offset in field.items() if "#" in item or item.endswith("L")]
    if special and len(special) < len(list(field.items())):
        raise field.wrong("plain weekdays cannot be listed together with numbered or last ones")
    return tuple(_numbered_weekday(field, item, offset) for item, offset in special)


def _numbered_weekday(field: _Field, item: str, offset: int) -> tuple[int, int]:
    if item.endswith("L"):
        return _number(field, item[:-1], offset) % 7, LAST
    day, _, nth = item.partition("#")
    if nth not in {"1", "2", "3", "4", "5"}:
        raise field.wrong(f"{nth!r} is not a week from 1 to 5", offset + len(day) + 1)
    return _number(field, day, offset) % 7, int(nth)


def _numbers(field: _Field) -> tuple[int, ...]:
    """Return all the numbers that a field stands for, in order."""
    numbers = {number for item, offset in field.items() for number in _item(field, item, offset)}
    return tuple(sorted({number % 7 for number in numbers} if field.kind is _WEEKDAY else numbers))


def _item(field: _Field, item: str, offset: int) -> list[int]:
    kind = field.kind
    if item == "L" and kind is _DAY:
        return [LAST]
    span, slash, step_text = item.partition("/")
    step = _step(field, step_text, offset + len(span) + 1) if slash else 1
    if span == "*" or (span == "?" and kind in (_DAY, _WEEKDAY)):
        low, high = kind.low, 6 if kind is _WEEKDAY else kind.high
    elif "-" in span:
        first, _, last = span.partition("-")
        low, high = _number(field, first, offset), _number(field, last, offset + len(first) + 1)
    else:
        low = _number(field, span, offset)
        high = low if not slash else 6 if kind is _WEEKDAY else kind.high
    if low <= high:
        return list(range(low, high + 1))[::step]
    if kind is _WEEKDAY:
        return [*range(low, 7), *range(high + 1)][::step]
    raise field.wrong(f"the range {span} runs backwards; write {low}-{kind.high},{kind.low}-{high}", offset)


def _number(field: _Field, text: str, offset: int) -> int:
    kind = field.kind
    if text in kind.names:
        return kind.names[text]
    if not (text.isascii() and text.isdigit()):
        near = get_close_matches(text, kind.names, n=2, cutoff=0.5)
        hint = f", nor a name like {' or '.join(near or list(kind.names)[:2])}" if kind.names else ""
        raise field.wrong(f"{text!r} is not a number{hint}", offset)
    if len(text) > 4 or not kind.low <= int(text) <= kind.high:
        raise field.wrong(f"{text} is not from {kind.low} to {kind.high}", offset)
    return int(text)


def _step(field: _Field, text: str, offset: int) -> int:
    kind = field.kind
    largest = kind.high - kind.low + (0 if kind is _WEEKDAY else 1)
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= largest):
        raise field.wrong(
            f"the step {text!r} is not a number from 1 to {largest}; a longer one is an interval, such as '90 minutes'",
            offset,
        )
    return int(text)


def _check_that_it_fires(field: _Field, days: tuple[int, ...], months: tuple[int, ...]) -> None:
    first = days[0]
    longest = max(_LONGEST[month] for month in months)
    if first > longest:
        raise field.wrong(
            f"it never fires: day {first} does not exist in any of its months (they have at most {longest})"
        )
