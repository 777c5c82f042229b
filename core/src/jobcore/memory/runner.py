"""The memory runner: an engine without a database, with modes for tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any
from uuid import UUID

from jobcore.errors import ConfigurationError, InputError, JobNotFoundError
from jobcore.memory import moves
from jobcore.memory.claims import run_claim, take, take_next
from jobcore.memory.clock import MovableClock
from jobcore.memory.conflicts import make_way
from jobcore.memory.connection import MemoryConnection, own_connection
from jobcore.memory.quotas import guard_jobs
from jobcore.memory.rows import JobKey
from jobcore.memory.store import MemoryStore
from jobcore.memory.worker import MemoryWorker
from jobcore.models import Enqueued, JobRecord, NewJob, Outcome
from jobcore.ports.runner import Capabilities, Health, JobRunner, Worker, WorkerHost
from jobcore.states import JobState

MEMORY_CAPABILITIES = Capabilities(transactional_enqueue=True, complete_in=True, flow_control=True, durable=False)


class MemoryMode(StrEnum):
    """When jobs of the memory runner run."""

    WORKER = "worker"
    """When a worker of this process takes them, as on every engine."""
    INLINE = "inline"
    """At once, within the enqueue, whatever their time; retries follow without a pause. A snoozed job waits."""
    MANUAL = "manual"
    """When the test says so: `run_one`, `drain`, `advance`."""


class MemoryRunner(JobRunner):
    """Runs jobs from a `MemoryStore`; nothing survives the process.

    Args:
        store: where the jobs are; by default a new store, in manual mode one with a `MovableClock`.
        mode: when jobs run, a `MemoryMode` or its name.
    """

    runner_type = "memory"
    capabilities = MEMORY_CAPABILITIES

    def __init__(self, store: MemoryStore | None = None, *, mode: MemoryMode | str = MemoryMode.WORKER) -> None:
        self.mode = _mode(mode)
        self.store = store or MemoryStore(MovableClock() if self.mode is MemoryMode.MANUAL else None)
        self._host: WorkerHost | None = None

    def attach(self, host: WorkerHost) -> None:
        """Take what the application gives its workers, for the runs that happen without one."""
        self._host = host

    async def open(self) -> None:
        """Nothing to connect to."""

    async def close(self) -> None:
        """Nothing to release."""

    async def submit(self, jobs: Iterable[NewJob], *, connection: Any = None) -> Sequence[Enqueued]:
        planned = list(jobs)
        if connection is not None:
            async with own_connection(connection, self.store.tables).savepoint() as own:
                return await self._submit_in(planned, own)
        async with self.store.connection().transaction() as own:
            return await self._submit_in(planned, own)

    async def cancel(
        self, tenant: UUID, job_id: UUID, *, reason: str | None = None, cancelled_by: str | None = None
    ) -> bool:
        try:
            row = self.store.tables.row(tenant, job_id)
        except JobNotFoundError:
            return False
        return moves.request_cancel(self.store.tables, row, reason, cancelled_by)

    async def retry(self, tenant: UUID, job_id: UUID) -> bool:
        try:
            row = self.store.tables.row(tenant, job_id)
        except JobNotFoundError:
            return False
        revived = moves.requeue(self.store.tables, row)
        if revived and self.mode is MemoryMode.INLINE:
            await self._run_inline(row.key)
        return revived

    async def queue_sizes(self, queues: Sequence[str] | None = None) -> Mapping[str, int]:
        sizes = dict.fromkeys(queues or (), 0)
        for row in self.store.tables.committed():
            if (row.status is JobState.QUEUED or row.lane is not None) and (queues is None or row.plan.queue in sizes):
                sizes[row.plan.queue] = sizes.get(row.plan.queue, 0) + 1
        return sizes

    async def health(self) -> Health:
        waiting = sum((await self.queue_sizes()).values())
        return Health(healthy=True, runner_type=self.runner_type, queue_size=waiting, facts={"mode": self.mode.value})

    def worker(self, host: WorkerHost) -> Worker:
        self.attach(host)
        return MemoryWorker(self.store, host, serves=self.mode is MemoryMode.WORKER)

    # -- manual mode -------------------------------------------------------------------------------------------------

    async def run_one(self) -> JobRecord | None:
        """Run the most important due job, one attempt of it, and return it as it stands then; `None` if none is due."""
        claim = take_next(self.store)
        if claim is None:
            return None
        await run_claim(self.store, self._require_host(), claim)
        return await self.store.get_job(claim.tenant, claim.job_id)

    async def drain(self) -> int:
        """Run due jobs, and those that they enqueue, until none is due; return how many attempts ran."""
        attempts = 0
        while await self.run_one() is not None:
            attempts += 1
        return attempts

    async def advance(self, by: timedelta) -> int:
        """Move the clock on, and run what falls due on the way at its own instant: delayed jobs, retries, schedules.

        Returns how many attempts ran. Raises `ConfigurationError` if the store's clock is not a `MovableClock`.
        """
        clock = self._movable_clock()
        target = clock.now() + by
        if by < timedelta():
            raise InputError(f"Time only goes on: advance() takes a positive timedelta, not {by!r}.")
        attempts = await self._run_due()
        while (instant := self._next_due()) is not None and instant <= target:
            clock.move_to(max(instant, clock.now()))
            attempts += await self._run_due()
        clock.move_to(target)
        self.store.tables.bell.ring()
        return attempts

    async def _run_due(self) -> int:
        host = self._require_host()
        await self.store.fire_due(host.plan_fire, host.submit)
        return await self.drain()

    def _next_due(self) -> datetime | None:
        line = self.store.tables.line
        instants = (
            line.next_due(None, self.store.clock.now()),
            self.store.next_fire(),
            self.store.next_admission(),
        )
        return min((instant for instant in instants if instant is not None), default=None)

    def _movable_clock(self) -> MovableClock:
        if not isinstance(self.store.clock, MovableClock):
            raise ConfigurationError(
                "advance() needs a store whose clock can be moved: MemoryStore(MovableClock()), "
                "or MemoryRunner(mode='manual') without a store of your own."
            )
        return self.store.clock

    # -- enqueue -----------------------------------------------------------------------------------------------------

    async def _submit_in(self, jobs: Sequence[NewJob], connection: MemoryConnection) -> Sequence[Enqueued]:
        answers = [await self._submit_one(job, connection) for job in jobs]
        made = [job for job, answer in zip(jobs, answers, strict=True) if not answer.deduplicated]
        guard_jobs(self.store.tables, made)
        if self.mode is MemoryMode.INLINE:
            for job in made:
                connection.after_commit(partial(self._run_inline, (job.tenant, job.job_id)))
        return answers

    async def _submit_one(self, job: NewJob, connection: MemoryConnection) -> Enqueued:
        await self.store.tables.wait_for_key(job, connection)
        standing = make_way(self.store.tables, job, connection)
        if standing is not None:
            return Enqueued(standing.plan.job_id, deduplicated=True, external_id=standing.external_id)
        return await self.store.tables.insert(job, JobState.QUEUED, connection)

    async def _run_inline(self, key: JobKey) -> None:
        outcome = Outcome.RETRY
        while outcome is Outcome.RETRY:
            self.store.admit_now()
            row = self.store.tables.jobs[key]
            if row.lane is None and self.store.tables.waiting_room.is_paused(row):
                moves.hold_back(self.store.tables, row)
            claim = take(self.store.tables, row)
            if claim is None:
                return
            outcome = await run_claim(self.store, self._require_host(), claim)

    def _require_host(self) -> WorkerHost:
        if self._host is None:
            raise ConfigurationError(
                "This memory runner belongs to no open application yet: "
                "use it within 'async with JobApp(runner=runner) as app:'."
            )
        return self._host


def _mode(value: MemoryMode | str) -> MemoryMode:
    try:
        return MemoryMode(value)
    except ValueError:
        accepted = ", ".join(repr(mode.value) for mode in MemoryMode)
        raise ConfigurationError(f"The memory runner's mode is one of {accepted}, not {value!r}.") from None
