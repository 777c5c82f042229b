"""Keeping and firing schedules."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from jobcore.errors import InvalidScheduleError, ScheduleNotFoundError
from jobcore.models import Enqueued, JobFilter, JobRecord, MissedFires, NewJob, Overlap, Schedule
from jobcore.testing.runner_contract.behaviour import needs
from jobcore.testing.storage_contract.harness import StorageHarness
from jobcore.testing.storage_contract.rows import Submission, new_schedule, plan

HOUR = timedelta(hours=1)


@asynccontextmanager
async def _kept(harness: StorageHarness, **fields: Any) -> AsyncGenerator[Schedule]:
    """Keep a schedule during the block: whoever fires, fires everybody's."""
    schedule = await harness.store.put_schedule(new_schedule(uuid4(), **fields))
    try:
        yield schedule
    finally:
        await harness.store.delete_schedule(schedule.tenant, schedule.key)


async def _fired(harness: StorageHarness, schedule: Schedule) -> Sequence[JobRecord]:
    return await harness.store.find_jobs(schedule.tenant, JobFilter())


async def test_a_schedule_reads_back_as_it_was_put(harness: StorageHarness) -> None:
    fields = {
        "pattern": "30 3 * * 1",
        "interval": None,
        "timezone": "Europe/Berlin",
        "max_attempts": 5,
        "backoff": timedelta(seconds=2.5),
        "missed": MissedFires.ALL,
        "missed_limit": 7,
        "overlap": Overlap.SKIP,
        "jitter": timedelta(seconds=30),
        "runner_type": "elsewhere",
        "enabled": False,
    }
    given = new_schedule(uuid4(), **fields)
    stored = await harness.store.put_schedule(given)
    assert stored == replace(given, anchor=stored.anchor, next_fire=stored.next_fire)
    assert await harness.store.get_schedule(given.tenant, given.key) == stored
    await harness.store.delete_schedule(given.tenant, given.key)


async def test_an_interval_begins_when_it_is_put(harness: StorageHarness) -> None:
    async with _kept(harness) as schedule:
        assert schedule.anchor is not None
        assert schedule.next_fire == schedule.anchor + HOUR


async def test_a_schedule_put_again_keeps_its_id_and_its_grid(harness: StorageHarness) -> None:
    async with _kept(harness) as first:
        renamed = await harness.store.put_schedule(new_schedule(first.tenant, name="Other"))
        assert (renamed.schedule_id, renamed.anchor, renamed.name) == (first.schedule_id, first.anchor, "Other")
        moved = await harness.store.put_schedule(new_schedule(first.tenant, interval=2 * HOUR))
        assert moved.schedule_id == first.schedule_id
        assert moved.anchor is not None
        assert moved.next_fire == moved.anchor + 2 * HOUR
        assert len(await harness.store.list_schedules(first.tenant)) == 1


async def test_a_deleted_schedule_is_gone(harness: StorageHarness) -> None:
    async with _kept(harness) as schedule:
        assert await harness.store.delete_schedule(schedule.tenant, schedule.key)
        assert not await harness.store.delete_schedule(schedule.tenant, schedule.key)
        assert await harness.store.list_schedules(schedule.tenant) == []


async def test_a_schedule_that_is_not_there_is_not_found_and_others_are_named(harness: StorageHarness) -> None:
    async with _kept(harness) as schedule:
        with pytest.raises(ScheduleNotFoundError, match=f"{schedule.tenant}.*'daily'.*'nightly'"):
            await harness.store.get_schedule(schedule.tenant, "daily")
        with pytest.raises(ScheduleNotFoundError):
            await harness.store.set_schedule_enabled(schedule.tenant, "daily", True)


async def test_schedules_are_kept_apart_by_tenant(harness: StorageHarness) -> None:
    async with _kept(harness) as first, _kept(harness) as second:
        assert [one.schedule_id for one in await harness.store.list_schedules(first.tenant)] == [first.schedule_id]
        with pytest.raises(ScheduleNotFoundError):
            await harness.store.get_schedule(uuid4(), first.key)
        everybody = {one.schedule_id for one in await harness.store.list_schedules()}
        assert {first.schedule_id, second.schedule_id} <= everybody


async def test_a_schedule_that_cannot_fire_is_refused(harness: StorageHarness) -> None:
    tenant = uuid4()
    for wrong in (
        {"pattern": "61 * * * *", "interval": None},
        {"pattern": "0 3 * * *", "interval": None, "timezone": "Europe/Berln"},
        {"pattern": "0 3 * * *", "interval": HOUR},
        {"pattern": None, "interval": None},
    ):
        with pytest.raises(InvalidScheduleError):
            await harness.store.put_schedule(new_schedule(tenant, **wrong))
    assert await harness.store.list_schedules(tenant) == []


async def test_it_is_known_how_long_until_the_next_fire(harness: StorageHarness) -> None:
    async with _kept(harness, interval=timedelta(minutes=1)):
        left = await harness.store.seconds_to_next_fire()
        assert left is not None
        assert 30 < left <= 60


async def test_nothing_fires_before_its_time(harness: StorageHarness) -> None:
    async with _kept(harness) as schedule:
        await harness.store.fire_due(plan, Submission(harness.store))
        assert await _fired(harness, schedule) == []


@needs("advance", "transact")
async def test_a_due_schedule_fires_once_and_goes_on(harness: StorageHarness) -> None:
    async with _kept(harness) as schedule:
        await harness.advance(HOUR)
        assert await harness.store.fire_due(plan, Submission(harness.store)) == 1
        assert await harness.store.fire_due(plan, Submission(harness.store)) == 0
        [job] = await _fired(harness, schedule)
        after = await harness.store.get_schedule(schedule.tenant, schedule.key)
        assert (after.last_fire, after.last_job_id) == (job.fire_time, job.job_id)
        assert job.schedule_id == schedule.schedule_id
        assert job.fire_time is not None
        assert after.next_fire == job.fire_time + HOUR


@needs("advance", "transact")
async def test_whoever_fires_at_once_a_slot_makes_one_job(harness: StorageHarness) -> None:
    async with _kept(harness) as schedule:
        await harness.advance(HOUR)
        await asyncio.gather(*(harness.store.fire_due(plan, Submission(harness.store)) for _ in range(5)))
        assert len(await _fired(harness, schedule)) == 1


@needs("advance", "transact")
async def test_a_schedule_that_is_off_does_not_fire(harness: StorageHarness) -> None:
    async with _kept(harness) as schedule:
        assert not (await harness.store.set_schedule_enabled(schedule.tenant, schedule.key, False)).enabled
        await harness.advance(2 * HOUR)
        await harness.store.fire_due(plan, Submission(harness.store))
        assert await _fired(harness, schedule) == []
        switched = await harness.store.set_schedule_enabled(schedule.tenant, schedule.key, True)
        assert switched.enabled
        await harness.store.fire_due(plan, Submission(harness.store))
        assert await _fired(harness, schedule) == [], "what was missed in the pause stays missed"


@needs("advance", "transact")
async def test_a_fire_that_could_not_be_submitted_is_made_up_for(harness: StorageHarness) -> None:
    async def fails(jobs: Sequence[NewJob], connection: Any) -> Sequence[Enqueued]:
        raise ConnectionError("the engine is away")

    async with _kept(harness) as schedule:
        await harness.advance(HOUR)
        with pytest.raises(ConnectionError):
            await harness.store.fire_due(plan, fails)
        left = await harness.store.get_schedule(schedule.tenant, schedule.key)
        assert (left.last_fire, left.last_job_id) == (None, None)
        assert await harness.store.fire_due(plan, Submission(harness.store)) == 1
        assert len(await _fired(harness, schedule)) == 1
