"""Admits jobs that wait, as soon as they may: a role that the workers of every engine share."""

from __future__ import annotations

import asyncio
import time

from jobcore.ports.admission import AdmissionRound, AdmissionStore

POLL = 1.0
"""Seconds after which it looks though nobody told it to."""
BUSY = 0.03
"""Seconds until it asks again where another worker was at it, which may have begun before what we heard of."""
SHORTEST_WAIT = 0.005
THOROUGH = 5.0
"""Seconds between two looks for parents whose end was told to nobody."""
CHANNEL = "jobcore_admission"
"""Where PostgreSQL tells that somebody may be admitted."""


class Admitter:
    """Takes rounds until nobody else may pass; then waits for a hint, for the next instant, or for a poll."""

    def __init__(self, store: AdmissionStore) -> None:
        self._store = store
        self._hint = asyncio.Event()
        self._hint.set()
        self._wait = POLL
        self._thorough_at = 0.0

    def hint(self) -> None:
        """Somebody may be admitted now."""
        self._hint.set()

    async def turn(self) -> None:
        """Wait, and admit whoever may pass."""
        await self._hinted()
        self._hint.clear()
        self._wait = await self._admit_all()

    async def _hinted(self) -> None:
        try:
            async with asyncio.timeout(self._wait):
                await self._hint.wait()
        except TimeoutError:
            return

    async def _admit_all(self) -> float:
        """Return the seconds after which to look again."""
        beyond, wait, went_on = "", POLL, False
        while True:
            seen = await self._store.admit(beyond, thorough=self._is_time_to_be_thorough())
            if seen is None:
                return BUSY
            wait, went_on = _sooner(wait, seen), went_on or seen.more
            if seen.reached is not None:
                beyond = seen.reached
            elif went_on:
                beyond, went_on = "", False
            else:
                return max(SHORTEST_WAIT, wait)

    def _is_time_to_be_thorough(self) -> bool:
        now = time.monotonic()
        if now < self._thorough_at:
            return False
        self._thorough_at = now + THOROUGH
        return True


def _sooner(wait: float, seen: AdmissionRound) -> float:
    return wait if seen.next_in is None else min(wait, seen.next_in)
