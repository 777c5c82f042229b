"""How fast jobs end, so that the fetcher knows how much work to have at hand."""

from __future__ import annotations

import time
from collections.abc import Callable

WINDOW = 0.1
"""Seconds over which a new measurement is taken."""


class Pace:
    """Jobs ended each second, over about the last tenth of a second. Counting costs a few nanoseconds.

    A worker that begins to run need not wait for a whole window to be known as fast: once it has ended two jobs a slot,
    what has been counted so far says enough to raise the pace. It falls with a whole window only.

    Args:
        slots: how many jobs run at a time.
        clock: seconds, of any origin.
    """

    __slots__ = ("_clock", "_count", "_enough", "_rate", "_since")

    def __init__(self, slots: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.resize(slots)
        self._count = 0
        self._rate = 0.0
        self._since = clock()

    def resize(self, slots: int) -> None:
        """So many jobs run at a time from now on."""
        self._enough = 2 * slots

    def count(self) -> None:
        self._count += 1

    def per_second(self) -> float:
        now = self._clock()
        elapsed = now - self._since
        if elapsed >= WINDOW:
            self._rate = self._count / elapsed
            self._count = 0
            self._since = now
        elif self._count >= self._enough and elapsed > 0:
            self._rate = max(self._rate, self._count / elapsed)
        return self._rate
