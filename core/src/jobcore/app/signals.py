"""Stopping on signals: the first waits for the running jobs, the second hands them back (B27)."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from datetime import timedelta

from jobcore.app import logs
from jobcore.ports.runner import Worker

STOPPING = (signal.SIGTERM, signal.SIGINT)


class Stopper:
    """Stops a worker when the process is asked to."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._tasks: list[asyncio.Task[None]] = []

    def ask(self, name: str) -> None:
        """Hear of a signal, on the event loop."""
        if not self._tasks:
            logs.stopping_on(name)
            self._tasks.append(asyncio.create_task(self._worker.drain()))
        elif len(self._tasks) == 1:
            logs.stopping_now(name)
            self._tasks.append(asyncio.create_task(self._worker.stop(timedelta())))

    async def finish(self) -> None:
        """Wait until the worker has stopped as asked."""
        await asyncio.gather(*self._tasks)

    @contextmanager
    def listening(self) -> Generator[None]:
        """Take SIGTERM and SIGINT for the length of the block. For the main thread's loop only."""
        loop = asyncio.get_running_loop()
        for number in STOPPING:
            loop.add_signal_handler(number, self.ask, number.name)
        try:
            yield
        finally:
            for number in STOPPING:
                loop.remove_signal_handler(number)


async def work_until_stopped(worker: Worker, *, handle_signals: bool) -> None:
    """Return once a started worker has stopped, by a signal or by itself; raise what made it stop by itself."""
    stopper = Stopper(worker)
    try:
        with stopper.listening() if handle_signals else nullcontext():
            await worker.wait_closed()
        await stopper.finish()
    finally:
        await worker.stop()
