"""Since when which role is without the database, for those who cannot wait for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Collection


class Troubles:
    """The troubles that the roles of one worker have now."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        self._changed = asyncio.Event()
        self._began = asyncio.Event()

    def began(self, role: str) -> None:
        """A role's turn failed; again, perhaps."""
        self._since.setdefault(role, asyncio.get_running_loop().time())
        self._changed.set()
        self._began.set()

    def ended(self, role: str) -> None:
        """A role works, or is no more."""
        self._since.pop(role, None)
        self._changed.set()

    async def wait_for_one(self) -> None:
        """Return once a role's turn has failed since the last such call."""
        await self._began.wait()
        self._began.clear()

    async def outlast(self, seconds: float, roles: Collection[str]) -> None:
        """Return once one of these roles has been in trouble for so long, counted from this call on."""
        called_at = asyncio.get_running_loop().time()
        while (left := self._left(roles, called_at, seconds)) is None or left > 0:
            self._changed.clear()
            try:
                async with asyncio.timeout(left):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def _left(self, roles: Collection[str], called_at: float, seconds: float) -> float | None:
        """How much longer, in seconds; `None` while all is well."""
        since = [at for role, at in self._since.items() if role in roles]
        if not since:
            return None
        return max(called_at, min(since)) + seconds - asyncio.get_running_loop().time()
