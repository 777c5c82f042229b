"""Applications with workers, on each house runner: flow control means the same on all of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from jobcore import JobApp
from jobcore.memory import MemoryRunner
from jobcore.testing.apps import quiet_settings

PATIENCE = 8.0


@dataclass
class Floor:
    """Counts what runs, and holds it until told otherwise."""

    running: list[Any] = field(default_factory=list[Any])
    most: int = 0
    began: list[Any] = field(default_factory=list[Any])
    ended: list[Any] = field(default_factory=list[Any])
    _gates: dict[Any, asyncio.Event] = field(default_factory=dict[Any, asyncio.Event])

    async def hold(self, what: Any) -> None:
        """Run until `let_go(what)`."""
        async with self.passing(what):
            await self.opened(what)

    async def opened(self, what: Any) -> None:
        """Return once `let_go(what)` was called."""
        await self._gates.setdefault(what, asyncio.Event()).wait()

    @asynccontextmanager
    async def passing(self, what: Any) -> AsyncGenerator[None]:
        self.began.append(what)
        self.running.append(what)
        self.most = max(self.most, len(self.running))
        try:
            yield
        finally:
            self.running.remove(what)
            self.ended.append(what)

    def let_go(self, *what: Any) -> None:
        for one in what:
            self._gates.setdefault(one, asyncio.Event()).set()


async def until(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    """Wait for a condition, which may have to be awaited; fail after a while."""
    async with asyncio.timeout(PATIENCE):
        while True:
            held = condition()
            if held if isinstance(held, bool) else await held:
                return
            await asyncio.sleep(0.005)


Open = Callable[..., Awaitable[JobApp]]


@pytest.fixture(params=["memory", "pgboss"])
def runner_type(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def settings(runner_type: str, request: pytest.FixtureRequest) -> Iterator[Any]:
    if runner_type == "memory":
        yield None
        return
    yield quiet_settings(
        runner="pgboss",
        database={"url": request.getfixturevalue("database_dsn")},
        pgboss={"poll_interval_seconds": 0.2, "cancel_poll_seconds": 0.1, "rescue_interval_seconds": 0.2},
    )


@pytest.fixture
async def opened(settings: Any) -> AsyncGenerator[Open]:
    """Open an application with these handlers, and with `workers` workers of a concurrency."""
    async with AsyncExitStack() as stack:

        async def open_app(*handlers: Any, workers: int = 1, concurrency: int = 20, **options: Any) -> JobApp:
            if settings is None:
                options |= {"settings": quiet_settings(plugins={"allow": []}), "runner": MemoryRunner()}
            else:
                options["settings"] = settings
            app = await stack.enter_async_context(JobApp(handlers=handlers, **options))
            for _ in range(workers):
                worker = app.worker(concurrency=concurrency)
                await worker.start()
                stack.push_async_callback(worker.stop)
            return app

        yield open_app


@pytest.fixture
def floor() -> Floor:
    return Floor()
