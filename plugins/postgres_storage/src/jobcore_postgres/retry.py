"""Waiting between tries, for calls that are safe to repeat."""

from __future__ import annotations

import asyncio
import random
import time

FIRST_DELAY = 0.05
LONGEST_DELAY = 1.0


class Backoff:
    """Doubling, jittered delays, until `seconds` have passed since the first."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._delay = FIRST_DELAY

    async def wait(self) -> bool:
        """Wait before the next try; false, at once, if the time is used up."""
        left = self._until - time.monotonic()
        if left <= 0:
            return False
        await asyncio.sleep(min(left, self._delay * random.uniform(0.5, 1.0)))  # noqa: S311 - not a secret
        self._delay = min(self._delay * 2, LONGEST_DELAY)
        return True
