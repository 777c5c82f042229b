"""The thread that waits for a blocking call, lent to the loop that answers it.

Some objects belong to the thread that made them: a Django connection, a SQLAlchemy session. `BlockingJobApp` runs on an
event loop in another thread, so a runner that must use such an object asks the waiting thread to do it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")


class CallingThread:
    """A thread that does errands for a loop while it waits for the loop's answer."""

    def __init__(self) -> None:
        self._errands: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._waits = True

    @property
    def waits(self) -> bool:
        """Whether it still takes errands."""
        return self._waits

    @contextmanager
    def lent(self) -> Generator[None]:
        """Let the tasks that the block hands to a loop find this thread."""
        token = _lent.set(self)
        try:
            yield
        finally:
            _lent.reset(token)

    def wait_for(self, answer: Future[T]) -> T:
        """Do errands until the answer is there; return it, or raise what it raises. Blocks."""
        answer.add_done_callback(lambda _: self._errands.put(None))
        try:
            while (errand := self._errands.get()) is not None:
                errand()
        finally:
            self._waits = False
        return answer.result()

    def do(self, work: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> Future[T]:
        """Have the thread do some work. Returns at once."""
        done: Future[T] = Future()

        def errand() -> None:
            if not done.set_running_or_notify_cancel():
                return
            try:
                done.set_result(work(*arguments, **options))
            except Exception as error:  # noqa: BLE001 - it is raised where the errand came from
                done.set_exception(error)

        self._errands.put(errand)
        return done


def calling_thread() -> CallingThread | None:
    """Return the thread that waits for the current task, if one does."""
    thread = _lent.get()
    return thread if thread is not None and thread.waits else None


async def in_calling_thread(work: Callable[..., T], *arguments: Any) -> T:
    """Do blocking work in the thread that waits for this task; where none does, in a thread of the loop's.

    Returns or raises once the work is done: a cancellation waits for it, since nobody may use what it uses before.
    """
    thread = calling_thread()
    if thread is not None:
        return await asyncio.wrap_future(thread.do(work, *arguments))
    working = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait([working])
        raise


_lent: ContextVar[CallingThread | None] = ContextVar("jobcore_calling_thread", default=None)
