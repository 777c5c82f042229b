"""Whether the server lives: a circuit breaker over one worker's calls, loud when it opens and when it closes (Q01)."""

from __future__ import annotations

import asyncio
import time

from jobcore.errors import EngineUnavailableError
from jobcore.policies.breaker import BreakerState, CircuitBreaker
from jobcore.ports.observer import Observer
from jobcore_temporal import logs
from jobcore_temporal.connection import Connection
from jobcore_temporal.identity import RUNNER_TYPE
from jobcore_temporal.settings import TemporalRunnerSettings


class Lifeline:
    """Counts failures; once there are too many in a row, nobody calls, and one probe a second asks.

    Args:
        fallback: the runner that takes jobs meanwhile, for messages; `None` if none does.
    """

    def __init__(
        self, connection: Connection, settings: TemporalRunnerSettings, observer: Observer, fallback: str | None
    ) -> None:
        self._connection = connection
        self._probe_every = settings.breaker_probe_seconds
        self._breaker = CircuitBreaker(settings.breaker_failures, settings.breaker_probe_seconds)
        self._observer = observer
        self._fallback = fallback
        self._opened_at = 0.0
        self._failed = asyncio.Event()
        self._up = asyncio.Event()
        self._up.set()

    def go_by(self, settings: TemporalRunnerSettings, fallback: str | None) -> None:
        """Take other settings of the breaker, and another fallback, from now on."""
        self._probe_every = settings.breaker_probe_seconds
        self._breaker.adjust(settings.breaker_failures, settings.breaker_probe_seconds)
        self._fallback = fallback

    @property
    def is_cut(self) -> bool:
        """Whether the server is away."""
        return self._breaker.state is not BreakerState.CLOSED

    async def wait_up(self) -> None:
        """Return once the server answers, at once if it does."""
        await self._up.wait()

    def succeeded(self) -> None:
        """A call worked."""
        if not self.is_cut:
            self._breaker.record_success()

    def failed(self, error: BaseException) -> None:
        """A call did not reach the server, or none of a batch did: some that are late only show that it is busy."""
        self._failed.set()
        if self._breaker.record_failure(time.monotonic()) and self._up.is_set():
            self._cut(str(error) or type(error).__name__)

    async def turn(self) -> None:
        """Ask the server now and then, also while nothing is to be done, and at once after a call that failed."""
        try:
            async with asyncio.timeout(self._probe_every):
                await (asyncio.Event() if self.is_cut else self._failed).wait()
        except TimeoutError:
            pass
        self._failed.clear()
        try:
            await self._connection.check()
        except EngineUnavailableError as error:
            self.failed(error)
        else:
            self._recovered()

    def _cut(self, reason: str) -> None:
        self._up.clear()
        self._opened_at = time.monotonic()
        logs.temporal_away(self._connection.address, reason, fallback=self._fallback)
        self._observer.runner_degraded(RUNNER_TYPE, reason)

    def _recovered(self) -> None:
        self._breaker.reset()
        if not self._up.is_set():
            logs.temporal_back(self._connection.address, time.monotonic() - self._opened_at)
            self._observer.runner_recovered(RUNNER_TYPE)
            self._up.set()
