"""The processes of `execution="process"` handlers: spawned, kept warm, used for one job at a time, never zombies."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import orjson

from jobcore.execution.process_link import Message, pack, receive

_BOOT = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[3]); "
    "from jobcore.execution.process_child import main; main(int(sys.argv[1]), int(sys.argv[2]))"
)
_LAST_WORDS = 0.2
"""Seconds in which what a dead process had sent is still read."""
_EXIT_GRACE = 1.0
"""Seconds for an idle process to exit when asked to, or for a process that closed its link to end by itself."""


class HandlerProcess:
    """One child process and the link to it."""

    def __init__(
        self, popen: subprocess.Popen[bytes], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.pid = popen.pid
        self._popen = popen
        self._reader = reader
        self._writer = writer
        self._death = _watch_death(popen.pid, self._hang_up)

    @classmethod
    async def spawn(cls) -> HandlerProcess:
        """Start a child; it is ready when it answers, about 300 ms later.

        The loop's own thread starts it: on Linux a child asks to die with the thread that made it.
        """
        ours, theirs = socket.socketpair()
        try:
            popen = subprocess.Popen(  # noqa: S603, ASYNC220 - our own module; takes a millisecond, and needs this thread
                [sys.executable, "-c", _BOOT, str(theirs.fileno()), str(os.getpid()), orjson.dumps(sys.path).decode()],
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                process_group=0,
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        ours.setblocking(False)
        return cls(popen, *await asyncio.open_connection(sock=ours))

    @property
    def alive(self) -> bool:
        return self._popen.poll() is None and not self._reader.at_eof()

    def send(self, message: Message) -> None:
        """Send without waiting; to a dead process it does nothing."""
        if not self._writer.is_closing():
            self._writer.write(pack(message))

    async def receive(self) -> Message | None:
        """Return the child's next message, or `None` once it is dead."""
        return await receive(self._reader)

    def terminate(self) -> None:
        """Ask the process to end (SIGTERM); its handler is interrupted."""
        self._popen.terminate()

    def kill(self) -> None:
        """End the process and what it started in its group (SIGKILL). Safe to repeat."""
        if self._popen.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    async def reap(self, grace: float) -> int:
        """Wait `grace` seconds for the process to end, then kill it; return its exit status (negative: the signal)."""
        try:
            return await asyncio.shield(asyncio.to_thread(self._end, grace))
        finally:
            self._hang_up()
            if self._death is not None:
                self._death()

    def _end(self, grace: float) -> int:
        try:
            return self._popen.wait(grace)
        except subprocess.TimeoutExpired:
            self.kill()
            return self._popen.wait()

    def _hang_up(self) -> None:
        self._writer.close()


class ProcessPool:
    """At most `limit` handler processes at work; idle ones are kept for the next job."""

    def __init__(self, limit: int) -> None:
        self._room = asyncio.Semaphore(limit)
        self._idle: list[HandlerProcess] = []
        self._ending: set[asyncio.Task[int]] = set()

    async def take(self) -> HandlerProcess:
        """Return a process for one job, warm if there is one. Waits while `limit` are at work."""
        await self._room.acquire()
        try:
            while self._idle:
                process = self._idle.pop()
                if process.alive:
                    return process
                self._bury(process, 0)
            return await HandlerProcess.spawn()
        except BaseException:
            self._room.release()
            raise

    def give_back(self, process: HandlerProcess) -> None:
        """Keep a process whose job has ended for the next one."""
        self._room.release()
        self._idle.append(process)

    async def discard(self, process: HandlerProcess, *, grace: float = 0.0) -> int:
        """Let a process go that cannot be used again; return its exit status once no trace of it is left."""
        self._room.release()
        return await asyncio.shield(self._bury(process, grace))

    async def close(self) -> None:
        """End the idle processes and wait until all that were let go are gone."""
        while self._idle:
            process = self._idle.pop()
            process.send({"op": "exit"})
            self._bury(process, _EXIT_GRACE)
        if self._ending:
            await asyncio.wait(self._ending)

    def idle_pids(self) -> list[int]:
        """Return the process ids of the warm children."""
        return [process.pid for process in self._idle]

    def _bury(self, process: HandlerProcess, grace: float) -> asyncio.Task[int]:
        task = asyncio.create_task(process.reap(grace))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        return task


def describe_exit(status: int) -> str:
    """Say in words how a process ended."""
    if status >= 0:
        return f"exited with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"was killed by {name}" + (" (as the kernel does when memory runs out)" if name == "SIGKILL" else "")


def _watch_death(pid: int, hang_up: Callable[[], Any]) -> Callable[[], None] | None:
    """Hang up soon after the process died, even if a process that it started still holds its end of the link.

    Returns what ends the watch; `None` where the system has no process descriptors: there the link's end must do.
    """
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        return None
    loop = asyncio.get_running_loop()
    timers: list[asyncio.TimerHandle] = []

    def died() -> None:
        loop.remove_reader(descriptor)
        timers.append(loop.call_later(_LAST_WORDS, hang_up))

    def end() -> None:
        nonlocal descriptor
        for timer in timers:
            timer.cancel()
        if descriptor >= 0:
            loop.remove_reader(descriptor)
            os.close(descriptor)
            descriptor = -1

    loop.add_reader(descriptor, died)
    return end
