"""Stores that the runners' contract catches: schedules, tenants and workers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from contract.mutants.base import BrokenStore
from jobcore.ids import uuid7
from jobcore.models import (
    DetailRecord,
    Enqueued,
    JobFilter,
    JobMetrics,
    JobRecord,
    MissedFires,
    NewJob,
    Overlap,
    Schedule,
)

NEVER = datetime.max.replace(tzinfo=UTC) - timedelta(days=1)
TICK = timedelta(microseconds=1)


class FiresASlotTwice(BrokenStore):
    caught_by = "test_a_slot_fires_one_job_however_many_workers_there_are"
    patience = 4.0

    async def fire_due(self, plan_fire: Any, submit: Any, *, limit: int = 1000) -> int:
        async def twice(jobs: Sequence[NewJob], connection: Any) -> Sequence[Enqueued]:
            again = [replace(job, job_id=uuid7(), fire_time=(job.fire_time or NEVER) + TICK) for job in jobs]
            await submit(again, connection)
            return await submit(jobs, connection)

        return await super().fire_due(plan_fire, twice, limit=limit)


class FiresBesideTheSlots(BrokenStore):
    caught_by = "test_a_cron_pattern_fires_at_its_slots"
    patience = 4.0

    async def put_schedule(self, schedule: Schedule) -> Schedule:
        return await super().put_schedule(replace(schedule, pattern=None, interval=timedelta(seconds=1)))


class FiresWhilePaused(BrokenStore):
    caught_by = "test_a_paused_schedule_fires_no_more_until_it_is_resumed"

    async def set_schedule_enabled(self, tenant: UUID, key: str, enabled: bool) -> Schedule:
        return replace(await self.get_schedule(tenant, key), enabled=enabled)


class KeepsRemovedSchedules(BrokenStore):
    caught_by = "test_a_removed_schedule_fires_no_more"

    async def delete_schedule(self, tenant: UUID, key: str) -> bool:
        return True


class KeepsTheOldSchedule(BrokenStore):
    caught_by = "test_a_change_of_a_schedule_takes_effect_at_its_next_fire"

    async def put_schedule(self, schedule: Schedule) -> Schedule:
        if (schedule.tenant, schedule.key) in self.tables.schedules:
            return await self.get_schedule(schedule.tenant, schedule.key)
        return await super().put_schedule(schedule)


class AllowsEveryOverlap(BrokenStore):
    caught_by = "test_a_fire_is_left_out_while_the_job_before_runs_if_overlaps_are_skipped"

    async def put_schedule(self, schedule: Schedule) -> Schedule:
        return await super().put_schedule(replace(schedule, overlap=Overlap.ALLOW))


class SkipsEveryOverlap(BrokenStore):
    caught_by = "test_fires_overlap_unless_the_schedule_says_otherwise"

    async def put_schedule(self, schedule: Schedule) -> Schedule:
        return await super().put_schedule(replace(schedule, overlap=Overlap.SKIP))


class MakesUpForNothing(BrokenStore):
    caught_by = "test_all_missed_fires_are_made_up_for_if_the_schedule_says_so"

    async def put_schedule(self, schedule: Schedule) -> Schedule:
        return await super().put_schedule(replace(schedule, missed=MissedFires.SKIP))


class MakesUpForEverything(BrokenStore):
    caught_by = "test_missed_fires_are_left_out_if_the_schedule_says_so"

    async def put_schedule(self, schedule: Schedule) -> Schedule:
        return await super().put_schedule(replace(schedule, missed=MissedFires.ALL))


class ListsEverybodysJobs(BrokenStore):
    caught_by = "test_a_listing_shows_one_tenants_jobs"

    async def find_jobs(self, tenant: UUID | None, where: JobFilter) -> Sequence[JobRecord]:
        return await super().find_jobs(None, where)


class ShowsAnybodysJob(BrokenStore):
    caught_by = "test_another_tenants_job_is_not_there"

    async def get_job(self, tenant: UUID, job_id: UUID) -> JobRecord:
        owner = next((other for other, other_id in self.tables.jobs if other_id == job_id), tenant)
        return await super().get_job(owner, job_id)


class RecordsNoAttempts(BrokenStore):
    caught_by = "test_every_failed_attempt_leaves_a_row_with_its_error"

    async def get_details(self, tenant: UUID, job_id: UUID) -> Sequence[DetailRecord]:
        rows = await super().get_details(tenant, job_id)
        return [row for row in rows if not row.step_name.startswith("attempt ")]


class KeepsRetiredWorkers(BrokenStore):
    caught_by = "test_a_worker_announces_what_it_serves_until_it_stops"

    async def retire(self, worker_id: UUID) -> None:
        """Keep it."""


class CountsEverybodysJobs(BrokenStore):
    caught_by = "test_jobs_are_counted_by_state_and_by_runner"

    async def metrics(self, tenant: UUID | None = None) -> JobMetrics:
        return await super().metrics(None)


class FindsSchedulesOfAnybody(BrokenStore):
    caught_by = "test_schedules_of_tenants_are_apart"

    async def list_schedules(self, tenant: UUID | None = None) -> Sequence[Schedule]:
        return await super().list_schedules(None)
