"""Firing schedules: take what is due, submit its jobs and advance it, in one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson

from jobcore.errors import InputError, InvalidScheduleError, JobcoreError
from jobcore.models import Enqueued, NewJob, Overlap, Schedule
from jobcore.policies.cron import CronSchedule
from jobcore.policies.intervals import IntervalSchedule
from jobcore.policies.missed import DueFires, missed_fires
from jobcore.states import TERMINAL_STATES
from jobcore_postgres import logs
from jobcore_postgres.database import Connection
from jobcore_postgres.queries import affected_by, rows_of, value_of
from jobcore_postgres.rows import Row, schedule_record

PlanFire = Callable[[Schedule, datetime], NewJob]
Submit = Callable[[Sequence[NewJob], Any], Awaitable[Sequence[Enqueued]]]

_TICK = timedelta(microseconds=1)


def fire_times(schedule: Schedule) -> CronSchedule | IntervalSchedule:
    """Return the times at which a schedule fires.

    Raises:
        InvalidScheduleError: if it has neither a pattern nor an interval, or both, or they cannot be read.
    """
    if schedule.pattern is not None and schedule.interval is None:
        return CronSchedule(schedule.pattern, schedule.timezone)
    if schedule.interval is not None and schedule.pattern is None and schedule.anchor is not None:
        return IntervalSchedule(schedule.interval, schedule.anchor)
    raise InvalidScheduleError(f"Schedule {schedule.key!r} needs either a pattern or an interval.")


@dataclass(slots=True)
class _Due:
    """One schedule that is due: what it fires now, and where it goes from here."""

    schedule: Schedule
    next_fire: datetime | None
    last_fire: datetime | None
    jobs: list[NewJob]
    cancels_previous: bool
    last_answer: Enqueued | None = None

    @property
    def advance(self) -> dict[str, Any]:
        return {
            "tenant": self.schedule.tenant,
            "schedule_id": self.schedule.schedule_id,
            "next_fire": self.next_fire,
            "last_fire": self.last_fire,
            "last_job_id": self.last_answer.job_id if self.last_answer else None,
        }


class Firing:
    """One pass over the due schedules, within the transaction of `connection`.

    A schedule that cannot be fired (its time zone is gone, its job is refused) is logged and does not hold up others.
    """

    def __init__(self, connection: Connection, plan_fire: PlanFire, submit: Submit) -> None:
        self._connection = connection
        self._plan_fire = plan_fire
        self._submit = submit

    async def run(self, limit: int) -> int:
        """Fire; return how many jobs were made."""
        due = [self._plan(row) for row in await rows_of(self._connection, "schedules_due", (limit,))]
        if not due:
            return 0
        made = await self._submit_all(due)
        await self._cancel_previous(due)
        await affected_by(self._connection, "schedules_advance", (orjson.dumps([one.advance for one in due]).decode(),))
        return made

    def _plan(self, row: Row) -> _Due:
        schedule = schedule_record(row)
        try:
            owed = _owed(schedule, row["now"])
        except InvalidScheduleError as error:
            logs.schedule_unusable(schedule, error)
            return _Due(schedule, None, None, [], cancels_previous=False)
        runs = row["last_status"] is not None and row["last_status"] not in TERMINAL_STATES
        fires = _admitted(schedule.overlap, owed.fires, previous_runs=runs)
        jobs = [job for fire in fires if (job := self._plan_job(schedule, fire)) is not None]
        cancels = runs and bool(jobs) and schedule.overlap is Overlap.CANCEL_RUNNING
        return _Due(schedule, owed.next_fire, owed.fires[-1] if owed.fires else None, jobs, cancels)

    def _plan_job(self, schedule: Schedule, fire_time: datetime) -> NewJob | None:
        try:
            job = self._plan_fire(schedule, fire_time)
        except JobcoreError as error:
            logs.fire_refused(schedule, fire_time, error)
            return None
        return replace(
            job,
            schedule_id=schedule.schedule_id,
            fire_time=fire_time,
            run_at=fire_time + _jitter(schedule, fire_time) if schedule.jitter else job.run_at,
        )

    async def _submit_all(self, due: Sequence[_Due]) -> int:
        """Submit all jobs at once; if one is refused for its data, each schedule's by themselves."""
        firing = [one for one in due if one.jobs]
        try:
            return await self._submit_together(firing)
        except InputError:
            return sum([await self._submit_alone(one) for one in firing])

    async def _submit_alone(self, one: _Due) -> int:
        try:
            return await self._submit_together([one])
        except InputError as error:
            logs.fire_refused(one.schedule, one.jobs[-1].fire_time, error)
            one.cancels_previous = False
            return 0

    async def _submit_together(self, firing: Sequence[_Due]) -> int:
        jobs = [job for one in firing for job in one.jobs]
        if not jobs:
            return 0
        async with self._connection.transaction():
            answers = list(await self._submit(jobs, self._connection))
        remaining = iter(answers)
        for one in firing:
            one.last_answer = [next(remaining) for _ in one.jobs][-1]
        return sum(not answer.deduplicated for answer in answers)

    async def _cancel_previous(self, due: Sequence[_Due]) -> None:
        for one in due:
            schedule = one.schedule
            if one.cancels_previous:
                reason = f"schedule {schedule.key!r} fired again"
                request = (schedule.tenant, schedule.last_job_id, reason, "schedule")
                await value_of(self._connection, "job_cancel_request", request)


def _owed(schedule: Schedule, now: datetime) -> DueFires:
    first_undecided = schedule.next_fire or now
    return missed_fires(
        fire_times(schedule), first_undecided - _TICK, now, schedule.missed, limit=schedule.missed_limit
    )


def _admitted(overlap: Overlap, fires: tuple[datetime, ...], *, previous_runs: bool) -> tuple[datetime, ...]:
    """Return the fires that the overlap policy lets through; one at a time unless it allows overlaps."""
    if overlap is Overlap.ALLOW:
        return fires
    if overlap is Overlap.SKIP and previous_runs:
        return ()
    return fires[-1:]


def _jitter(schedule: Schedule, fire_time: datetime) -> timedelta:
    """Return the delay of one fire: from nothing to the schedule's jitter, the same whoever computes it."""
    digest = sha256(f"{schedule.schedule_id} {fire_time.timestamp()}".encode()).digest()
    return schedule.jitter * (int.from_bytes(digest[:8]) / 2**64)
