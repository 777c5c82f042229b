"""Stores that the storages' contract catches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from contract.mutants.base import BrokenStore
from jobcore.memory import moves
from jobcore.memory.leases import STEP_PREFIX
from jobcore.models import Enqueued, JobFilter, JobRecord, Lease, NewJob
from jobcore.states import JobState


class MovesAnywhere(BrokenStore):
    caught_by = "test_an_illegal_move_is_refused_and_names_both_states"

    async def update_job_status(self, tenant: UUID, job_id: UUID, status: JobState, **told: Any) -> None:
        self.tables.row(tenant, job_id).status = status


class ReplacesMetadata(BrokenStore):
    caught_by = "test_metadata_is_merged"

    async def update_job_status(self, tenant: UUID, job_id: UUID, status: JobState, **told: Any) -> None:
        self.tables.row(tenant, job_id).metadata.clear()
        await super().update_job_status(tenant, job_id, status, **told)


class ClaimsForTwo(BrokenStore):
    caught_by = "test_an_attempt_is_claimed_once"

    async def claim(self, leases: Sequence[Lease], *, worker_id: UUID) -> Sequence[bool]:
        await super().claim(leases, worker_id=worker_id)
        return [True] * len(leases)


class ClaimsWhatHasEnded(BrokenStore):
    caught_by = "test_a_job_that_has_ended_cannot_be_claimed"

    async def claim(self, leases: Sequence[Lease], *, worker_id: UUID) -> Sequence[bool]:
        await super().claim(leases, worker_id=worker_id)
        return [True] * len(leases)


class WritesForAStaleLease(BrokenStore):
    caught_by = "test_a_later_attempt_takes_the_lease_over"

    async def write_progress(self, lease: Lease, percent: float, message: str | None) -> None:
        row = self.tables.row(lease.tenant, lease.job_id)
        row.progress, row.progress_message = percent, message


class WritesStepsForAStaleLease(BrokenStore):
    caught_by = "test_when_a_job_ends_its_lease_is_over"

    async def save_step(self, lease: Lease, key: str, result: bytes) -> bytes:
        row = self.tables.row(lease.tenant, lease.job_id)
        moves.write_detail(self.tables, row, STEP_PREFIX + key, "completed", result=result)
        return result


class LetsTheLastStepWin(BrokenStore):
    caught_by = "test_the_first_result_of_a_step_wins"

    async def save_step(self, lease: Lease, key: str, result: bytes) -> bytes:
        row = moves.owned(self.tables, lease)
        moves.write_detail(self.tables, row, STEP_PREFIX + key, "completed", result=result)
        return result


class ForgetsStepsOfEarlierAttempts(BrokenStore):
    caught_by = "test_a_later_attempt_finds_the_steps_of_the_earlier"

    async def load_steps(self, lease: Lease) -> Mapping[str, bytes]:
        return await super().load_steps(lease) if lease.attempt == 1 else {}


class RecordsDespiteRollback(BrokenStore):
    caught_by = "test_a_rollback_leaves_no_record_and_gives_up_the_keys"

    async def create_job(self, job: NewJob, *, connection: Any = None) -> Enqueued:
        return await super().create_job(job)


class RecordsAFireTwice(BrokenStore):
    caught_by = "test_a_fire_of_a_schedule_makes_one_job"

    async def create_job(self, job: NewJob, *, connection: Any = None) -> Enqueued:
        return await super().create_job(replace(job, fire_time=None), connection=connection)


class ListsTheOldestFirst(BrokenStore):
    caught_by = "test_a_listing_is_newest_first_and_bounded"

    async def find_jobs(self, tenant: UUID | None, where: JobFilter) -> Sequence[JobRecord]:
        return (await super().find_jobs(tenant, where))[::-1]


class IgnoresTheFilter(BrokenStore):
    caught_by = "test_a_listing_is_narrowed_by_every_field"

    async def find_jobs(self, tenant: UUID | None, where: JobFilter) -> Sequence[JobRecord]:
        return await super().find_jobs(tenant, replace(where, names=()))


class PilesDetailsUp(BrokenStore):
    caught_by = "test_a_detail_of_the_same_step_is_updated"

    async def create_job_detail(self, tenant: UUID, job_id: UUID, step_name: str, status: str, **told: Any) -> UUID:
        return await super().create_job_detail(tenant, job_id, f"{step_name} {uuid4()}", status, **told)


class LosesFiresThatFailed(BrokenStore):
    caught_by = "test_a_fire_that_could_not_be_submitted_is_made_up_for"

    async def fire_due(self, plan_fire: Any, submit: Any, *, limit: int = 1000) -> int:
        try:
            return await super().fire_due(plan_fire, submit, limit=limit)
        except ConnectionError:
            return 0
