"""The waiting room: jobs that have not been admitted yet, what the admitted ones hold, and what is paused."""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from itertools import takewhile
from uuid import UUID

from jobcore.memory.rows import JobRow
from jobcore.models import Admission, Gate, Pause, PauseKind
from jobcore.policies.admission import AS_SHARED, Bucket, Candidate, Standing, lane_of, share_of_lane, width_of

NO_LIMITS = Admission()


class WaitingRoom:
    """Jobs by lane, each lane in the order of priority and age. Belongs to one event loop; no call of it waits."""

    def __init__(self) -> None:
        self._lanes: defaultdict[str, list[JobRow]] = defaultdict(list)
        self._held: defaultdict[str, defaultdict[UUID, int]] = defaultdict(lambda: defaultdict(int))
        self._buckets: dict[str, tuple[float, datetime]] = {}
        self.pauses: dict[tuple[PauseKind, str], Pause] = {}

    @property
    def is_empty(self) -> bool:
        return not self._lanes

    def enter(self, row: JobRow) -> None:
        """Let a job wait, with nothing in its hands."""
        self.leave(row)
        row.lane = lane_of(row.plan.tenant, row.plan.admission or NO_LIMITS)
        insort(self._lanes[row.lane], row, key=_place)

    def leave(self, row: JobRow) -> None:
        """Let a job go that has ended or was admitted; what it held is free."""
        if row.lane is not None:
            self._lanes[row.lane].remove(row)
            if not self._lanes[row.lane]:
                del self._lanes[row.lane]
            row.lane = None
        for gate in row.seats:
            self._held[gate][row.plan.tenant] -= 1
        row.seats = []

    def seat(self, row: JobRow, gates: list[str]) -> None:
        """Admit a job: it holds these gates until it ends or is put off."""
        self.leave(row)
        row.seats = gates
        for gate in gates:
            self._held[gate][row.plan.tenant] += 1

    def spend(self, levels: dict[str, float], now: datetime) -> None:
        """Take note of the tokens that are left."""
        self._buckets.update({gate: (tokens, now) for gate, tokens in levels.items()})

    def waiting(self) -> Iterator[JobRow]:
        return (row for lane in list(self._lanes.values()) for row in list(lane))

    def candidates(self, now: datetime, hands: int) -> list[Candidate]:
        """Return the first due jobs of each lane, as many as are looked at together."""
        share = share_of_lane(sum(width_of(_gates(rows[0])) == AS_SHARED for rows in self._lanes.values()), hands)
        return [candidate for lane, rows in self._lanes.items() for candidate in self._first(lane, rows, now, share)]

    def ahead_of(self, row: JobRow, now: datetime) -> list[JobRow]:
        """Return the due jobs of a waiting one's lane that go before it."""
        before = takewhile(lambda other: other is not row, self._lanes.get(row.lane or "", ()))
        return [other for other in before if self._is_ready(other, now)]

    def standing(self, now: datetime, hands: int) -> Standing:
        buckets = {
            gate: Bucket(tokens=tokens, age=(now - filled_at).total_seconds())
            for gate, (tokens, filled_at) in self._buckets.items()
        }
        return Standing(held=self._held, buckets=buckets, hands=hands)

    def next_due(self, now: datetime) -> datetime | None:
        """Return when the next job's time comes, of those that wait for nothing else."""
        return min((row.run_at for row in self.waiting() if row.run_at > now and not row.parents), default=None)

    def is_paused(self, row: JobRow) -> bool:
        plan = row.plan
        named = ((PauseKind.QUEUE, plan.queue), (PauseKind.HANDLER, plan.name), (PauseKind.TENANT, str(plan.tenant)))
        return any(pause in self.pauses for pause in named)

    def _is_ready(self, row: JobRow, now: datetime) -> bool:
        return row.run_at <= now and not row.parents and not self.is_paused(row)

    def _first(self, lane: str, rows: list[JobRow], now: datetime, share: int) -> Iterator[Candidate]:
        ready = (row for row in rows if self._is_ready(row, now))
        for row, _ in zip(ready, range(width_of(_gates(rows[0])) or share), strict=False):
            yield Candidate(
                tenant=row.plan.tenant,
                job_id=row.plan.job_id,
                lane=lane,
                priority=row.plan.priority,
                number=row.number,
                gates=_gates(row),
            )


def _gates(row: JobRow) -> tuple[Gate, ...]:
    return (row.plan.admission or NO_LIMITS).gates


def _place(row: JobRow) -> tuple[int, int]:
    return -row.plan.priority, row.number
