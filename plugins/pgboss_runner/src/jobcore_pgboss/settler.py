"""The single writer of how claims end, and of which run: one flush after the other, each with all there is."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import orjson
import psycopg
from psycopg import errors as pg

from jobcore.models import Outcome, Settlement
from jobcore.ports.observer import Observer
from jobcore_pgboss.completions import Completions
from jobcore_pgboss.encoding import encode_settlement
from jobcore_pgboss.runs import Run, Runs
from jobcore_pgboss.statements import statement
from jobcore_pgboss.status import StatusWriter
from jobcore_postgres.background import logs as background
from jobcore_postgres.background.link import Connection, Link, rows_of

LARGEST_BATCH = 1000

REFUSALS = (psycopg.DataError, psycopg.IntegrityError, pg.ProgramLimitExceeded)
"""What PostgreSQL says to a settlement that it will never take. All else is waited out."""


@dataclass(slots=True, eq=False)
class _Ending:
    run: Run
    settlement: Settlement


_Written = tuple[_Ending, bool]
"""What was written, and whether the fence held."""


class Settler:
    """Writes settlements until they are written, or until their claims turn out to be gone.

    The next flush starts when the last has ended, so that its size follows the load. A lost connection costs nothing:
    what was under way is written again, and the fence tells whether it had been.
    """

    def __init__(self, link: Link, runs: Runs, observer: Observer, wrote: Callable[[], None]) -> None:
        self._link = link
        self._runs = runs
        self._observer = observer
        self._wrote = wrote
        self._status: StatusWriter | None = None
        self._completions = Completions()
        self._pending: deque[_Ending] = deque()
        self._in_doubt: list[_Ending] = []
        self._repeated = False
        self._wanted = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    def watch(self, status: StatusWriter) -> None:
        """Write the starts of this writer too, and completions in the name of its worker."""
        self._status = status
        self._completions.worker_id = status.worker_id

    def wake(self) -> None:
        """There is a start to write."""
        self._wanted.set()

    def put(self, run: Run, settlement: Settlement) -> None:
        """A claim has ended; returns at once."""
        run.ended = True
        if settlement.settled:
            self._forget(run)
            self._tell_settled(run, settlement)
            return
        self._pending.append(_Ending(run, settlement))
        self._empty.clear()
        self._wanted.set()

    def backlog(self) -> int:
        return len(self._pending) + len(self._in_doubt)

    async def wait_empty(self) -> None:
        """Return once all that was put is written."""
        await self._empty.wait()

    async def turn(self) -> None:
        """Wait until there is something to write, and write it."""
        await self._wait()
        self._wanted.clear()
        async with self._link.use() as connection:
            if self._status is not None:
                await self._status.write_due(connection)
            self._take_batch()
            while self._in_doubt:
                await self._flush(connection)
                self._take_batch()
        if not self._pending:
            self._empty.set()

    async def _wait(self) -> None:
        if self._pending or self._in_doubt:
            return
        try:
            async with asyncio.timeout(None if self._status is None else self._status.seconds_to_next()):
                await self._wanted.wait()
        except TimeoutError:
            return

    def _take_batch(self) -> None:
        """Take what waits, unless a batch is still in doubt."""
        if not self._in_doubt:
            count = min(LARGEST_BATCH, len(self._pending))
            self._in_doubt = [self._pending.popleft() for _ in range(count)]

    async def _flush(self, connection: Connection) -> None:
        """Write the batch in doubt. If that fails for the connection, it stays in doubt, and is written again."""
        repeated, self._repeated = self._repeated, True
        try:
            written = await self._write(connection, self._in_doubt)
        except REFUSALS:
            written = [await self._write_alone(connection, ending) for ending in self._in_doubt]
        if repeated:
            written = await self._look_for_missed(connection, written)
        self._in_doubt, self._repeated = [], False
        for ending, applied in written:
            self._tell(ending, applied)
        self._wrote()

    async def _write(self, connection: Connection, endings: Sequence[_Ending]) -> list[_Written]:
        """Write most in the short way, and what that leaves in the long one."""
        applied = await self._write_completions(connection, endings)
        others = [ending for ending in endings if ending not in applied]
        if others:
            answers = await rows_of(connection, statement("settle"), _encode(others))
            for ending, (was_applied,) in zip(others, answers, strict=True):
                if was_applied:
                    applied.add(ending)
                    if self._completions.suit(ending.run, ending.settlement):
                        self._completions.avoid(ending.run.receipt.queue)
        return [(ending, ending in applied) for ending in endings]

    async def _write_completions(self, connection: Connection, endings: Sequence[_Ending]) -> set[_Ending]:
        suited = [ending for ending in endings if self._completions.suit(ending.run, ending.settlement)]
        if not suited:
            return set()
        written = await self._completions.write(connection, [(ending.run, ending.settlement) for ending in suited])
        return {suited[position] for position in written}

    async def _write_alone(self, connection: Connection, ending: _Ending) -> _Written:
        """Write one of a batch that was refused for its data; if it is the one, fail its job with the refusal.

        If PostgreSQL takes neither, the lease runs out, and the job is rescued.
        """
        try:
            return (await self._write(connection, [ending]))[0]
        except REFUSALS as error:
            background.settlement_refused(ending.settlement, error)
            failure = {"type": type(error).__name__, "message": "PostgreSQL refused to store how this attempt ended."}
        refused = replace(ending.settlement, outcome=Outcome.FAILED, result=None, error=failure)
        try:
            return (await self._write(connection, [_Ending(ending.run, refused)]))[0]
        except REFUSALS as error:
            background.settlement_refused(refused, error)
            return ending, False

    async def _look_for_missed(self, connection: Connection, written: list[_Written]) -> list[_Written]:
        """After a lost reply, a missed fence may mean that the first try was written: see how the jobs stand."""
        missed = [ending for ending, applied in written if not applied]
        if not missed:
            return written
        answers = await rows_of(connection, statement("was_settled"), _encode(missed))
        stand = {ending.run for ending, (settled,) in zip(missed, answers, strict=True) if settled}
        return [(ending, applied or ending.run in stand) for ending, applied in written]

    def _tell(self, ending: _Ending, applied: bool) -> None:
        self._forget(ending.run)
        if not applied:
            background.settlement_stale(ending.settlement)
        self._observer.job_settled(ending.settlement, applied)

    def _tell_settled(self, run: Run, settlement: Settlement) -> None:
        """There is nothing to write: the handler committed it, or else the claim was lost."""
        lost = run.lost is not None or settlement.outcome is Outcome.RELEASED
        if lost and run.lost is None:  # a write of the handler's was refused before the heartbeat knew
            background.settlement_stale(settlement)
        self._observer.job_settled(settlement, not lost)

    def _forget(self, run: Run) -> None:
        self._runs.remove(run)


def _encode(endings: Sequence[_Ending]) -> str:
    return orjson.dumps([encode_settlement(ending.run, ending.settlement) for ending in endings]).decode()
