"""What a schedule owes when somebody looks at it: when it fires, and which of its fires make a job now."""

from __future__ import annotations

from datetime import datetime, timedelta

from jobcore.errors import InvalidScheduleError
from jobcore.models import Overlap, Schedule
from jobcore.policies.cron import CronSchedule
from jobcore.policies.intervals import IntervalSchedule
from jobcore.policies.missed import DueFires, missed_fires

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


def owed_fires(schedule: Schedule, now: datetime) -> DueFires:
    """Return the fires that are due at `now`, the missed ones by the schedule's policy. Raises as `fire_times`."""
    first_undecided = schedule.next_fire or now
    return missed_fires(
        fire_times(schedule), first_undecided - _TICK, now, schedule.missed, limit=schedule.missed_limit
    )


def admitted_fires(overlap: Overlap, fires: tuple[datetime, ...], *, previous_runs: bool) -> tuple[datetime, ...]:
    """Return the fires that the overlap policy lets through; one at a time unless it allows overlaps."""
    if overlap is Overlap.ALLOW:
        return fires
    if overlap is Overlap.SKIP and previous_runs:
        return ()
    return fires[-1:]
