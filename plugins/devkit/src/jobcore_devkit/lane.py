"""A lane of TCP between a client and a server, to test what a fault of the network does to a program.

    with Lane(server.port) as lane:
        client = await Client.connect(lane.address)
        lane.black_hole()

Everything here blocks, for a moment only: the lane has a thread and an event loop of its own, so that it works beside
a test's loop as well as without one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from threading import Thread
from types import TracebackType
from typing import Self

from jobcore_devkit._ports import LOOPBACK, free_port
from jobcore_devkit._traffic import Traffic
from jobcore_devkit.errors import ServerNotRunningError

__all__ = ["Lane"]

STEP_SECONDS = 10.0


class Lane:
    """Carries the bytes of any number of connections to a server's loopback port, until told otherwise.

    A connection that the server refuses is accepted by the lane and closed at once.
    """

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._port = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: Thread | None = None
        self._traffic: Traffic | None = None

    def start(self) -> None:
        """Listen on a free loopback port, and pass on. Does nothing if it does already."""
        if self._traffic is not None:
            return
        self._port = self._port or free_port()
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="jobcore-lane", daemon=True)
        self._thread.start()
        self._traffic = Traffic(self._port, self._server_port)
        self.heal()

    def close(self) -> None:
        """End all connections, and listen no more."""
        if self._traffic is None or self._loop is None or self._thread is None:
            return
        self._do(self._traffic.end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._traffic = self._loop = self._thread = None

    def black_hole(self) -> None:
        """Let nothing pass, on old connections and on new ones, and tell nobody: neither bytes nor ends of connections.

        The bytes are not lost, as those that TCP sends again are not: `heal()` lets them arrive.
        """
        self._do(self._running().hold())

    def mute(self) -> None:
        """Let everything reach the server and nothing come back, on old connections and on new ones.

        What is asked is done, and nobody hears of it until `heal()` lets the answers arrive.
        """
        self._do(self._running().mute())

    def refuse(self) -> None:
        """End all connections and refuse new ones, as a machine without the server does."""
        self._do(self._running().refuse())

    def cut(self) -> None:
        """End all connections now; new ones are treated as before."""
        self._do(self._running().cut())

    def heal(self) -> None:
        """Pass everything on again, at the same address."""
        self._do(self._running().heal())

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def port(self) -> int:
        """The loopback port of the lane; 0 before the first start."""
        return self._port

    @property
    def address(self) -> str:
        """Where a client connects, such as `127.0.0.1:20123`. Raises ServerNotRunningError before the first start."""
        if not self._port:
            raise ServerNotRunningError("The lane has not been started; call start() first.")
        return f"{LOOPBACK}:{self._port}"

    def _running(self) -> Traffic:
        if self._traffic is None:
            raise ServerNotRunningError("The lane does not run; call start() first.")
        return self._traffic

    def _do(self, step: Coroutine[object, object, None]) -> None:
        assert self._loop is not None  # noqa: S101 - traffic and loop come and go together
        asyncio.run_coroutine_threadsafe(step, self._loop).result(STEP_SECONDS)
