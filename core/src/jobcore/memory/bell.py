"""How waiting workers hear that something changed."""

from __future__ import annotations

import asyncio


class Bell:
    """Wakes everybody who waits, each time it is rung. Belongs to one event loop."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self, timeout: float | None = None) -> bool:
        """Return true at the next ring, or false after `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._event.wait()
        except TimeoutError:
            return False
        return True
