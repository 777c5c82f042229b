"""A TCP proxy before a server, which can cut its connections without a word: the sockets stay open, nothing passes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

LOOPBACK = "127.0.0.1"


class Proxy:
    """Passes bytes on between its clients and one server, until told to be silent."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._passing: set[asyncio.Event] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._lost_reply: bytes | None = None
        self.connections = 0
        self.port = 0

    def lose_reply(self, word: bytes) -> None:
        """Break the connection on which the server next answers with this word, before its client hears it."""
        self._lost_reply = word

    @property
    def has_lost_reply(self) -> bool:
        """Whether that has happened."""
        return self._lost_reply is None

    def loses(self, reply: bytes) -> bool:
        """Whether this is the reply to be lost."""
        if self._lost_reply is None or self._lost_reply not in reply:
            return False
        self._lost_reply = None
        return True

    def silence(self) -> None:
        """Let nothing pass any more on the connections that are there; new ones work."""
        for passing in self._passing:
            passing.clear()
        self._passing.clear()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        passing = asyncio.Event()
        passing.set()
        self._passing.add(passing)
        theirs = await asyncio.open_connection(LOOPBACK, self._server_port)
        for source, sink, loses in ((reader, theirs[1], None), (theirs[0], writer, self.loses)):
            task = asyncio.create_task(_pass_on(source, sink, passing, loses))
            self._tasks.add(task)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _pass_on(
    source: asyncio.StreamReader,
    sink: asyncio.StreamWriter,
    passing: asyncio.Event,
    loses: Callable[[bytes], bool] | None,
) -> None:
    try:
        while data := await source.read(65_536):
            await passing.wait()
            if loses is not None and loses(data):
                return
            sink.write(data)
            await sink.drain()
    except ConnectionError:
        pass
    finally:
        sink.close()


@asynccontextmanager
async def proxied(server_port: int) -> AsyncGenerator[Proxy]:
    """A proxy on a free loopback port, as long as the block lasts."""
    proxy = Proxy(server_port)
    server = await asyncio.start_server(proxy.serve, LOOPBACK, 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()
