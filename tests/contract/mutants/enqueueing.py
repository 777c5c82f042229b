"""Mutants that accept jobs wrongly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from contract.mutants.base import BrokenRunner, BrokenStore
from jobcore.ids import uuid7
from jobcore.memory import MemoryStore
from jobcore.memory.line import WaitingLine
from jobcore.models import Enqueued, NewJob


class LosesAJobOfMany(BrokenRunner):
    caught_by = "test_many_jobs_are_enqueued_in_one_call_and_all_run_once"

    async def submit(self, jobs: Iterable[NewJob], *, connection: Any = None) -> Sequence[Enqueued]:
        planned = list(jobs)
        await super().submit(planned[:-1] or planned, connection=connection)
        return [Enqueued(job.job_id) for job in planned]


class ForgetsTheCallersId(BrokenRunner):
    caught_by = "test_the_callers_own_id_is_the_jobs_id"

    def job(self, job: NewJob) -> NewJob:
        return replace(job, job_id=uuid7())


class MakesAJobForEachRepetition(BrokenRunner):
    caught_by = "test_an_enqueue_repeated_with_its_id_makes_one_job"

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store)
        self._seen: set[UUID] = set()

    def job(self, job: NewJob) -> NewJob:
        if job.job_id in self._seen:
            return replace(job, job_id=uuid7())
        self._seen.add(job.job_id)
        return job


class DropsMetadata(BrokenRunner):
    caught_by = "test_the_row_tells_what_was_asked_for"

    def job(self, job: NewJob) -> NewJob:
        return replace(job, metadata={})


class IgnoresPriority(BrokenRunner):
    caught_by = "test_the_more_important_job_runs_first"

    def job(self, job: NewJob) -> NewJob:
        return replace(job, priority=0)


class PrefersTheLeastImportant(BrokenRunner):
    caught_by = "test_a_handlers_priority_is_that_of_its_jobs_unless_the_enqueue_says_otherwise"

    def job(self, job: NewJob) -> NewJob:
        return replace(job, priority=-job.priority)


class LastInFirstOut(BrokenStore):
    caught_by = "test_jobs_of_one_priority_run_in_the_order_of_their_enqueues"

    def __init__(self, clock: Any) -> None:
        super().__init__(clock)
        self.tables.line = _Stack()


class _Stack(WaitingLine):
    def pop(self, queues: Iterable[str], now: Any) -> Any:
        wanted = list(queues)
        rows: list[Any] = []
        while (row := super().pop(wanted, now)) is not None:
            rows.append(row)
        for row in rows[:-1]:
            self.push(row)
        return rows[-1] if rows else None


class IgnoresDelay(BrokenRunner):
    caught_by = "test_a_delayed_job_begins_after_its_delay_and_not_before"

    def job(self, job: NewJob) -> NewJob:
        return replace(job, delay=None)


class IgnoresTheInstant(BrokenRunner):
    caught_by = "test_a_job_with_a_time_begins_at_it_and_not_before"

    def job(self, job: NewJob) -> NewJob:
        return replace(job, run_at=None)


class CommitsDespiteRollback(BrokenRunner):
    caught_by = "test_a_rollback_leaves_no_job"

    async def submit(self, jobs: Iterable[NewJob], *, connection: Any = None) -> Sequence[Enqueued]:
        return await super().submit(jobs)


class IsSeenBeforeTheCommit(BrokenRunner):
    caught_by = "test_a_job_is_not_there_before_its_transaction_commits"

    async def submit(self, jobs: Iterable[NewJob], *, connection: Any = None) -> Sequence[Enqueued]:
        answers = await super().submit(jobs, connection=connection)
        for row in self.store.tables.jobs.values():
            row.written_by = None
        return answers


class ForgetsWhatWasCommitted(BrokenRunner):
    caught_by = "test_a_committed_enqueue_runs_once"

    async def submit(self, jobs: Iterable[NewJob], *, connection: Any = None) -> Sequence[Enqueued]:
        if connection is None:
            return await super().submit(jobs)
        return [Enqueued(job.job_id) for job in jobs]


class TakesAnyConnection(BrokenRunner):
    caught_by = "test_what_is_no_connection_of_this_storage_is_refused"

    async def submit(self, jobs: Iterable[NewJob], *, connection: Any = None) -> Sequence[Enqueued]:
        return await super().submit(jobs, connection=connection if hasattr(connection, "stage") else None)


class LetsDuplicatesThrough(BrokenRunner):
    caught_by = "test_a_dedupe_key_of_many_callers_at_once_makes_one_job"

    def job(self, job: NewJob) -> NewJob:
        return replace(job, dedupe_key=None)


class _Deduplicating(BrokenRunner):
    """Deduplicates by itself, by whatever `key_of` says, and for ever."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store)
        self._holders: dict[object, UUID] = {}

    def key_of(self, job: NewJob) -> object:
        raise NotImplementedError

    async def submit(self, jobs: Iterable[NewJob], *, connection: Any = None) -> Sequence[Enqueued]:
        [job] = jobs
        holder = self._holders.setdefault(self.key_of(job), job.job_id)
        if holder != job.job_id:
            return [Enqueued(holder, deduplicated=True)]
        return await super().submit([job], connection=connection)


class HoldsADedupeKeyForEver(_Deduplicating):
    caught_by = "test_a_dedupe_key_is_free_again_when_its_job_has_completed"

    def key_of(self, job: NewJob) -> object:
        return (job.tenant, job.name, job.dedupe_key)


class SharesDedupeKeysAmongTenants(_Deduplicating):
    caught_by = "test_a_dedupe_key_is_of_one_tenant_and_one_handler"

    def key_of(self, job: NewJob) -> object:
        return (job.name, job.dedupe_key)


class DoesNotWaitForOpenTransactions(BrokenRunner):
    caught_by = "test_who_finds_a_key_in_an_open_transaction_waits_for_its_end"

    async def submit(self, jobs: Iterable[NewJob], *, connection: Any = None) -> Sequence[Enqueued]:
        planned = list(jobs)
        held = {row.plan.dedupe_key: row.plan.job_id for row in self.store.tables.jobs.values() if row.written_by}
        if connection is None and planned[0].dedupe_key in held:
            return [Enqueued(held[planned[0].dedupe_key], deduplicated=True)]
        return await super().submit(planned, connection=connection)


class ForgetsParents(BrokenRunner):
    caught_by = "test_follow_up_jobs_are_found_by_their_parent"

    def job(self, job: NewJob) -> NewJob:
        return replace(job, parent_job_id=None)
