"""Schedules in memory (the `ScheduleStore` part of the store), and their firing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from jobcore.app import logs
from jobcore.errors import QuotaExceededError, ScheduleNotFoundError
from jobcore.memory import moves
from jobcore.memory.connection import MemoryConnection
from jobcore.memory.quotas import guard_schedules
from jobcore.memory.rows import JobRow
from jobcore.memory.tables import Tables
from jobcore.models import Enqueued, NewJob, Overlap, Schedule
from jobcore.policies.due import admitted_fires, fire_times, owed_fires
from jobcore.ports.store import ScheduleStore

PlanFire = Callable[[Schedule, datetime], NewJob]
Submit = Callable[[Sequence[NewJob], Any], Awaitable[Sequence[Enqueued]]]


class MemoryScheduleStore(ScheduleStore):
    """Schedules by tenant and key; the grid and the next fire are kept here, as PostgreSQL keeps them."""

    tables: Tables
    _firing: asyncio.Lock | None = None

    async def put_schedule(self, schedule: Schedule) -> Schedule:
        known = self.tables.schedules.get((schedule.tenant, schedule.key))
        now = self.tables.clock.now()
        if known is None:
            guard_schedules(self.tables, schedule.tenant)
            stored = replace(schedule, anchor=schedule.anchor or now)
        else:
            same_grid = _grid(known) == _grid(schedule)
            stored = replace(
                schedule,
                schedule_id=known.schedule_id,
                anchor=schedule.anchor or (known.anchor if same_grid else now),
                last_fire=known.last_fire,
                last_job_id=known.last_job_id,
            )
        return self._keep(replace(stored, next_fire=fire_times(stored).next_after(now)))

    async def get_schedule(self, tenant: UUID, key: str) -> Schedule:
        try:
            return self.tables.schedules[tenant, key]
        except KeyError:
            known = sorted(known for owner, known in self.tables.schedules if owner == tenant)
            raise ScheduleNotFoundError(
                f"Tenant {tenant} has no schedule {key!r}; it has {', '.join(map(repr, known)) or 'none'}."
            ) from None

    async def list_schedules(self, tenant: UUID | None = None) -> Sequence[Schedule]:
        return [
            self.tables.schedules[owner, key]
            for owner, key in sorted(self.tables.schedules)
            if tenant is None or owner == tenant
        ]

    async def set_schedule_enabled(self, tenant: UUID, key: str, enabled: bool) -> Schedule:
        schedule = await self.get_schedule(tenant, key)
        next_fire = fire_times(schedule).next_after(self.tables.clock.now())
        return self._keep(replace(schedule, enabled=enabled, next_fire=next_fire))

    async def delete_schedule(self, tenant: UUID, key: str) -> bool:
        return self.tables.schedules.pop((tenant, key), None) is not None

    async def fire_due(self, plan_fire: PlanFire, submit: Submit, *, limit: int = 1000) -> int:
        self._firing = self._firing or asyncio.Lock()
        if self._firing.locked():
            return 0
        async with self._firing:
            due = [schedule for schedule in self._by_next_fire() if self._is_due(schedule)][:limit]
            return sum([await self._fire(schedule, plan_fire, submit) for schedule in due])

    async def seconds_to_next_fire(self) -> float | None:
        instant = self.next_fire()
        return None if instant is None else (instant - self.tables.clock.now()).total_seconds()

    def next_fire(self) -> datetime | None:
        """Return when the next schedule fires; `None` without an enabled one."""
        return next((schedule.next_fire for schedule in self._by_next_fire()), None)

    async def _fire(self, schedule: Schedule, plan_fire: PlanFire, submit: Submit) -> int:
        due = owed_fires(schedule, self.tables.clock.now())
        runs = self._previous(schedule) is not None
        fires = admitted_fires(schedule.overlap, due.fires, previous_runs=runs)
        async with MemoryConnection(self.tables).transaction() as connection:
            jobs = [plan_fire(schedule, fire_time) for fire_time in fires]
            try:
                answers = await submit(jobs, connection) if jobs else ()
            except QuotaExceededError as error:
                logs.fires_missed(schedule, len(jobs), error)
                answers, due = (), replace(due, fires=())
            advanced = replace(
                schedule,
                next_fire=due.next_fire,
                last_fire=due.fires[-1] if due.fires else schedule.last_fire,
                last_job_id=answers[-1].job_id if answers else schedule.last_job_id,
            )
            connection.stage(effect=partial(self._advance, schedule, advanced))
            has_new_job = any(not answer.deduplicated for answer in answers)
            if has_new_job and schedule.overlap is Overlap.CANCEL_RUNNING:
                connection.stage(effect=partial(self._cancel_previous, schedule))
        return sum(not answer.deduplicated for answer in answers)

    def _advance(self, before: Schedule, after: Schedule) -> None:
        """Write what a fire changes, unless somebody replaced or removed the schedule meanwhile."""
        if self.tables.schedules.get((before.tenant, before.key)) is before:
            self._keep(after)

    def _previous(self, schedule: Schedule) -> JobRow | None:
        """Return the schedule's last job if it has not ended."""
        row = None if schedule.last_job_id is None else self.tables.jobs.get((schedule.tenant, schedule.last_job_id))
        return None if row is None or row.status.is_terminal else row

    def _cancel_previous(self, schedule: Schedule) -> None:
        if (row := self._previous(schedule)) is not None:
            moves.request_cancel(self.tables, row, f"schedule {schedule.key!r} fired again", "schedule")

    def _is_due(self, schedule: Schedule) -> bool:
        return schedule.next_fire is not None and schedule.next_fire <= self.tables.clock.now()

    def _by_next_fire(self) -> list[Schedule]:
        planned = [
            (schedule.next_fire, key)
            for key, schedule in self.tables.schedules.items()
            if schedule.enabled and schedule.next_fire is not None
        ]
        return [self.tables.schedules[key] for _, key in sorted(planned)]

    def _keep(self, schedule: Schedule) -> Schedule:
        self.tables.schedules[schedule.tenant, schedule.key] = schedule
        self.tables.bell.ring()
        return schedule


def _grid(schedule: Schedule) -> tuple[object, ...]:
    return (schedule.pattern, schedule.interval, schedule.timezone)
