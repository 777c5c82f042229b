"""An event loop in a thread of its own, for callers that block."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from jobcore.errors import ConfigurationError
from jobcore.ports.calling_thread import CallingThread

T = TypeVar("T")


class LoopThread:
    """Runs coroutines for other threads; started by the first `run`, ended by `stop`. Safe from any thread."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._starting = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._process: int | None = None

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop; block until it is done, return what it returns or raise what it raises.

        Meanwhile this thread does what the coroutine asks of it; see `jobcore.ports.calling_thread`.

        Raises:
            ConfigurationError: if the caller is itself on an event loop, which it would stop, or in a forked process.
        """
        try:
            self._check_caller()
            loop = self._running_loop()
        except BaseException:
            coroutine.close()
            raise
        thread = CallingThread()
        with thread.lent():
            future = asyncio.run_coroutine_threadsafe(coroutine, loop)
        try:
            return thread.wait_for(future)
        except BaseException:
            future.cancel()
            raise

    def call_soon(self, call: Callable[..., None], *arguments: Any) -> None:
        """Have the loop call something, and return at once; nothing happens if it does not run. Signal handlers may."""
        if (loop := self._loop) is not None:
            loop.call_soon_threadsafe(call, *arguments)

    def stop(self) -> None:
        """End the loop and its thread; harmless if there is none. Blocks until the thread has ended."""
        with self._starting:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is not None and thread is not None and self._process == os.getpid():
            loop.call_soon_threadsafe(loop.stop)
            thread.join()

    def _check_caller(self) -> None:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return
        raise ConfigurationError(
            "A blocking call came from the thread of a running event loop, which it would stop: use JobApp and await "
            "it, or hand the call to a thread with asyncio.to_thread(...)."
        )

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._starting:
            if self._loop is None:
                self._process = os.getpid()
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._serve, args=(self._loop,), name=self._name, daemon=True)
                self._thread.start()
            elif self._process != os.getpid():
                raise ConfigurationError(
                    "This process was forked from one in which the BlockingJobApp was open, and threads do not survive "
                    "a fork: open it after the fork, for instance in the server's post-fork hook."
                )
            return self._loop

    @staticmethod
    def _serve(loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
            loop.run_until_complete(_finish(loop))
        finally:
            loop.close()


async def _finish(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel what is left, and let it clean up."""
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    await loop.shutdown_asyncgens()
    await loop.shutdown_default_executor()
