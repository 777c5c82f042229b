"""The tables of the memory storage, and the rules for putting a job into them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import count
from uuid import UUID

from jobcore.errors import InputError, JobNotFoundError
from jobcore.memory.bell import Bell
from jobcore.memory.connection import MemoryConnection
from jobcore.memory.line import WaitingLine
from jobcore.memory.rows import DetailRow, JobKey, JobRow
from jobcore.memory.waiting_room import WaitingRoom
from jobcore.models import Enqueued, NewJob, PayloadSchema, Schedule, TenantQuota, WorkerRecord
from jobcore.ports.clock import Clock
from jobcore.ports.runner import AbortControl
from jobcore.states import JobState

_DedupeKey = tuple[UUID, str, str]
_FireKey = tuple[UUID, datetime]


class Tables:
    """All that the memory storage holds. Belongs to one event loop; no call of it waits, except `insert`."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.jobs: dict[JobKey, JobRow] = {}
        self.details: defaultdict[JobKey, dict[str, DetailRow]] = defaultdict(dict)
        self.schedules: dict[tuple[UUID, str], Schedule] = {}
        self.quotas: dict[UUID | None, TenantQuota] = {}
        self.workers: dict[UUID, WorkerRecord] = {}
        self.payload_schemas: dict[tuple[str, int], PayloadSchema] = {}
        self.aborts: dict[JobKey, AbortControl] = {}
        """The abort signals of the jobs that run now."""
        self.line = WaitingLine()
        self.waiting_room = WaitingRoom()
        self.bell = Bell()
        self._numbers = count(1)
        self._held: dict[_DedupeKey, JobRow] = {}
        self._made: defaultdict[_DedupeKey, list[JobRow]] = defaultdict(list)
        self._fired: dict[_FireKey, JobRow] = {}

    @property
    def hands(self) -> int:
        """How many jobs all workers run at once."""
        return sum(worker.concurrency for worker in self.workers.values())

    def row(self, tenant: UUID, job_id: UUID) -> JobRow:
        """Return a committed job. Raises `JobNotFoundError`."""
        row = self.jobs.get((tenant, job_id))
        if row is None or row.written_by is not None:
            raise JobNotFoundError(job_id, tenant)
        return row

    def committed(self) -> Iterator[JobRow]:
        return (row for row in self.jobs.values() if row.written_by is None)

    async def insert(self, job: NewJob, status: JobState, connection: MemoryConnection | None = None) -> Enqueued:
        """Add a job unless one stands for it already: the same id, dedupe key, or fire of a schedule.

        With a connection it becomes visible at the commit. Waits while another transaction holds what would conflict.
        """
        while (holder := self._holder(job)) is not None:
            if holder.written_by is None or holder.written_by is connection:
                return Enqueued(holder.plan.job_id, deduplicated=True, external_id=holder.external_id)
            await holder.written_by.wait_ended()
        row = self._add(job, self._first_state(job, status))
        if connection is None:
            self._publish(row)
        else:
            row.written_by = connection
            connection.stage(effect=lambda: self._publish(row), undo=lambda: self._remove(row))
        return Enqueued(job.job_id)

    def wait_in_line(self, row: JobRow) -> None:
        """Put a queued job where workers see it."""
        self.line.push(row, self.clock.now() if row.plan.admission is not None else None)
        self.bell.ring()

    def wait_for_admission(self, row: JobRow) -> None:
        """Let a pending job wait until it may be queued."""
        self.waiting_room.enter(row)
        self.bell.ring()

    def release_keys(self, row: JobRow) -> None:
        """Give up the dedupe key of a job that ended."""
        key = _dedupe_key(row.plan)
        if key is not None and self._held.get(key) is row:
            del self._held[key]

    def holder_of(self, job: NewJob) -> JobRow | None:
        """Return the job that holds a new one's dedupe key now."""
        return self._held.get(key) if (key := _dedupe_key(job)) is not None else None

    def last_of(self, job: NewJob) -> JobRow | None:
        """Return the last job that was made with a new one's dedupe key, ended or not."""
        made = self._made.get(key) if (key := _dedupe_key(job)) is not None else None
        return made[-1] if made else None

    async def wait_for_key(self, job: NewJob, connection: MemoryConnection) -> None:
        """Wait while another transaction has made a job with this one's dedupe key, which it may take back."""
        while (writer := _other_writer((self.holder_of(job), self.last_of(job)), connection)) is not None:
            await writer.wait_ended()

    def hold_keys(self, row: JobRow) -> None:
        """Take the dedupe key again for a job that an operator revives; a newer holder keeps it."""
        key = _dedupe_key(row.plan)
        if key is not None:
            self._held.setdefault(key, row)

    def _holder(self, job: NewJob) -> JobRow | None:
        if (same := self.jobs.get((job.tenant, job.job_id))) is not None:
            return same
        if (key := _dedupe_key(job)) is not None and key in self._held:
            return self._held[key]
        if (fire := _fire_key(job)) is not None:
            return self._fired.get(fire)
        return None

    def _first_state(self, job: NewJob, status: JobState) -> JobState:
        """Return where a job begins: pending, if something holds it up. Raises `InputError` for an unknown parent."""
        if job.admission is None:
            return status
        for parent in job.admission.after:
            if (job.tenant, parent.job_id) not in self.jobs:
                raise InputError(
                    f"Job {job.name!r} is to run after job {parent.job_id}, and its tenant has no such job. "
                    "Enqueue that one first, or in the same call before it."
                )
        return JobState.PENDING

    def _add(self, job: NewJob, status: JobState) -> JobRow:
        now = self.clock.now()
        run_at = job.run_at if job.run_at is not None else now if job.delay is None else now + job.delay
        row = JobRow(
            job, status, now, run_at, job.max_attempts, dict(job.metadata), number=next(self._numbers), updated_at=now
        )
        if job.admission is not None:
            row.parents = {parent.job_id: parent.on_failure for parent in job.admission.after}
        self.jobs[row.key] = row
        self.hold_keys(row)
        if (key := _dedupe_key(job)) is not None:
            self._made[key].append(row)
        if (fire := _fire_key(job)) is not None:
            self._fired[fire] = row
        return row

    def _publish(self, row: JobRow) -> None:
        row.written_by = None
        if row.status is JobState.QUEUED:
            self.wait_in_line(row)
        elif row.plan.admission is not None:
            self.wait_for_admission(row)

    def _remove(self, row: JobRow) -> None:
        del self.jobs[row.key]
        self.release_keys(row)
        if (key := _dedupe_key(row.plan)) is not None:
            self._made[key].remove(row)
        if (fire := _fire_key(row.plan)) is not None:
            self._fired.pop(fire, None)


def _other_writer(rows: Iterable[JobRow | None], connection: MemoryConnection) -> MemoryConnection | None:
    writers = (row.written_by for row in rows if row is not None)
    return next((writer for writer in writers if writer is not None and writer is not connection), None)


def _dedupe_key(job: NewJob) -> _DedupeKey | None:
    return None if job.dedupe_key is None else (job.tenant, job.name, job.dedupe_key)


def _fire_key(job: NewJob) -> _FireKey | None:
    if job.schedule_id is None or job.fire_time is None:
        return None
    return (job.schedule_id, job.fire_time)
