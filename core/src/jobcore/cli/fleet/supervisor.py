"""Keeps several worker processes at work until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import partial

from jobcore.cli import log_lines
from jobcore.cli.exit_codes import ExitCode
from jobcore.cli.fleet.line import Order
from jobcore.cli.fleet.worker_process import WorkerProcess
from jobcore.execution.process_pool import describe_exit

STOPPING = (signal.SIGTERM, signal.SIGINT)
FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0
STEADY = 60.0
"""Seconds after which a process that works counts as well, so that its next death is the first again."""
ENDED_AS_TOLD = (ExitCode.OK, -signal.SIGTERM)
"""A signal that comes when the last job has ended finds a process that no longer waits for signals."""
STARTS = 5
"""So many starts in a row may fail while no process works."""


class Supervisor:
    """One process that works no jobs, and `count` that do.

    The first process is started alone: what keeps it from working is said once, and ends everything. Later a process
    that dies is replaced, with delays that double from half a second to half a minute.

    Args:
        count: how many worker processes there are to be.
        arguments: those of `jobcore` for each of them.
    """

    def __init__(self, count: int, arguments: Sequence[str]) -> None:
        self._count = count
        self._arguments = tuple(arguments)
        self._members: dict[int, WorkerProcess] = {}
        self._first_works = asyncio.Event()
        self._order: Order | None = None
        self._stopping = asyncio.Event()
        self._failed_starts = 0
        self._code: int = ExitCode.OK

    async def run(self) -> int:
        """Return the exit code once all processes have ended, having been told to, or in vain."""
        with self._hearing_signals():
            log_lines.fleet_begins(self._count)
            first = asyncio.create_task(self._keep(1))
            await self._first_or(first)
            others = [] if self._stopping.is_set() else [self._keep(number) for number in range(2, self._count + 1)]
            await asyncio.gather(first, *others)
        return self._code

    async def _first_or(self, keeper: asyncio.Task[None]) -> None:
        """Wait until the first process works, or until it has turned out that it cannot."""
        works = asyncio.create_task(self._first_works.wait())
        await asyncio.wait((keeper, works), return_when=asyncio.FIRST_COMPLETED)
        works.cancel()

    async def _keep(self, number: int) -> None:
        """See to it that there is a process of this number, until all are to stop."""
        deaths = 0
        while not self._stopping.is_set():
            began = asyncio.get_running_loop().time()
            how = await self._live(number)
            steady = asyncio.get_running_loop().time() - began >= STEADY
            deaths = 1 if steady else deaths + 1
            if not self._stopping.is_set():
                delay = min(LONGEST_DELAY, FIRST_DELAY * 2 ** (deaths - 1))
                how(delay)
                await self._pause(delay)

    async def _live(self, number: int) -> Callable[[float], None]:
        """Start a process and see it through to its end; return what to tell of it, given the delay to the next."""
        try:
            member = self._members[number] = await WorkerProcess.spawn(number, self._arguments)
        except OSError as error:
            log_lines.process_not_spawned(number, error)
            self._count_failed_start(ExitCode.FAILED)
            return partial(log_lines.another_start, number)
        if self._order is not None:
            member.tell(self._order)
        if await member.begin():
            self._failed_starts = 0
            self._first_works.set()
            log_lines.process_ready(number, member.pid)
        status = await member.end()
        del self._members[number]
        if self._stopping.is_set():
            self._take_leave(member, status)
        elif not member.works:
            log_lines.process_failed_to_start(number, member.pid, describe_exit(status))
            self._count_failed_start(status)
            return partial(log_lines.another_start, number)
        elif status == ExitCode.OK:
            return partial(log_lines.process_left, number, member.pid)
        return partial(log_lines.process_died, number, member.pid, describe_exit(status))

    def _count_failed_start(self, status: int) -> None:
        """Give up if it was the first start of all, or one too many while no process works."""
        self._failed_starts += 1
        others_work = any(other.works for other in self._members.values())
        if others_work or (self._first_works.is_set() and self._failed_starts < STARTS):
            return
        if self._first_works.is_set():
            log_lines.fleet_given_up(self._failed_starts)
        self._code = status if status > 0 else ExitCode.FAILED
        self._stop(Order.DRAIN)

    async def _pause(self, delay: float) -> None:
        """Wait before the next start, or until all are to stop."""
        try:
            async with asyncio.timeout(delay):
                await self._stopping.wait()
        except TimeoutError:
            return

    def _take_leave(self, member: WorkerProcess, status: int) -> None:
        """A process has ended that was to end."""
        if status in ENDED_AS_TOLD or not member.works:
            log_lines.process_stopped(member.number, member.pid)
            return
        log_lines.process_stopped_badly(member.number, member.pid, describe_exit(status))
        self._code = self._code or ExitCode.FAILED

    # -- stopping ------------------------------------------------------------------------------------------------------

    @contextmanager
    def _hearing_signals(self) -> Generator[None]:
        loop = asyncio.get_running_loop()
        for number in STOPPING:
            loop.add_signal_handler(number, self._signalled, number.name)
        loop.add_signal_handler(signal.SIGHUP, self._reload, "SIGHUP")
        try:
            yield
        finally:
            for number in (*STOPPING, signal.SIGHUP):
                loop.remove_signal_handler(number)

    def _signalled(self, name: str) -> None:
        if self._order is None:
            log_lines.fleet_stops(name, len(self._members))
            self._stop(Order.DRAIN)
        elif self._order is Order.DRAIN:
            log_lines.fleet_stops_now(f"{name} again")
            self._stop(Order.HAND_BACK)

    def _reload(self, who: str) -> None:
        """Let the processes that work read their settings anew; others are only beginning, and read what is written."""
        working = [member for member in self._members.values() if member.works]
        log_lines.fleet_reloads(who, len(working))
        for member in working:
            member.tell(Order.RELOAD)

    def _stop(self, order: Order) -> None:
        self._order = order
        self._stopping.set()
        for member in self._members.values():
            member.tell(order)
