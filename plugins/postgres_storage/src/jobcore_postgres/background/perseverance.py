"""How a background role lives through the database's absences: it tries again, and never gives up."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import psycopg

from jobcore.errors import StorageError
from jobcore_postgres.background import logs
from jobcore_postgres.background.troubles import Troubles

FIRST_DELAY = 0.1
LONGEST_DELAY = 5.0

TROUBLE = (psycopg.Error, StorageError, OSError)
"""What a role waits out. Anything else is a mistake of ours, and stops the worker."""


class Perseverance:
    """The waits of one role between its tries, in seconds: doubling from 0.1 to 5, with jitter, so that the workers of
    a restarted database do not come all at once."""

    def __init__(self, role: str, troubles: Troubles) -> None:
        self._role = role
        self._troubles = troubles
        self._failures = 0

    async def failed(self, error: BaseException) -> None:
        """Wait before the next try."""
        delay = min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(self._failures, 16)) * random.uniform(0.5, 1)  # noqa: S311
        self._failures += 1
        self._troubles.began(self._role)
        logs.role_failed(self._role, error, delay)
        await asyncio.sleep(delay)

    def succeeded(self) -> None:
        if self._failures:
            self._failures = 0
            self._troubles.ended(self._role)
            logs.role_recovered(self._role)


async def persevere(role: str, turn: Callable[[], Awaitable[None]], troubles: Troubles) -> None:
    """Take turns for ever: one after the other, each after a wait if the one before failed."""
    perseverance = Perseverance(role, troubles)
    while True:
        try:
            await turn()
        except TROUBLE as error:
            await perseverance.failed(error)
        else:
            perseverance.succeeded()
