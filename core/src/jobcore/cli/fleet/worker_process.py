"""One worker process as its supervisor sees it."""

from __future__ import annotations

import asyncio
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Sequence

import orjson

from jobcore.cli.fleet.line import READY, Order

_BOOT = (
    "import sys, json; sys.path[:] = json.loads(sys.argv.pop(1)); sys.argv[0] = 'jobcore'; "
    "from jobcore.cli.main import run; run()"
)


class WorkerProcess:
    """A process that was spawned, and the line to it."""

    def __init__(
        self, number: int, process: Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.number = number
        self.pid = process.pid
        self.works = False
        """Whether it has said that it takes jobs."""
        self._process = process
        self._reader = reader
        self._writer = writer

    @classmethod
    async def spawn(cls, number: int, arguments: Sequence[str]) -> WorkerProcess:
        """Start `jobcore ARGUMENTS` as member `number`.

        It has a process group of its own: Ctrl-C in a terminal reaches the supervisor alone, which passes it on.
        """
        ours, theirs = socket.socketpair()
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                _BOOT,
                orjson.dumps(sys.path).decode(),
                *arguments,
                "--member",
                f"{number}:{theirs.fileno()}",
                stdin=DEVNULL,
                pass_fds=(theirs.fileno(),),
                process_group=0,
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        ours.setblocking(False)
        return cls(number, process, *await asyncio.open_connection(sock=ours))

    async def begin(self) -> bool:
        """Wait until it works, and return true; false if it ended before."""
        try:
            self.works = await self._reader.read(1) == READY
        except ConnectionError:
            self.works = False
        return self.works

    async def end(self) -> int:
        """Wait until it has ended; return its exit status (negative: the signal that killed it)."""
        status = await self._process.wait()
        self._writer.close()
        return status

    def tell(self, order: Order) -> None:
        """Pass an order on. A process that does not work yet has nothing to lose, and is ended by SIGTERM."""
        if self._process.returncode is not None:
            return
        if not self.works:
            self._process.terminate()
        if not self._writer.is_closing():
            self._writer.write(order.value)
