"""A worker for code that blocks: its jobs run in the application's thread while the caller goes on."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from types import FrameType
from typing import Any
from uuid import UUID

from jobcore.app.loop_thread import LoopThread
from jobcore.app.signals import STOPPING, Ear, Stopper, work_until_stopped
from jobcore.app.workers import AppWorker
from jobcore.errors import ConfigurationError
from jobcore.models import Claim


class BlockingWorker:
    """The twin of `AppWorker`, made by `BlockingJobApp.worker`; `start` returns once it works."""

    def __init__(self, loop: LoopThread, worker: AppWorker) -> None:
        self._loop = loop
        self._worker = worker

    @property
    def worker_id(self) -> UUID:
        return self._worker.worker_id

    def start(self) -> None:
        self._loop.run(self._worker.start())

    def drain(self) -> None:
        self._loop.run(self._worker.drain())

    def stop(self, grace: timedelta | None = None) -> None:
        self._loop.run(self._worker.stop(grace))

    def resize(self, concurrency: int) -> None:
        self._loop.call_soon(self._worker.resize, concurrency)

    def running(self) -> Sequence[Claim]:
        return self._worker.running()

    def wait_closed(self) -> None:
        self._loop.run(self._worker.wait_closed())

    def work_until_stopped(self, *, handle_signals: bool) -> None:
        """Start, and return once it has stopped, asked by SIGTERM or SIGINT or by itself.

        Raises:
            ConfigurationError: if signals are to be handled outside the main thread, which alone gets them.
        """
        if handle_signals and threading.current_thread() is not threading.main_thread():
            raise ConfigurationError(
                "run_worker handles SIGTERM and SIGINT, which only the main thread gets: call it there, or make a "
                "worker() and call its start() and stop()."
            )
        self.start()
        if not handle_signals:
            self._loop.run(work_until_stopped(self._worker))
            return
        with self._hearing_signals() as ear:
            self._loop.run(work_until_stopped(self._worker, ear))

    @contextmanager
    def _hearing_signals(self) -> Generator[Ear]:
        """Take the main thread's signals for the length of the block; they are told in the loop's thread, in order."""
        told: list[str] = []
        stoppers: list[Stopper] = []

        def tell(name: str) -> None:
            told.append(name)
            for stopper in stoppers:
                stopper.signalled(name)

        @contextmanager
        def ear(stopper: Stopper) -> Generator[None]:
            stoppers.append(stopper)
            for name in told:
                stopper.signalled(name)
            yield

        def take(number: int, _frame: FrameType | None) -> None:
            self._loop.call_soon(tell, signal.Signals(number).name)

        before: dict[int, Any] = {}
        try:
            for number in STOPPING:
                before[number] = signal.signal(number, take)
            yield ear
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
