"""Runs claims: as many at a time as the worker's concurrency, each in a slot, and none twice."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from time import monotonic
from typing import Any

from jobcore.models import Outcome, Settlement
from jobcore.ports.runner import ClaimSession, WorkerHost
from jobcore_pgboss.pace import Pace
from jobcore_pgboss.runs import Run
from jobcore_pgboss.settings import PgBossSettings
from jobcore_pgboss.settler import Settler

BREATH = 32
"""After so many jobs in a row, a slot lets the loop look at its sockets."""


class Slots:
    """Tasks that take claims from one buffer and put their settlements out, as many at a time as the worker may."""

    def __init__(
        self,
        settings: PgBossSettings,
        host: WorkerHost,
        open_session: Callable[[Run], ClaimSession],
        started: Callable[[Run], None],
        settler: Settler,
    ) -> None:
        self._settings = settings
        self._concurrency = host.concurrency
        self._made = 0
        self._executor = host.executor
        self._open_session = open_session
        self._started = started
        self._settler = settler
        self._buffer: deque[Run] = deque()
        self._waiting: deque[asyncio.Future[Run]] = deque()
        self._room = asyncio.Event()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._busy = 0
        self._pace = Pace(host.concurrency)

    def works(self) -> list[Coroutine[Any, Any, None]]:
        """The endless works of slots that are wanted and not there yet, to be run as tasks."""
        wanted = max(0, self._concurrency - self._made)
        self._made += wanted
        return [self._slot() for _ in range(wanted)]

    def resize(self, concurrency: int) -> None:
        """Fill so many slots from now on; those that are too many rest once their jobs have ended."""
        self._concurrency = concurrency
        self._pace.resize(concurrency)
        while self._buffer and (waiting := self._next_waiting()) is not None:
            self._occupy()
            waiting.set_result(self._buffer.popleft())
        self._room.set()

    def give(self, runs: Sequence[Run]) -> None:
        """Take claims over: into free slots, the others into the buffer."""
        for run in runs:
            waiting = self._next_waiting()
            if waiting is None:
                self._buffer.append(run)
            else:
                self._occupy()
                waiting.set_result(run)

    async def wait_for_room(self) -> int:
        """Wait until a fetch is worth its round trip, and return how many claims it may take."""
        while (room := self._free()) <= 0:
            self._room.clear()
            await self._room.wait()
        return room

    def wake(self) -> None:
        """There may be room again: settlements were written."""
        self._room.set()

    def take_back(self, waiting: float = 0) -> list[Run]:
        """Take out of the buffer what has waited in it for so many seconds, and return it."""
        latest = monotonic() - waiting
        runs: list[Run] = []
        while self._buffer and self._buffer[0].fetched_at <= latest:
            runs.append(self._buffer.popleft())
        return runs

    async def wait_quiet(self) -> None:
        """Return once no handler runs."""
        await self._quiet.wait()

    def _free(self) -> int:
        """Room for claims. None while the buffer still feeds the slots well, or while settlements pile up."""
        ahead = round(self._pace.per_second() * self._settings.work_ahead_seconds)
        room = self._concurrency - self._busy + ahead - len(self._buffer)
        if room < ahead / 2 or self._settler.backlog() >= 2 * self._settings.fetch_limit:
            return 0
        return min(room, self._settings.fetch_limit)

    async def _slot(self) -> None:
        done = 0
        while True:
            run = await self._next_run()
            try:
                settlement = await self._execute(run)
            finally:
                self._vacate()
            self._settler.put(run, settlement)
            self._pace.count()
            done += 1
            if done % BREATH == 0:
                await asyncio.sleep(0)

    def _occupy(self) -> None:
        """A slot is taken from the moment that it is given a claim: a drain must wait for it."""
        self._busy += 1
        self._quiet.clear()

    def _vacate(self) -> None:
        self._busy -= 1
        self._room.set()
        if not self._busy:
            self._quiet.set()

    async def _next_run(self) -> Run:
        if self._buffer and self._busy < self._concurrency:
            self._occupy()
            return self._buffer.popleft()
        waiting: asyncio.Future[Run] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        return await waiting

    def _next_waiting(self) -> asyncio.Future[Run] | None:
        while self._waiting and self._busy < self._concurrency:
            waiting = self._waiting.popleft()
            if not waiting.done():
                return waiting
        return None

    async def _execute(self, run: Run) -> Settlement:
        if run.lost is not None:
            return Settlement(claim=run.claim, outcome=Outcome.RELEASED, settled=True)
        if run.stop is not None:
            error = {"reason": run.stop.get("reason"), "cancelled_by": run.stop.get("cancelled_by")}
            return Settlement(claim=run.claim, outcome=Outcome.CANCELLED, error=error)
        run.started_at = monotonic()
        self._started(run)
        return await self._executor.execute(run.claim, self._open_session(run), run.abort)
