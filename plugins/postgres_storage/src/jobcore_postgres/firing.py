"""Firing schedules: take what is due, submit its jobs and advance it, in one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from jobcore.errors import InputError, InvalidScheduleError, JobcoreError, QuotaExceededError
from jobcore.models import Enqueued, NewJob, Overlap, Schedule
from jobcore.policies.due import admitted_fires, owed_fires
from jobcore.states import TERMINAL_STATES
from jobcore_postgres import logs
from jobcore_postgres.database import Connection
from jobcore_postgres.queries import affected_by, rows_of
from jobcore_postgres.rows import Row, schedule_record

PlanFire = Callable[[Schedule, datetime], NewJob]
Submit = Callable[[Sequence[NewJob], Any], Awaitable[Sequence[Enqueued]]]


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

    @property
    def has_new_job(self) -> bool:
        """False too if this very fire had its job already: it is then the previous one."""
        return self.last_answer is not None and not self.last_answer.deduplicated

    @property
    def cancel_request(self) -> dict[str, Any]:
        return {
            "tenant": self.schedule.tenant,
            "job_id": self.schedule.last_job_id,
            "reason": f"schedule {self.schedule.key!r} fired again",
        }


class Firing:
    """One pass over the due schedules, within the transaction of `connection`.

    A schedule that cannot be fired (its time zone is gone, its job is refused) is logged and does not hold up others.
    """

    def __init__(self, connection: Connection, plan_fire: PlanFire, submit: Submit) -> None:
        self._connection = connection
        self._plan_fire = plan_fire
        self._submit = submit
        self._full: dict[UUID, QuotaExceededError] = {}
        """The tenants that have no room for a single job."""

    async def run(self, limit: int) -> int:
        """Fire at most `limit` schedules, and no further one once they make so many jobs; return how many were made."""
        due = self._plan_all(await rows_of(self._connection, "schedules_due", (limit,)), limit)
        if not due:
            return 0
        made = await self._submit_all([one for one in due if one.jobs])
        await self._cancel_previous(due)
        await affected_by(self._connection, "schedules_advance", (orjson.dumps([one.advance for one in due]).decode(),))
        return made

    def _plan_all(self, rows: Sequence[Row], most_jobs: int) -> list[_Due]:
        due: list[_Due] = []
        jobs = 0
        for row in rows:
            due.append(self._plan(row))
            jobs += len(due[-1].jobs)
            if jobs >= most_jobs:  # after an outage each may owe a thousand; the next call takes the others
                break
        return due

    def _plan(self, row: Row) -> _Due:
        schedule = schedule_record(row)
        try:
            owed = owed_fires(schedule, row["now"])
        except InvalidScheduleError as error:
            logs.schedule_unusable(schedule, error)
            return _Due(schedule, None, None, [], cancels_previous=False)
        runs = row["last_status"] is not None and row["last_status"] not in TERMINAL_STATES
        fires = admitted_fires(schedule.overlap, owed.fires, previous_runs=runs)
        jobs = [job for fire in fires if (job := self._plan_job(schedule, fire)) is not None]
        cancels = runs and bool(jobs) and schedule.overlap is Overlap.CANCEL_RUNNING
        return _Due(schedule, owed.next_fire, owed.fires[-1] if owed.fires else None, jobs, cancels)

    def _plan_job(self, schedule: Schedule, fire_time: datetime) -> NewJob | None:
        try:
            return self._plan_fire(schedule, fire_time)
        except JobcoreError as error:
            logs.fire_refused(schedule, fire_time, error)
            return None

    async def _submit_all(self, firing: Sequence[_Due]) -> int:
        """Submit all jobs at once; if one is refused, half by half, until it stands alone."""
        firing = [one for one in firing if not self._misses(one)]
        if not firing:
            return 0
        try:
            return await self._submit_together(firing)
        except InputError as error:
            if len(firing) == 1:
                logs.fire_refused(firing[0].schedule, firing[0].jobs[-1].fire_time, error)
                return 0
        except QuotaExceededError as error:
            if len(firing) == 1:
                if len(firing[0].jobs) == 1:
                    self._full[error.tenant] = error
                _miss(firing[0], error)
                return 0
        middle = len(firing) // 2
        return await self._submit_all(firing[:middle]) + await self._submit_all(firing[middle:])

    def _misses(self, due: _Due) -> bool:
        refusal = self._full.get(due.schedule.tenant)
        if refusal is not None:
            _miss(due, refusal)
        return refusal is not None

    async def _submit_together(self, firing: Sequence[_Due]) -> int:
        jobs = [job for one in firing for job in one.jobs]
        async with self._connection.transaction():
            answers = list(await self._submit(jobs, self._connection))
        remaining = iter(answers)
        for one in firing:
            one.last_answer = [next(remaining) for _ in one.jobs][-1]
        return sum(not answer.deduplicated for answer in answers)

    async def _cancel_previous(self, due: Sequence[_Due]) -> None:
        requests = [one.cancel_request for one in due if one.cancels_previous and one.has_new_job]
        if requests:
            await affected_by(self._connection, "schedules_cancel", (orjson.dumps(requests).decode(),))


def _miss(due: _Due, refusal: QuotaExceededError) -> None:
    """Go on without these fires, as if nobody had been there for them."""
    due.last_fire = None
    logs.fires_missed(due.schedule, len(due.jobs), refusal)
