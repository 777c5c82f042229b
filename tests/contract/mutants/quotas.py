"""Mutants that let tenants have more than they may, or less."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from contract.mutants.base import BrokenRunner, BrokenStore
from jobcore.errors import QuotaExceededError
from jobcore.memory.quotas import guard_schedules
from jobcore.models import Enqueued, NewJob, Quota, Schedule


class IgnoresQuotas(BrokenStore):
    caught_by = "test_a_full_quota_has_room_again_when_jobs_begin_or_are_cancelled"

    async def set_quota(self, tenant: UUID | None, quota: Quota) -> None: ...


class TakesWhatFits(BrokenRunner):
    caught_by = "test_a_call_beyond_the_quota_of_waiting_jobs_is_refused_whole"

    async def submit(self, jobs: Iterable[NewJob], *, connection: Any = None) -> Sequence[Enqueued]:
        return [answer for job in jobs for answer in await super(BrokenRunner, self).submit([job])]


class LimitsAllAlike(BrokenStore):
    caught_by = "test_a_quota_is_one_tenants_own"

    async def set_quota(self, tenant: UUID | None, quota: Quota) -> None:
        await super().set_quota(None, quota)


class KnowsNoRate(BrokenStore):
    caught_by = "test_enqueues_beyond_the_rate_are_refused_until_a_second_has_passed"

    async def set_quota(self, tenant: UUID | None, quota: Quota) -> None:
        await super().set_quota(tenant, replace(quota, enqueues_per_second=None))


class LimitsReplacements(BrokenStore):
    caught_by = "test_a_new_schedule_beyond_the_quota_is_refused_and_replacing_one_is_not"

    async def put_schedule(self, schedule: Schedule) -> Schedule:
        guard_schedules(self.tables, schedule.tenant)
        return await super().put_schedule(schedule)


class LetsFiresPass(BrokenRunner):
    caught_by = "test_a_fire_beyond_the_quota_is_missed_and_those_of_others_are_not"

    async def submit(self, jobs: Iterable[NewJob], *, connection: Any = None) -> Sequence[Enqueued]:
        planned = list(jobs)
        try:
            return await super().submit(planned, connection=connection)
        except QuotaExceededError as refusal:
            if planned[0].fire_time is None:
                raise
            await self.store.clear_quota(refusal.tenant)
            return await super().submit(planned, connection=connection)
