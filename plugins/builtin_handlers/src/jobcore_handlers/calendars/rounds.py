"""One round over providers: some at a time, the failure of one not that of the others."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from typing import Protocol, TypeVar
from uuid import UUID

from jobcore import JobContext
from jobcore_handlers.calendars import logs
from jobcore_handlers.calendars.errors import CalendarError
from jobcore_handlers.calendars.health import record_failure

AT_A_TIME = 8


class Outcome(StrEnum):
    """What came of one provider."""

    CREATED = "created"
    RENEWED = "renewed"
    ADOPTED = "adopted"
    """A run that died had made it; now it is ours."""
    UNCHANGED = "unchanged"
    OVERTAKEN = "overtaken"
    """Another run served the provider meanwhile; what this one made is ended again."""
    FAILED = "failed"


class Provider(Protocol):
    """What a round has to know of a provider."""

    @property
    def provider_id(self) -> UUID: ...


ProviderT = TypeVar("ProviderT", bound=Provider)


class Round:
    """Serves providers for one job."""

    def __init__(self, ctx: JobContext) -> None:
        self._ctx = ctx
        self._places = asyncio.Semaphore(AT_A_TIME)
        self._counts: Counter[Outcome] = Counter()

    async def over(
        self, providers: Sequence[ProviderT], serve: Callable[[ProviderT], Awaitable[Outcome]]
    ) -> dict[str, int]:
        """Serve each provider and return how many came to which outcome, and how many there were.

        What is no `CalendarError` concerns all providers: it is raised, once those under way have ended.
        """
        visits = (self._visit(provider, serve, len(providers)) for provider in providers)
        for ended in await asyncio.gather(*visits, return_exceptions=True):
            if ended is not None:
                raise ended
        counts = {"providers": len(providers), **{outcome.value: self._counts[outcome] for outcome in Outcome}}
        logs.finished(self._ctx.logger, counts)
        return counts

    async def _visit(self, provider: ProviderT, serve: Callable[[ProviderT], Awaitable[Outcome]], total: int) -> None:
        async with self._places:
            self._ctx.signal.raise_if_aborted()
            try:
                outcome = await serve(provider)
            except CalendarError as error:
                outcome = Outcome.FAILED
                failures = await record_failure(self._ctx, provider.provider_id, error)
                logs.failed(self._ctx.logger, provider.provider_id, failures, error)
            else:
                logs.served(self._ctx.logger, provider.provider_id, outcome)
            self._counts[outcome] += 1
            await self._ctx.progress(100 * self._counts.total() / total, f"{self._counts.total()} of {total} calendars")
