"""The abort signal of one run: the runner's end, and the end that a handler sees."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from jobcore.errors import JobCancelledError

CANCELLED = "cancelled"
SUPERSEDED = "superseded"
LOST = "lost"
SHUTDOWN = "shutdown"
TIMED_OUT = "timed out"
"""The kinds of abort: why a handler is told to stop."""

Listener = Callable[[], None]

_turn = threading.Lock()
"""Aborts are rare, so that all signals share one lock and an untouched signal costs none."""


class Abort:
    """Tells one run to stop (the `AbortControl` port). Safe from any thread; the first call wins."""

    __slots__ = ("_listeners", "aborted", "aborted_by", "kind", "reason")

    def __init__(self) -> None:
        self.aborted = False
        self.reason: str | None = None
        self.aborted_by: str | None = None
        self.kind: str | None = None
        self._listeners: list[Listener] = []

    def abort(self, reason: str, *, by: str | None = None, kind: str = CANCELLED) -> None:
        """Tell the handler to stop; does not block. See `AbortControl.abort` for the kinds."""
        with _turn:
            if self.aborted:
                return
            self.reason, self.aborted_by, self.kind = reason, by, kind
            self.aborted = True
            listeners, self._listeners = self._listeners, []
        for listener in listeners:
            listener()

    def listen(self, listener: Listener) -> None:
        """Call `listener` when aborted, from whichever thread aborts; at once if it already is."""
        with _turn:
            if not self.aborted:
                self._listeners.append(listener)
                return
        listener()

    def unlisten(self, listener: Listener) -> None:
        """Forget a listener; harmless if it was called or never known."""
        with _turn:
            if listener in self._listeners:
                self._listeners.remove(listener)

    async def wait(self) -> None:
        """Return once aborted."""
        loop = asyncio.get_running_loop()
        heard = asyncio.Event()

        def listener() -> None:
            loop.call_soon_threadsafe(heard.set)

        self.listen(listener)
        try:
            await heard.wait()
        finally:
            self.unlisten(listener)

    def wait_blocking(self, timeout: float | None = None) -> bool:
        """Block the calling thread until aborted or `timeout` seconds passed; return whether aborted."""
        heard = threading.Event()
        self.listen(heard.set)
        try:
            return heard.wait(timeout)
        finally:
            self.unlisten(heard.set)

    def raise_if_aborted(self) -> None:
        """Raise `JobCancelledError` if aborted."""
        if self.aborted:
            raise JobCancelledError(self.reason or "The job was aborted.")


class HandlerSignal:
    """The handler's end of an `Abort` (the `AbortSignal` port).

    It remembers whether the handler saw the abort: one that never looked and returned has done its whole work, and
    is completed; one that looked may have cut its work short.
    """

    __slots__ = ("_abort", "seen")

    def __init__(self, abort: Abort) -> None:
        self._abort = abort
        self.seen = False

    @property
    def aborted(self) -> bool:
        if self._abort.aborted:
            self.seen = True
        return self.seen

    @property
    def reason(self) -> str | None:
        return self._abort.reason

    @property
    def aborted_by(self) -> str | None:
        return self._abort.aborted_by

    async def wait(self) -> None:
        await self._abort.wait()
        self.seen = True

    def wait_blocking(self, timeout: float | None = None) -> bool:
        self.seen = self._abort.wait_blocking(timeout) or self.seen
        return self.seen

    def raise_if_aborted(self) -> None:
        if self.aborted:
            self._abort.raise_if_aborted()
