"""Jitter spreads fires, and is no matter of luck."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from jobcore.models import Schedule
from jobcore.policies.jitter import fire_jitter

NIGHT = datetime(2026, 1, 1, 3, tzinfo=UTC)


def schedule(number: int, jitter: timedelta) -> Schedule:
    return Schedule(
        tenant=UUID(int=1),
        schedule_id=UUID(int=number),
        key="k",
        name="k",
        handler="h",
        pattern="@daily",
        jitter=jitter,
    )


def test_whoever_computes_the_jitter_of_a_fire_finds_the_same() -> None:
    one = schedule(7, timedelta(minutes=10))
    assert fire_jitter(one, NIGHT) == fire_jitter(replace(one, name="renamed"), NIGHT)
    assert fire_jitter(one, NIGHT) != fire_jitter(one, NIGHT + timedelta(days=1))


def test_many_schedules_are_spread_evenly_below_their_jitter() -> None:
    delays = [fire_jitter(schedule(number, timedelta(minutes=10)), NIGHT) for number in range(10_000)]
    by_minute = [0] * 10
    for delay in delays:
        by_minute[delay // timedelta(minutes=1)] += 1
    assert min(by_minute) > 850
    assert max(by_minute) < 1150


def test_without_jitter_a_job_runs_at_its_fire() -> None:
    assert fire_jitter(schedule(1, timedelta()), NIGHT) == timedelta()
