"""Watching one run: its time-out, its abort, and the ladder from a polite word to leaving it behind.

The ladder: the signal is set; after the handler's `abort_grace` (at once for a time-out) the run is interrupted, in the
way of its execution; what does not end within the clean-up grace is left behind, and the job is settled without it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, NamedTuple, Protocol

from jobcore.execution.abort import SHUTDOWN, TIMED_OUT, Abort


class Run(Protocol):
    """One call of a handler in one of the three executions."""

    def call(self) -> Awaitable[Any]:
        """Run the handler and return its result, or raise what it raised."""
        ...

    def interrupt(self, task: asyncio.Task[Any]) -> None:
        """Make the handler stop now. `task` awaits `call()`, directly or through middleware. Does not block."""
        ...

    def abandon(self, task: asyncio.Task[Any]) -> None:
        """Give up on a handler that did not stop; `task` should end soon, if it can. Does not block."""
        ...


class Bounds(NamedTuple):
    """How long a run may take: its attempt, its way out after an abort, and its clean-up after an interrupt."""

    timeout: timedelta
    abort_grace: timedelta
    cleanup_grace: timedelta


class Ending(NamedTuple):
    """How a run ended. With `abandoned` it has not, and is no longer waited for."""

    value: Any = None
    error: BaseException | None = None
    stopped: str | None = None
    """The kind of the abort that the run was told of before it ended, if any."""
    interrupted: bool = False
    abandoned: bool = False
    began: bool = True


class Supervision:
    """The watch over one run; `wait()` is called once."""

    __slots__ = (
        "_abandoned",
        "_abort",
        "_bounds",
        "_interrupted",
        "_loop",
        "_over",
        "_run",
        "_stopped",
        "_task",
        "_timer",
    )

    def __init__(self, run: Run, abort: Abort, bounds: Bounds, loop: asyncio.AbstractEventLoop) -> None:
        self._run = run
        self._loop = loop
        self._abort = abort
        self._bounds = bounds
        self._stopped: str | None = None
        self._interrupted = False
        self._abandoned = False

    async def wait(self, call: Callable[[], Awaitable[Any]], stragglers: set[asyncio.Task[Any]]) -> Ending:
        """Run `call` in a task of its own until it ends, or is left behind in `stragglers`.

        If the calling task is cancelled, the run is stopped first, within the clean-up grace; then the cancellation
        goes on. A second one does not wait.
        """
        loop = self._loop
        self._over = loop.create_future()
        self._task = loop.create_task(_capture(call))
        self._task.add_done_callback(self._end)
        self._timer = loop.call_later(self._bounds.timeout.total_seconds(), self._time_out)
        self._abort.listen(self._hear_abort)
        try:
            await self._over
        except asyncio.CancelledError:
            await self._stop_with_caller()
            raise
        finally:
            self._abort.unlisten(self._hear_abort)
            self._timer.cancel()
            if not self._task.done():
                stragglers.add(self._task)
                self._task.add_done_callback(stragglers.discard)
        return self._ending()

    # -- what may happen, each on the loop -----------------------------------------------------------------------------

    def _end(self, _task: asyncio.Task[Any]) -> None:
        if not self._over.done():
            self._over.set_result(None)

    def _hear_abort(self) -> None:
        self._loop.call_soon_threadsafe(self._heed_abort)

    def _heed_abort(self) -> None:
        if self._stopped is None and not self._task.done():
            self._stopped = self._abort.kind
            self._after(self._bounds.abort_grace, self._interrupt)

    def _time_out(self) -> None:
        if self._task.done():
            return
        self._abort.abort(f"The job ran past its time-out of {self._bounds.timeout}.", kind=TIMED_OUT)
        self._stopped = self._abort.kind
        self._interrupt()

    def _interrupt(self) -> None:
        if not self._task.done():
            self._interrupted = True
            self._run.interrupt(self._task)
            self._after(self._bounds.cleanup_grace, self._abandon)

    def _abandon(self) -> None:
        self._abandoned = not self._task.done()
        if self._abandoned:
            self._run.abandon(self._task)
        if not self._over.done():
            self._over.set_result(None)

    async def _stop_with_caller(self) -> None:
        self._abort.abort("The worker stopped.", kind=SHUTDOWN)
        self._stopped = self._abort.kind
        self._over = self._loop.create_future()
        self._interrupt()
        if self._task.done():
            return
        try:
            await self._over
        except asyncio.CancelledError:
            self._abandon()
            raise

    # -- details -------------------------------------------------------------------------------------------------------

    def _after(self, delay: timedelta, call: Callable[[], None]) -> None:
        self._timer.cancel()
        self._timer = self._loop.call_later(delay.total_seconds(), call)

    def _ending(self) -> Ending:
        if self._abandoned:
            return Ending(stopped=self._stopped, interrupted=True, abandoned=True)
        try:
            value, error = self._task.result()
        except asyncio.CancelledError as cancelled:  # before the run had begun
            value, error = None, cancelled
        return Ending(value, error, self._stopped, self._interrupted)


async def _capture(call: Callable[[], Awaitable[Any]]) -> tuple[Any, BaseException | None]:
    """Return what `call` returns or raises.

    Everything is caught, `SystemExit` too: a task that raised it would end the worker's loop, and one job must not
    take the others down.
    """
    try:
        return await call(), None
    except BaseException as error:  # noqa: BLE001 - the border between handlers and the worker
        return None, error
