"""Who is admitted to the engine, and what is paused, in memory (the `AdmissionStore` part of the store)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from jobcore.memory import moves
from jobcore.memory.explaining import view_of
from jobcore.memory.rows import JobRow
from jobcore.memory.tables import Tables
from jobcore.models import OnFailure, Pause, PauseKind
from jobcore.policies.admission import choose
from jobcore.ports.admission import AdmissionRound, AdmissionStore, AdmissionView
from jobcore.states import JobState

NOBODY = AdmissionRound(admitted=0, reached=None, more=False, next_in=None)


class MemoryAdmission(AdmissionStore):
    """One round looks at all lanes; the decision is core's, as everywhere."""

    tables: Tables

    async def admit(self, beyond: str = "", *, thorough: bool = False) -> AdmissionRound | None:  # noqa: ARG002 - the port's
        return self.admit_now()

    def admit_now(self) -> AdmissionRound:
        """Take one round; does not wait."""
        tables, room = self.tables, self.tables.waiting_room
        if room.is_empty:
            return NOBODY
        for row in room.waiting():
            _look_for_parents(tables, row)
        now = tables.clock.now()
        decision = choose(room.candidates(now, tables.hands), room.standing(now, tables.hands))
        room.spend(dict(decision.levels), now)
        for candidate in decision.granted:
            row = tables.jobs[candidate.tenant, candidate.job_id]
            room.seat(row, candidate.seats)
            moves.move(tables, row, JobState.QUEUED)
            tables.wait_in_line(row)
        return AdmissionRound(
            admitted=len(decision.granted), reached=None, more=decision.more, next_in=decision.next_in
        )

    def next_admission(self) -> datetime | None:
        """Return when time alone lets another job pass; `None` if only an event can."""
        room, now = self.tables.waiting_room, self.tables.clock.now()
        if room.is_empty:
            return None
        wait = choose(room.candidates(now, self.tables.hands), room.standing(now, self.tables.hands)).next_in
        instants = (room.next_due(now), None if wait is None else now + timedelta(seconds=wait))
        return min((instant for instant in instants if instant is not None), default=None)

    async def pause(self, kind: PauseKind, name: str, *, reason: str | None, paused_by: str | None) -> bool:
        pauses = self.tables.waiting_room.pauses
        if (kind, name) in pauses:
            return False
        pauses[kind, name] = Pause(
            kind=kind, name=name, reason=reason, paused_by=paused_by, paused_at=self.tables.clock.now()
        )
        return True

    async def resume(self, kind: PauseKind, name: str) -> bool:
        lifted = self.tables.waiting_room.pauses.pop((kind, name), None) is not None
        self.tables.bell.ring()
        return lifted

    async def pauses(self) -> Sequence[Pause]:
        return sorted(self.tables.waiting_room.pauses.values(), key=lambda pause: pause.paused_at)

    async def explain_admission(self, tenant: UUID, job_id: UUID) -> AdmissionView | None:
        row = self.tables.jobs.get((tenant, job_id))
        return None if row is None or row.written_by is not None else view_of(self.tables, row)


def _look_for_parents(tables: Tables, row: JobRow) -> None:
    """Wait no longer for jobs that have ended; be cancelled with one that failed, where that was asked for."""
    for parent_id, on_failure in list(row.parents.items()):
        parent = tables.jobs.get((row.plan.tenant, parent_id))
        ended = JobState.CANCELLED if parent is None else parent.status
        can_complete = parent is not None and ended is not JobState.COMPLETED
        if not ended.is_terminal or (can_complete and on_failure is OnFailure.WAIT):
            continue
        if ended is JobState.COMPLETED or on_failure is OnFailure.RUN:
            del row.parents[parent_id]
            continue
        told = "is no more" if parent is None else "has failed" if ended is JobState.FAILED else "was cancelled"
        row.error = {"reason": f"job {parent_id}, after which it was to run, {told}"}
        moves.move(tables, row, JobState.CANCELLED)
        return
