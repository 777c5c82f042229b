"""Tells observers that the database is away, and that it is back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from jobcore.ports.observer import Observer
from jobcore_postgres.background.perseverance import TROUBLE
from jobcore_postgres.database import Database

PAUSE = 0.5
"""Seconds between two looks at a database that is away."""


class Lookout:
    """Looks at the database when a role has trouble with it, which may be with that role's own connection only."""

    def __init__(
        self, database: Database, runner_type: str, trouble: Callable[[], Awaitable[None]], observer: Observer
    ) -> None:
        self._database = database
        self._runner_type = runner_type
        self._trouble = trouble
        self._observer = observer

    async def turn(self) -> None:
        """Wait for trouble; if the database is away, say so, and say so again when it is back."""
        await self._trouble()
        reason = await self._what_is_wrong()
        if reason is None:
            return
        self._observer.runner_degraded(self._runner_type, reason)
        while reason is not None:
            await asyncio.sleep(PAUSE)
            reason = await self._what_is_wrong()
        self._observer.runner_recovered(self._runner_type)

    async def _what_is_wrong(self) -> str | None:
        try:
            await self._database.ping()
        except TROUBLE as error:
            return str(error)
        return None
