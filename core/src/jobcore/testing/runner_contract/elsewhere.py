"""A worker that can be frozen: what others see of it is what they see of one that was killed, until it wakes up."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType
from typing import Any, Self

from jobcore.testing.runner_contract.harness import RunnerHarness
from jobcore.testing.runner_contract.site import Handler, Site, working


class Elsewhere:
    """An application with a worker in a thread and an event loop of its own.

    Args:
        options: further arguments of `JobApp`.
    """

    def __init__(self, harness: RunnerHarness, *handlers: Handler, **options: Any) -> None:
        self._harness = harness
        self._handlers = handlers
        self._options = options
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()), name="jobcore-elsewhere")
        self._ready = threading.Event()
        self._frozen = threading.Event()
        self._thawed = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leave: asyncio.Event | None = None
        self.site: Site

    async def __aenter__(self) -> Self:
        self._thread.start()
        await self._hear(self._ready)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.thaw()
        if self._loop is not None and self._leave is not None:
            self._loop.call_soon_threadsafe(self._leave.set)
        await asyncio.to_thread(self._thread.join)

    async def freeze(self) -> None:
        """Let nothing of it run any more: no handler, no heartbeat."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._stand_still)
        await self._hear(self._frozen)

    def thaw(self) -> None:
        """Let it go on as if nothing had happened."""
        self._thawed.set()

    async def _live(self) -> None:
        self._loop, self._leave = asyncio.get_running_loop(), asyncio.Event()
        async with working(self._harness, *self._handlers, **self._options) as site:
            self.site = site
            self._ready.set()
            await self._leave.wait()

    def _stand_still(self) -> None:
        self._frozen.set()
        self._thawed.wait()

    async def _hear(self, event: threading.Event) -> None:
        heard = await asyncio.to_thread(event.wait, self._harness.patience)
        assert heard, "The worker elsewhere did not answer."
