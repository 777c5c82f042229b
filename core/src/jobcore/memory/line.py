"""The waiting line: which job is next, by queue, priority and time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from heapq import heappop, heappush
from itertools import count

from jobcore.memory.rows import JobRow
from jobcore.states import JobState

_Ready = tuple[int, datetime, int, JobRow]
_Later = tuple[datetime, int, JobRow]


class WaitingLine:
    """Jobs that wait: the due ones by priority, then time, then order; the others by time.

    Entries are never removed from the middle: a row's `ticket` says which of its entries counts.
    """

    def __init__(self) -> None:
        self._tickets = count(1)
        self._ready: defaultdict[str, list[_Ready]] = defaultdict(list)
        self._later: defaultdict[str, list[_Later]] = defaultdict(list)

    def push(self, row: JobRow, since: datetime | None = None) -> None:
        """Let a job wait for its time; one that was admitted stands behind those that were there before (`since`)."""
        row.ticket = next(self._tickets)
        heappush(self._later[row.plan.queue], (since or row.run_at, row.ticket, row))

    def pop(self, queues: Iterable[str], now: datetime) -> JobRow | None:
        """Take the most important due job of these queues, if there is one."""
        heads: list[tuple[_Ready, str]] = []
        for queue in queues:
            self._promote(queue, now)
            ready = self._ready[queue]
            while ready and not _counts(ready[0][3], ready[0][2]):
                heappop(ready)
            if ready:
                heads.append((ready[0], queue))
        if not heads:
            return None
        _, queue = min(heads, key=lambda head: head[0][:3])
        return heappop(self._ready[queue])[3]

    def next_due(self, queues: Iterable[str] | None, now: datetime) -> datetime | None:
        """Return when the next job of these queues (`None` is all) falls due; not after `now` if one is due."""
        instants: list[datetime] = []
        for queue in list(self._later) if queues is None else queues:
            self._promote(queue, now)
            if any(_counts(row, ticket) for _, _, ticket, row in self._ready[queue]):
                return now
            if self._later[queue]:
                instants.append(self._later[queue][0][0])
        return min(instants, default=None)

    def queues(self) -> list[str]:
        return list(self._later)

    def _promote(self, queue: str, now: datetime) -> None:
        later = self._later[queue]
        while later and (not _counts(later[0][2], later[0][1]) or later[0][0] <= now):
            run_at, ticket, row = heappop(later)
            if _counts(row, ticket):
                heappush(self._ready[queue], (-row.plan.priority, run_at, ticket, row))


def _counts(row: JobRow, ticket: int) -> bool:
    return row.ticket == ticket and row.status is JobState.QUEUED
