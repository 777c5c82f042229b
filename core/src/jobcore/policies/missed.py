"""What to fire when a schedule is looked at: the slots on time, and the missed ones that its policy wants."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from jobcore.errors import InputError
from jobcore.models import MissedFires
from jobcore.policies.wallclock import SECOND, aware

GRACE = timedelta(seconds=10)
MAX_MISSED = 1_000
_TICK = timedelta(microseconds=1)


class FireTimes(Protocol):
    """What `CronSchedule` and `IntervalSchedule` have in common."""

    def next_after(self, instant: datetime) -> datetime: ...


@dataclass(frozen=True, slots=True)
class DueFires:
    """The slots to insert jobs for now, oldest first, and the first slot still to come."""

    fires: tuple[datetime, ...]
    next_fire: datetime


def missed_fires(
    schedule: FireTimes,
    last_fire: datetime,
    now: datetime,
    policy: MissedFires,
    *,
    limit: int = 100,
    grace: timedelta = GRACE,
) -> DueFires:
    """Return what a schedule owes at `now`.

    Slots at most `grace` late are on time and always fire. Of those missed, `skip` fires none; `latest` fires the last
    one, unless a slot on time follows it; `all` fires the newest `limit` ones. However long the outage was, the cost
    depends on how many fire, not on how many were missed.

    Args:
        last_fire: the last slot that was decided, or when the schedule was made; only later slots are due. A caller
            that knows the first undecided slot passes an instant just before it.
        now: by the database's clock.
        limit: how many missed slots `all` fires, 1 to 1,000.
        grace: how late a slot may be and still be on time.

    Raises:
        InputError: if the limit is out of range, or an instant has no time zone.
    """
    if not 1 <= limit <= MAX_MISSED:
        raise InputError(f"The limit of missed fires must be from 1 to {MAX_MISSED}, not {limit!r}.")
    last_fire, now = aware(last_fire), aware(now)
    late = max(last_fire, now - grace - _TICK)
    fires, following = _between(schedule, late, now)
    wanted = {MissedFires.SKIP: 0, MissedFires.LATEST: 0 if fires else 1, MissedFires.ALL: limit}[policy]
    earliest = fires[0] if fires else late + _TICK
    while wanted and (slot := _latest_before(schedule, last_fire, earliest)):
        fires.appendleft(slot)
        earliest = slot
        wanted -= 1
    return DueFires(tuple(fires), following)


def _between(schedule: FireTimes, after: datetime, until: datetime) -> tuple[deque[datetime], datetime]:
    """Return the slots later than `after` and up to `until`, and the one that follows them."""
    slots = deque[datetime]()
    while (slot := schedule.next_after(after)) <= until:
        slots.append(slot)
        after = slot
    return slots, slot


def _latest_before(schedule: FireTimes, after: datetime, before: datetime) -> datetime | None:
    """Return the last slot later than `after` and earlier than `before`.

    Steps back in doubling strides until a slot lies ahead, then halves the distance.
    """
    stride = SECOND
    while (low := before - stride) > after and schedule.next_after(low) >= before:
        stride *= 2
    low, high = max(low, after), before
    while (slot := schedule.next_after(low)) < before:
        if schedule.next_after(slot) >= before:
            return slot
        middle = slot + (high - slot) / 2
        if schedule.next_after(middle) < before:
            low = middle
        else:
            low, high = slot, middle
    return None
