"""Stopping on request: the first one waits for the running jobs, the second hands them back (B27)."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import timedelta
from typing import TypeAlias

from jobcore.app import logs
from jobcore.ports.runner import Worker

STOPPING = (signal.SIGTERM, signal.SIGINT)


class Stopper:
    """Stops a worker when it is asked to, on the event loop."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._is_starting = False
        self._early: list[str] = []
        """The signals that came while it started."""
        self._draining: asyncio.Task[None] | None = None
        self._handing_back: asyncio.Task[None] | None = None
        self._signals = 0

    async def start(self) -> None:
        """Start the worker. Signals that come meanwhile count once it has."""
        self._is_starting = True
        await self._worker.start()
        self._is_starting = False
        for name in self._early:
            self.signalled(name)

    def drain(self, who: str) -> None:
        """Take no new jobs and wait for the running ones. Asked again it does nothing."""
        if self._draining is None:
            logs.stopping_on(who)
            self._draining = asyncio.create_task(self._worker.drain())

    def hand_back(self, who: str) -> None:
        """Stop at once; running jobs are handed back. Asked again it does nothing."""
        if self._handing_back is None:
            logs.stopping_now(who)
            self._handing_back = asyncio.create_task(self._worker.stop(timedelta()))

    async def finish(self) -> None:
        """Wait until the worker has stopped as asked."""
        await asyncio.gather(*(task for task in (self._draining, self._handing_back) if task is not None))

    @contextmanager
    def hear_signals(self) -> Generator[None]:
        """Take SIGTERM and SIGINT for the length of the block. For the main thread's loop only."""
        loop = asyncio.get_running_loop()
        for number in STOPPING:
            loop.add_signal_handler(number, self.signalled, number.name)
        try:
            yield
        finally:
            for number in STOPPING:
                loop.remove_signal_handler(number)

    def signalled(self, name: str) -> None:
        """Drain for the first signal, and hand back for the next."""
        if self._is_starting:
            self._early.append(name)
            return
        self._signals += 1
        if self._signals == 1:
            self.drain(name)
        else:
            self.hand_back(f"{name} again")


Ear: TypeAlias = Callable[[Stopper], AbstractContextManager[None]]
"""Tells a stopper, for the length of a block, what somebody asks for."""


async def start_and_work_until_stopped(worker: Worker, *ears: Ear) -> None:
    """As `work_until_stopped`, for a worker that is to be started: who sees it live may ask it to stop at once."""
    stopper = Stopper(worker)
    with ExitStack() as listening:
        for ear in ears:
            listening.enter_context(ear(stopper))
        await stopper.start()
        await _until_stopped(worker, stopper)


async def work_until_stopped(worker: Worker, *ears: Ear) -> None:
    """Return once a started worker has stopped, asked through an ear or by itself; raise what made it stop by itself.

    Blocks until then.
    """
    stopper = Stopper(worker)
    with ExitStack() as listening:
        for ear in ears:
            listening.enter_context(ear(stopper))
        await _until_stopped(worker, stopper)


async def _until_stopped(worker: Worker, stopper: Stopper) -> None:
    try:
        await worker.wait_closed()
        await stopper.finish()
    finally:
        await worker.stop()
