"""The memory runner, as the contracts see it: its clock goes on by itself, and can be moved ahead."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from jobcore.app import JobApp
from jobcore.memory import MemoryMode, MemoryRunner, MemoryStore
from jobcore.memory.runner import MEMORY_CAPABILITIES
from jobcore.ports.clock import SystemClock
from jobcore.testing import memory_app
from jobcore.testing.runner_contract import RunnerHarness


class HastenedClock(SystemClock):
    """The machine's clock, ahead of it by what the test skipped."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class MemoryHarness(RunnerHarness):
    """One store in memory, and a runner on it that all applications of a test share."""

    capabilities = MEMORY_CAPABILITIES
    can_advance = True
    patience = 10.0

    def __init__(self) -> None:
        self.clock = HastenedClock()
        self.runner = self.make_runner(self.make_store(self.clock))

    def make_store(self, clock: HastenedClock) -> MemoryStore:
        return MemoryStore(clock)

    def make_runner(self, store: MemoryStore) -> MemoryRunner:
        return MemoryRunner(store, mode=MemoryMode.WORKER)

    @asynccontextmanager
    async def application(self, **options: Any) -> AsyncGenerator[JobApp]:
        async with memory_app(runner=self.runner, **options) as app:
            yield app

    def transaction(self, app: JobApp) -> AbstractAsyncContextManager[Any]:
        return self.runner.store.connection().transaction()

    async def advance(self, app: JobApp, by: timedelta) -> None:
        self.clock.ahead += by
        self.runner.store.tables.bell.ring()
