"""Missed fires: skip, latest and all, whatever the outage."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobcore.errors import InputError
from jobcore.models import MissedFires
from jobcore.policies.cron import CronSchedule
from jobcore.policies.intervals import IntervalSchedule
from jobcore.policies.missed import missed_fires

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOURLY = CronSchedule("0 * * * *")


def hours(*values: int) -> tuple[datetime, ...]:
    return tuple(NOON.replace(hour=value) for value in values)


@pytest.mark.parametrize("policy", MissedFires)
def test_a_slot_on_time_fires_under_every_policy(policy: MissedFires) -> None:
    due = missed_fires(HOURLY, NOON - timedelta(hours=1), NOON + timedelta(seconds=3), policy)
    assert due.fires == hours(12)
    assert due.next_fire == NOON + timedelta(hours=1)


@pytest.mark.parametrize("policy", MissedFires)
def test_nothing_is_due_before_the_slot(policy: MissedFires) -> None:
    due = missed_fires(HOURLY, NOON, NOON + timedelta(minutes=59), policy)
    assert due.fires == ()
    assert due.next_fire == NOON + timedelta(hours=1)


@pytest.mark.parametrize(
    ("policy", "limit", "expected"),
    [
        (MissedFires.SKIP, 100, ()),
        (MissedFires.LATEST, 100, hours(12)),
        (MissedFires.ALL, 100, hours(8, 9, 10, 11, 12)),
        (MissedFires.ALL, 2, hours(11, 12)),
    ],
)
def test_slots_of_an_outage_follow_the_policy(policy: MissedFires, limit: int, expected: tuple[datetime, ...]) -> None:
    now = NOON + timedelta(minutes=30)
    due = missed_fires(HOURLY, NOON.replace(hour=7), now, policy, limit=limit)
    assert due.fires == expected
    assert due.next_fire == NOON.replace(hour=13)


def test_latest_fires_nothing_extra_when_a_slot_is_on_time() -> None:
    due = missed_fires(HOURLY, NOON.replace(hour=7), NOON, MissedFires.LATEST)
    assert due.fires == hours(12)


def test_all_fires_the_slots_on_time_beside_the_missed_ones() -> None:
    due = missed_fires(HOURLY, NOON.replace(hour=7), NOON, MissedFires.ALL, limit=2)
    assert due.fires == hours(10, 11, 12)


def test_a_clock_that_went_back_fires_nothing_twice() -> None:
    due = missed_fires(HOURLY, NOON, NOON - timedelta(minutes=30), MissedFires.ALL)
    assert due.fires == ()
    assert due.next_fire == NOON + timedelta(hours=1)


@pytest.mark.parametrize(
    "schedule",
    [IntervalSchedule(timedelta(seconds=1)), CronSchedule("* * * * * *"), CronSchedule("0 0 29 2 *", "Europe/Berlin")],
)
def test_an_outage_of_years_is_answered_at_once(schedule: CronSchedule | IntervalSchedule) -> None:
    began = time.perf_counter()
    due = missed_fires(schedule, NOON - timedelta(days=3650), NOON, MissedFires.LATEST, grace=timedelta())
    assert due.fires[-1] <= NOON < due.next_fire
    assert len(due.fires) == 1
    assert time.perf_counter() - began < 1


schedules = st.one_of(
    st.builds(
        IntervalSchedule, st.timedeltas(timedelta(seconds=1), timedelta(hours=2)), st.just(NOON - timedelta(days=3))
    ),
    st.sampled_from(["*/7 * * * *", "0,1,2 3 * * *", "5 */3 * * *", "*/20 * 5 * * *"]).map(CronSchedule),
)


@settings(max_examples=60, deadline=None)
@given(
    schedules,
    st.timedeltas(timedelta(), timedelta(hours=26)),
    st.timedeltas(timedelta(), timedelta(seconds=20)),
    st.sampled_from(MissedFires),
    st.integers(1, 20),
)
def test_the_answer_is_that_of_listing_every_slot(
    schedule: CronSchedule | IntervalSchedule, outage: timedelta, grace: timedelta, policy: MissedFires, limit: int
) -> None:
    now, last = NOON, NOON - outage
    if isinstance(schedule, IntervalSchedule) and outage / schedule.every > 3000:
        outage = 3000 * schedule.every
        last = NOON - outage
    slots, slot = [], schedule.next_after(last)
    while slot <= now:
        slots.append(slot)
        slot = schedule.next_after(slot)
    on_time = [slot for slot in slots if slot >= now - grace]
    missed = [slot for slot in slots if slot < now - grace]
    wanted = {
        MissedFires.SKIP: [],
        MissedFires.LATEST: missed[-1:] if not on_time else [],
        MissedFires.ALL: missed[-limit:],
    }[policy]
    due = missed_fires(schedule, last, now, policy, limit=limit, grace=grace)
    assert list(due.fires) == wanted + on_time
    assert due.next_fire == slot


@pytest.mark.parametrize("limit", [0, 1001])
def test_the_limit_is_bounded(limit: int) -> None:
    with pytest.raises(InputError, match="limit"):
        missed_fires(HOURLY, NOON, NOON, MissedFires.ALL, limit=limit)
