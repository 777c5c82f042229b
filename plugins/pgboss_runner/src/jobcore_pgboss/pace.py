"""How fast jobs end, so that the fetcher knows how much work to have at hand."""

from __future__ import annotations

import time

WINDOW = 0.1
"""Seconds over which a new measurement is taken."""


class Pace:
    """Jobs ended each second, over about the last tenth of a second. Counting costs a few nanoseconds."""

    __slots__ = ("_count", "_rate", "_since")

    def __init__(self) -> None:
        self._count = 0
        self._rate = 0.0
        self._since = time.monotonic()

    def count(self) -> None:
        self._count += 1

    def per_second(self) -> float:
        now = time.monotonic()
        if (elapsed := now - self._since) >= WINDOW:
            self._rate = self._count / elapsed
            self._count = 0
            self._since = now
        return self._rate
