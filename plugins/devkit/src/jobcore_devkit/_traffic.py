"""The connections of a lane, in its event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager, suppress

from jobcore_devkit._ports import LOOPBACK

CHUNK = 65_536


class Traffic:
    """What passes between the clients of one port and the server on another."""

    def __init__(self, port: int, server_port: int) -> None:
        self._port = port
        self._server_port = server_port
        self._asking = asyncio.Event()
        """Whether bytes go to the server."""
        self._answering = asyncio.Event()
        """Whether they come back."""
        self._listener: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._carriers: set[asyncio.Task[None]] = set()

    async def heal(self) -> None:
        await self._listen()
        self._asking.set()
        self._answering.set()

    async def hold(self) -> None:
        await self._listen()
        self._asking.clear()
        self._answering.clear()

    async def mute(self) -> None:
        await self._listen()
        self._asking.set()
        self._answering.clear()

    async def refuse(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        await self.cut()

    async def cut(self) -> None:
        for end in self._ends:
            end.transport.abort()

    async def end(self) -> None:
        await self.refuse()
        for carrier in self._carriers:
            carrier.cancel()
        await asyncio.gather(*self._carriers, return_exceptions=True)

    async def _listen(self) -> None:
        if self._listener is None:
            self._listener = await asyncio.start_server(self._accept, LOOPBACK, self._port)

    def _accept(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        carrier = asyncio.get_running_loop().create_task(self._carry(from_client, to_client))
        self._carriers.add(carrier)
        carrier.add_done_callback(self._carriers.discard)

    async def _carry(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        """Carry one connection, from its beginning to its end."""
        with self._known(to_client):
            await self._asking.wait()
            try:
                from_server, to_server = await asyncio.open_connection(LOOPBACK, self._server_port)
            except OSError:
                return  # closing tells the client that the server is away
            with self._known(to_server):
                await asyncio.gather(
                    self._pass_on(from_client, to_server, self._asking),
                    self._pass_on(from_server, to_client, self._answering),
                )

    @contextmanager
    def _known(self, end: asyncio.StreamWriter) -> Generator[None]:
        self._ends.add(end)
        try:
            yield
        finally:
            self._ends.discard(end)
            end.close()

    async def _pass_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, passing: asyncio.Event) -> None:
        """Pass one direction on, and its end, in order or not, by closing the sink."""
        with suppress(ConnectionError):
            while arrived := await source.read(CHUNK):
                await passing.wait()
                sink.write(arrived)
                await sink.drain()
        await passing.wait()
        sink.close()
