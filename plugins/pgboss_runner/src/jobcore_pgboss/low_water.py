"""How far back a fetch has to look, where many dead rows lie in its way."""

from __future__ import annotations

from collections import deque
from statistics import median

EVERYTHING = 1e9
"""Seconds to look back for all that there is."""
SLOW = 0.005
"""Seconds that a look at everything may take, beyond what the claims cost that it makes, before it becomes rare."""
CLAIM = 0.0001
"""Seconds that a claim costs at most, on a machine that is busy."""
REST = 10.0
"""Seconds until a slow look is repeated."""
MARGIN = 5.0
"""Seconds that a job may take from its creation to its commit, to be seen without a look at everything."""


class LowWater:
    """A mark below which nothing waits: the time of the last look at everything that left nothing behind.

    PostgreSQL keeps the rows of jobs that have ended, and their entries in the index that a fetch goes along, while any
    transaction is old enough to see them: a fetch then steps over all of them. Once that is slow, fetches look at what
    was created since the mark, and now and then at everything: jobs that came back below the mark are found then.
    """

    def __init__(self) -> None:
        self._mark: float | None = None
        self._rest_until = 0.0
        self._took: deque[float] = deque(maxlen=5)

    def look_back(self, now: float) -> float:
        """Return how many seconds a look at `now` (monotonic) has to go back; `EVERYTHING`, or since the mark."""
        if self._mark is None or now >= self._rest_until:
            return EVERYTHING
        return now - self._mark + MARGIN

    def saw_everything(self, begin: float, end: float, claimed: int, *, left_some: bool) -> None:
        """Take note of a look at everything, from `begin` to `end` (monotonic); it may have left jobs behind."""
        self._mark = None
        if left_some:
            return
        self._took.append(end - begin - claimed * CLAIM)
        usual = median(self._took)
        if len(self._took) == self._took.maxlen and usual > SLOW:
            self._mark = begin
            self._rest_until = end + REST

    def forget(self) -> None:
        """Something waits below the mark: look at everything next."""
        self._mark = None
