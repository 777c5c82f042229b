"""The threads of `def` handlers: bounded, kept warm, and able to be interrupted, lost and replaced."""

from __future__ import annotations

import asyncio
import contextvars
import ctypes
import logging
import threading
from collections import deque
from collections.abc import Callable, Generator
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

from jobcore.execution import logs
from jobcore.execution.outcomes import HandlerInterrupt


class ThreadCall:
    """One function in a thread; awaited on the loop that made it."""

    def __init__(self, function: Callable[[], Any], what: str) -> None:
        self.what = what
        self._function = function
        self._variables = contextvars.copy_context()
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[Any] = self._loop.create_future()
        self._outcome: tuple[Any, BaseException | None] | None = None
        self.thread: PoolThread | None = None
        self.begun = False
        self.ended = False
        self.interrupted = False

    def __await__(self) -> Generator[Any, None, Any]:
        return self._future.__await__()

    def perform(self, release: Callable[[ThreadCall], None]) -> None:
        """Run the function in the calling thread, `release` the thread, and hand the function's end to the loop.

        An interrupt may strike at any point here, but only once; so finishing may be begun twice.
        """
        try:
            try:
                self.begun = True
                if self.interrupted:
                    raise HandlerInterrupt
                self._outcome = self._variables.run(self._function), None
            except BaseException as error:  # noqa: BLE001 - the border between handlers and the worker
                self._outcome = None, error
            self._finish(release)
        except HandlerInterrupt as late:
            self._outcome = self._outcome or (None, late)
            self._finish(release)

    def interrupt(self) -> bool:
        """Raise `HandlerInterrupt` in the thread, unless the function has ended; return whether it was raised.

        The order of the flags, here and in the thread, is what keeps an interrupt from the thread's next call: a
        thread that finds `interrupted` before it begins does not begin, and one that finds it after it set `ended`
        takes no other call.

        CPython 3.11 with a trace function set (coverage, debuggers) holds up all traced threads until the interrupted
        one comes out of C code; without one they are not disturbed.
        """
        self.interrupted = True
        if not self.begun or self.ended or self.thread is None or self.thread.ident is None:
            return False
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(self.thread.ident), ctypes.py_object(HandlerInterrupt)
        )
        return True

    def abandon(self) -> None:
        """End the wait for a function that does not end."""
        if not self._future.done():
            self._future.set_exception(HandlerInterrupt("The handler's thread did not stop."))

    def _finish(self, release: Callable[[ThreadCall], None]) -> None:
        self.ended = True
        release(self)
        with suppress(RuntimeError):  # the loop was closed while the handler ran: nobody waits any more
            self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        if self._future.done() or self._outcome is None:
            return
        value, error = self._outcome
        if error is None:
            self._future.set_result(value)
        elif isinstance(error, StopIteration):  # a future refuses it
            self._future.set_exception(_stop_iteration(error))
        else:
            self._future.set_exception(error)


class PoolThread(threading.Thread):
    """A thread that runs one call after another."""

    def __init__(self, pool: ThreadPool, number: int) -> None:
        super().__init__(name=f"jobcore-handler-{number}", daemon=True)
        self.calls: SimpleQueue[ThreadCall | None] = SimpleQueue()
        self._pool = pool

    def run(self) -> None:
        with suppress(HandlerInterrupt):  # one that strikes after its call had ended: the thread takes no other
            while (call := self.calls.get()) is not None:
                call.perform(self._release)
                del call

    def _release(self, call: ThreadCall) -> None:
        self._pool.release(self, call)


class ThreadPool:
    """At most `limit` threads that work; idle ones are kept, lost ones are replaced. Calls beyond wait their turn."""

    def __init__(self, limit: int, logger: logging.Logger) -> None:
        self._limit = limit
        self._logger = logger
        self._idle: list[PoolThread] = []
        self._working: set[PoolThread] = set()
        self._waiting: deque[ThreadCall] = deque()
        self._lost: dict[PoolThread, ThreadCall] = {}
        self._turn = threading.RLock()
        self._made = 0
        self._closed = False

    def start(self, call: ThreadCall) -> None:
        """Give `call` to a thread, now or when one is free. Does not block."""
        with self._turn:
            if self._idle:
                self._give(self._idle.pop(), call)
            elif len(self._working) < self._limit:
                self._made += 1
                thread = PoolThread(self, self._made)
                thread.start()
                self._give(thread, call)
            else:
                self._waiting.append(call)

    def lose(self, call: ThreadCall) -> None:
        """Write off the thread of `call`: its place in the pool is free for another."""
        with self._turn:
            thread = call.thread
            if thread is None or call.ended or thread not in self._working:
                return
            self._working.discard(thread)
            self._lost[thread] = call
            logs.thread_lost(self._logger, thread.name, call.what, len(self._lost))
            self._start_waiting()

    def lost(self) -> list[str]:
        """Return what the threads run that could not be stopped."""
        with self._turn:
            return [call.what for call in self._lost.values()]

    def release(self, thread: PoolThread, call: ThreadCall) -> None:
        """Take back a thread whose call has ended; called by the thread, and safe to repeat if it was interrupted."""
        with self._turn:
            was_lost = self._lost.pop(thread, None) is not None
            self._working.discard(thread)
            if call.interrupted or was_lost or self._closed:
                thread.calls.put(None)
            else:
                self._idle.append(thread)
            self._start_waiting()
        if was_lost:
            logs.thread_came_back(self._logger, thread.name, call.what)

    def close(self) -> None:
        """Let the threads go: idle ones now, working ones at the end of their call. Does not block."""
        with self._turn:
            self._closed = True
            for thread in self._idle:
                thread.calls.put(None)
            self._idle.clear()

    def _give(self, thread: PoolThread, call: ThreadCall) -> None:
        self._working.add(thread)
        call.thread = thread
        thread.calls.put(call)

    def _start_waiting(self) -> None:
        while self._waiting and (self._idle or len(self._working) < self._limit):
            self.start(self._waiting.popleft())


def _stop_iteration(error: StopIteration) -> RuntimeError:
    wrapped = RuntimeError("The handler raised StopIteration.")
    wrapped.__cause__ = error
    return wrapped
