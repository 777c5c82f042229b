"""Progress of one run: checked, thinned to one write a second, and the last value always written."""

from __future__ import annotations

import asyncio
import logging
from math import isfinite
from typing import Any

from jobcore.errors import InputError
from jobcore.execution import logs
from jobcore.models import Claim
from jobcore.ports.runner import ClaimSession

INTERVAL = 1.0
"""Seconds between two writes."""


class Progress:
    """Writes what a handler reports, at most once a second."""

    __slots__ = ("_claim", "_failure", "_latest", "_logger", "_session", "_trailing", "_written_at")

    def __init__(self, claim: Claim, session: ClaimSession, logger: logging.Logger) -> None:
        self._claim = claim
        self._session = session
        self._logger = logger
        self._latest: tuple[float, str | None] | None = None
        self._written_at: float | None = None
        self._trailing: asyncio.Task[None] | None = None
        self._failure: Exception | None = None

    async def report(self, percent: float, message: str | None) -> None:
        """Write now if the last write is a second old, else when it will be.

        Raises:
            InputError: if `percent` is no number from 0 to 100, or `message` no text.
            StaleClaimError: if the claim is lost; a write that was put off raises at the next call.
        """
        self._latest = (_checked(percent), _checked_message(message))
        if self._failure is not None:
            raise self._failure
        if self._trailing is not None:
            return
        wait = self._seconds_to_wait()
        if wait <= 0:
            await self._write()
        else:
            self._trailing = asyncio.create_task(self._write_later(wait))

    async def flush(self) -> None:
        """Write the last value if it is not written yet. Never raises: the run's outcome does not hang on it."""
        trailing, self._trailing = self._trailing, None
        if trailing is not None:
            trailing.cancel()
            await asyncio.wait([trailing])
        if self._latest is None or self._failure is not None:
            return
        try:
            await self._write()
        except Exception as error:  # noqa: BLE001 - whatever a session raises, progress must not undo a job's end
            logs.progress_not_written(self._logger, self._claim, error)

    def drop(self) -> None:
        """Forget what is not yet written."""
        self._latest = None
        if self._trailing is not None:
            self._trailing.cancel()
            self._trailing = None

    def _seconds_to_wait(self) -> float:
        if self._written_at is None:
            return 0.0
        return self._written_at + INTERVAL - asyncio.get_running_loop().time()

    async def _write(self) -> None:
        if self._latest is None:
            return
        (percent, message), self._latest = self._latest, None
        self._written_at = asyncio.get_running_loop().time()
        await self._session.progress(percent, message)

    async def _write_later(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        try:
            await self._write()
        except Exception as error:  # noqa: BLE001 - kept for the handler's next call, or logged at the end
            self._failure = error
        finally:
            self._trailing = None


def _checked(percent: Any) -> float:
    number = isinstance(percent, int | float) and not isinstance(percent, bool)
    if not number or not isfinite(percent) or not 0 <= percent <= 100:
        raise InputError(f"Progress is a number from 0 to 100 percent, not {percent!r}.")
    return percent


def _checked_message(message: Any) -> str | None:
    if message is not None and not isinstance(message, str):
        raise InputError(f"A progress message is text, not {type(message).__qualname__}.")
    return message
