"""What a worker counts about itself, to announce it."""

from __future__ import annotations

import asyncio

from jobcore.models import Settlement
from jobcore.ports.observer import Observer


class Tally(Observer):
    """Counts attempts that ended after their job had been taken from this worker: stopped too long, or cut off."""

    def __init__(self) -> None:
        self.stale_attempts = 0
        self._news = asyncio.Event()

    def job_settled(self, settlement: Settlement, applied: bool) -> None:  # noqa: ARG002 - the port's signature
        if not applied:
            self.stale_attempts += 1
            self._news.set()

    def tell(self) -> None:
        """There is something to look at, or to announce."""
        self._news.set()

    async def wait_for_news(self, seconds: float) -> None:
        """Return when there is something new to announce, at most after so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return
        self._news.clear()
