"""A TCP proxy before a server, which can cut its connections without a word: the sockets stay open, nothing passes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

LOOPBACK = "127.0.0.1"


class Proxy:
    """Passes bytes on between its clients and one server, until told to be silent."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._passing: set[asyncio.Event] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.connections = 0
        self.port = 0

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
        for source, sink in ((reader, theirs[1]), (theirs[0], writer)):
            task = asyncio.create_task(_pass_on(source, sink, passing))
            self._tasks.add(task)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter, passing: asyncio.Event) -> None:
    try:
        while data := await source.read(65_536):
            await passing.wait()
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
