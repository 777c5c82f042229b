"""A clock that stands still until a test moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from jobcore.errors import InputError, NaiveDatetimeError

START = datetime(2026, 1, 1, tzinfo=UTC)


class MovableClock:
    """A clock port for tests: it shows the same instant until `advance` or `move_to` is called.

    Args:
        start: where it stands first; 2026-01-01 00:00 UTC by default. Must have a time zone.
    """

    def __init__(self, start: datetime = START) -> None:
        self._start = self._now = _aware(start)

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return (self._now - self._start).total_seconds()

    def advance(self, by: timedelta) -> datetime:
        """Move on by `by` and return the new instant. Raises `InputError` if it is negative."""
        return self.move_to(self._now + by)

    def move_to(self, instant: datetime) -> datetime:
        """Move on to `instant`. Raises `InputError` if that lies in the past."""
        if _aware(instant) < self._now:
            raise InputError(
                f"The clock stands at {self._now.isoformat()} and cannot go back to {instant.isoformat()}."
            )
        self._now = instant.astimezone(UTC)
        return self._now


def _aware(instant: datetime) -> datetime:
    if instant.utcoffset() is None:
        raise NaiveDatetimeError(f"{instant!r} has no time zone; write datetime(..., tzinfo=UTC).")
    return instant.astimezone(UTC)
