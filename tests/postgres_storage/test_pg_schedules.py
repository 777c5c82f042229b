"""Schedules: kept, fired once a slot whoever fires, late ones by policy, overlaps by policy, and daylight saving."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from tempfile import TemporaryFile
from typing import Any

import psycopg
import pytest

from jobcore.errors import (
    HandlerNotFoundError,
    InvalidScheduleError,
    PayloadLimitError,
    ScheduleNotFoundError,
)
from jobcore.models import Enqueued, JobFilter, JobRecord, MissedFires, NewJob, Overlap, Schedule
from jobcore.states import JobState
from jobcore_postgres.firing import Firing
from jobcore_postgres.store import PostgresStore
from postgres_storage.builders import (
    OTHER_TENANT,
    TENANT,
    lease_of,
    plan,
    schedule,
    settle,
    submit,
    utc,
)

MINUTE = timedelta(minutes=1)
CENTURY = 3_155_760_000
"""Seconds."""


async def test_a_schedule_reads_back_as_it_was_put(store: PostgresStore) -> None:
    given = schedule(
        timezone="Europe/Berlin",
        payload=b'{"tenantId": "x"}',
        max_attempts=5,
        backoff=timedelta(seconds=2.5),
        missed=MissedFires.ALL,
        missed_limit=7,
        overlap=Overlap.SKIP,
        jitter=timedelta(seconds=30),
        runner_type="pgboss",
    )
    stored = await store.put_schedule(given)
    assert stored.anchor is not None
    assert stored.next_fire is not None
    assert stored == replace(given, anchor=stored.anchor, next_fire=stored.next_fire)
    assert await store.get_schedule(TENANT, "nightly") == stored


async def test_a_replaced_schedule_keeps_its_id_and_its_grid(store: PostgresStore) -> None:
    first = await store.put_schedule(schedule(pattern=None, interval=timedelta(minutes=7)))
    renamed = await store.put_schedule(schedule(pattern=None, interval=timedelta(minutes=7), name="Other"))
    assert (renamed.schedule_id, renamed.anchor, renamed.name) == (first.schedule_id, first.anchor, "Other")
    moved = await store.put_schedule(schedule(pattern=None, interval=timedelta(minutes=8)))
    assert moved.schedule_id == first.schedule_id
    assert moved.anchor is not None
    assert moved.anchor > (first.anchor or moved.anchor)
    assert moved.next_fire == moved.anchor + timedelta(minutes=8)


async def test_schedules_are_listed_switched_and_deleted(store: PostgresStore) -> None:
    for tenant, key in ((TENANT, "b"), (TENANT, "a"), (OTHER_TENANT, "a")):
        await store.put_schedule(schedule(tenant=tenant, key=key))
    assert [one.key for one in await store.list_schedules(TENANT)] == ["a", "b"]
    assert len(await store.list_schedules()) == 3
    assert (await store.set_schedule_enabled(TENANT, "a", False)).enabled is False
    assert (await store.set_schedule_enabled(TENANT, "a", True)).enabled is True
    assert await store.delete_schedule(TENANT, "a") is True
    assert await store.delete_schedule(TENANT, "a") is False
    for attempt in (store.get_schedule(TENANT, "a"), store.set_schedule_enabled(TENANT, "a", True)):
        with pytest.raises(ScheduleNotFoundError, match=f"Tenant {TENANT} has no schedule 'a'; it has 'b'"):
            await attempt


@pytest.mark.parametrize(
    "fields",
    [{"pattern": "61 * * * *"}, {"timezone": "Europe/Berln"}, {"interval": MINUTE}, {"pattern": None}],
)
async def test_a_schedule_that_cannot_fire_is_refused(store: PostgresStore, fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidScheduleError):
        await store.put_schedule(schedule(**fields))
    assert await store.list_schedules() == []


async def test_a_payload_with_nul_is_refused(store: PostgresStore) -> None:
    with pytest.raises(PayloadLimitError, match="schedule 'nightly' holds a NUL"):
        await store.put_schedule(schedule(payload=b'{"a": "\\u0000"}'))


async def test_it_is_known_how_long_until_the_next_fire(store: PostgresStore, admin: psycopg.Connection) -> None:
    assert await store.seconds_to_next_fire() is None
    await _interval(store, MINUTE)
    left = await store.seconds_to_next_fire()
    assert left is not None
    assert 55 < left <= 60
    _put_back(admin, 90)
    late = await store.seconds_to_next_fire()
    assert late is not None
    assert -35 < late < -25
    await store.set_schedule_enabled(TENANT, "nightly", False)
    assert await store.seconds_to_next_fire() is None


async def test_nothing_fires_before_its_time_or_while_it_is_off(
    store: PostgresStore, admin: psycopg.Connection
) -> None:
    await _interval(store, MINUTE)
    assert await store.fire_due(plan, submit) == 0
    _put_back(admin, 61)
    await store.set_schedule_enabled(TENANT, "nightly", False)
    assert await store.fire_due(plan, submit) == 0


async def test_a_fire_makes_its_job_and_advances_the_schedule(store: PostgresStore, admin: psycopg.Connection) -> None:
    before = await _interval(store, MINUTE)
    _put_back(admin, 61)
    due = (await store.get_schedule(TENANT, "nightly")).next_fire
    assert await store.fire_due(plan, submit) == 1
    after = await store.get_schedule(TENANT, "nightly")
    (job,) = await _jobs(store)
    assert (job.schedule_id, job.fire_time) == (before.schedule_id, due)
    assert (after.last_fire, after.last_job_id) == (due, job.job_id)
    assert after.next_fire == due + MINUTE if due else False
    assert await store.fire_due(plan, submit) == 0


async def test_three_firers_at_once_fire_each_slot_once(store: PostgresStore, admin: psycopg.Connection) -> None:
    for number in range(20):
        await _interval(store, timedelta(seconds=10 + number), key=f"s{number}", missed=MissedFires.ALL)
    for _ in range(4):
        _put_back(admin, 25)
        await asyncio.gather(*(store.fire_due(plan, submit, limit=7) for _ in range(3)))
        while await store.fire_due(plan, submit):
            pass
    jobs = await _jobs(store)
    assert len({(job.schedule_id, job.fire_time) for job in jobs}) == len(jobs)
    for one in await store.list_schedules(TENANT):
        fires = sorted(job.fire_time for job in jobs if job.schedule_id == one.schedule_id and job.fire_time)
        assert one.interval is not None
        assert fires
        assert {later - earlier for earlier, later in pairwise(fires)} <= {one.interval}
        assert one.last_fire == fires[-1]


async def test_a_firer_does_not_wait_for_another(store: PostgresStore, admin: psycopg.Connection) -> None:
    await _interval(store, MINUTE)
    _put_back(admin, 61)
    entered, leave = asyncio.Event(), asyncio.Event()

    async def slow(jobs: Sequence[NewJob], connection: Any) -> Sequence[Enqueued]:
        entered.set()
        await leave.wait()
        return await submit(jobs, connection)

    first = asyncio.create_task(store.fire_due(plan, slow))
    await entered.wait()
    assert await store.fire_due(plan, submit) == 0
    leave.set()
    assert await first == 1


async def test_a_fire_that_fails_is_fired_by_the_next_call(store: PostgresStore, admin: psycopg.Connection) -> None:
    await _interval(store, MINUTE)
    _put_back(admin, 61)

    async def breaks(jobs: Sequence[NewJob], connection: Any) -> Sequence[Enqueued]:
        await submit(jobs, connection)
        raise OSError("the engine is away")

    with pytest.raises(OSError, match="the engine is away"):
        await store.fire_due(plan, breaks)
    assert await _jobs(store) == []
    assert await store.fire_due(plan, submit) == 1


@pytest.mark.parametrize(
    ("missed", "limit", "expected"),
    [
        (MissedFires.SKIP, 100, []),
        (MissedFires.LATEST, 100, [-1]),
        (MissedFires.ALL, 100, [-5, -4, -3, -2, -1]),
        (MissedFires.ALL, 2, [-2, -1]),
    ],
)
async def test_missed_slots_fire_by_policy(
    store: PostgresStore, admin: psycopg.Connection, missed: MissedFires, limit: int, expected: list[int]
) -> None:
    await _interval(store, MINUTE, missed=missed, missed_limit=limit)
    _put_back(admin, 5 * 60 + 30)
    assert await store.fire_due(plan, submit) == len(expected)
    after = await store.get_schedule(TENANT, "nightly")
    assert after.next_fire is not None
    fires = sorted(job.fire_time for job in await _jobs(store) if job.fire_time)
    assert fires == [after.next_fire + slot * MINUTE for slot in expected]


async def test_an_overlap_that_is_allowed_fires_beside_the_previous_job(
    store: PostgresStore, admin: psycopg.Connection
) -> None:
    await _interval(store, MINUTE)
    for seconds in (61, 60):
        _put_back(admin, seconds)
        assert await store.fire_due(plan, submit) == 1
    jobs = await _jobs(store)
    assert [(job.status, job.cancel_requested) for job in jobs] == [(JobState.QUEUED, None)] * 2


async def test_an_overlap_is_skipped_until_the_last_job_has_ended(
    store: PostgresStore, admin: psycopg.Connection
) -> None:
    await _interval(store, MINUTE, overlap=Overlap.SKIP)
    _put_back(admin, 61)
    assert await store.fire_due(plan, submit) == 1
    _put_back(admin, 60)
    assert await store.fire_due(plan, submit) == 0
    (job,) = await _jobs(store)
    await settle(store, lease_of(job.job_id), "completed")
    _put_back(admin, 60)
    assert await store.fire_due(plan, submit) == 1


async def test_an_overlap_cancels_the_job_that_runs(store: PostgresStore, admin: psycopg.Connection) -> None:
    await _interval(store, MINUTE, overlap=Overlap.CANCEL_RUNNING, missed=MissedFires.ALL)
    _put_back(admin, 61)
    assert await store.fire_due(plan, submit) == 1
    (first,) = await _jobs(store)
    _put_back(admin, 3 * 60)
    assert await store.fire_due(plan, submit) == 1
    cancelled = (await store.get_job(TENANT, first.job_id)).cancel_requested
    assert cancelled is not None
    assert cancelled["reason"] == "schedule 'nightly' fired again"
    assert len(await _jobs(store)) == 2


async def test_a_fire_that_has_its_job_already_does_not_cancel_it(
    store: PostgresStore, admin: psycopg.Connection
) -> None:
    """As where an edit waited for the firing, and computed the next fire from the time before."""
    await _interval(store, MINUTE, overlap=Overlap.CANCEL_RUNNING)
    _put_back(admin, 61)
    assert await store.fire_due(plan, submit) == 1
    admin.execute("update cron_jobs set next_fire = last_fire")
    assert await store.fire_due(plan, submit) == 0
    (job,) = await _jobs(store)
    assert job.cancel_requested is None
    assert (await store.get_schedule(TENANT, "nightly")).last_job_id == job.job_id


async def test_what_many_missed_is_made_up_for_in_several_transactions(
    store: PostgresStore, admin: psycopg.Connection
) -> None:
    for number in range(6):
        await _interval(store, MINUTE, key=f"s{number}", missed=MissedFires.ALL)
    _put_back(admin, 50 * 60)
    made: list[int] = []
    while count := await store.fire_due(plan, submit, limit=100):
        made.append(count)
    assert made == [100, 100, 100]
    fires = [(job.schedule_id, job.fire_time) for job in await _jobs(store)]
    assert len(set(fires)) == len(fires) == 300


async def test_each_of_several_overlaps_cancels_the_job_of_its_own_schedule(
    store: PostgresStore, admin: psycopg.Connection
) -> None:
    for number in range(5):
        overlap = Overlap.ALLOW if number == 0 else Overlap.CANCEL_RUNNING
        await _interval(store, MINUTE, key=f"s{number}", overlap=overlap)
    _put_back(admin, 61)
    assert await store.fire_due(plan, submit) == 5
    first = {schedule.last_job_id: schedule.key for schedule in await store.list_schedules(TENANT)}
    _put_back(admin, 60)
    assert await store.fire_due(plan, submit) == 5
    asked = [job for job in await _jobs(store) if job.cancel_requested is not None]
    assert sorted(first[job.job_id] for job in asked) == ["s1", "s2", "s3", "s4"]
    for job in asked:
        assert job.cancel_requested is not None
        assert job.cancel_requested["reason"] == f"schedule {first[job.job_id]!r} fired again"


async def test_firing_many_takes_no_more_statements_than_firing_a_few(
    store: PostgresStore, admin: psycopg.Connection
) -> None:
    """Counted on the wire, with previous jobs to cancel and without."""
    counts: list[int] = []
    for numbers in (range(5), range(5, 50)):
        for number in numbers:
            await _interval(store, MINUTE, key=f"s{number}", overlap=Overlap.CANCEL_RUNNING)
        for _ in range(2):
            _put_back(admin, 60)
            counts.append(await _statements_of_firing(store))
    first, with_cancellations, *of_many = counts
    assert with_cancellations == first + 1
    assert of_many == [with_cancellations] * 2
    assert len(await _jobs(store)) == 5 * 4 + 45 * 2


async def test_among_many_the_ones_that_are_refused_are_found(
    store: PostgresStore, admin: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    keys = [f"s{number:02}" for number in range(50)]
    for key in keys:
        await _interval(store, MINUTE, key=key)
    _put_back(admin, 61)
    calls: list[int] = []

    async def check(jobs: Sequence[NewJob], connection: Any) -> Sequence[Enqueued]:
        calls.append(len(jobs))
        if any(job.metadata["key"] in {"s07", "s31"} for job in jobs):
            raise PayloadLimitError("too large")
        return await submit(jobs, connection)

    made = await store.fire_due(lambda of, fire: replace(plan(of, fire), metadata={"key": of.key}), check)
    assert made == 48
    assert sorted(job.metadata["key"] for job in await _jobs(store)) == [k for k in keys if k not in {"s07", "s31"}]
    assert caplog.text.count("too large") == 2
    assert len(calls) < 25


async def test_one_schedule_that_is_refused_does_not_hold_up_the_others(
    store: PostgresStore, admin: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    for key in ("good", "no handler", "refused", "no zone"):
        await _interval(store, MINUTE, key=key, overlap=Overlap.CANCEL_RUNNING)
    _put_back(admin, 61)
    admin.execute(
        """update cron_jobs set pattern = '* * * * *', interval_ms = null, timezone = 'Gone/Zone'
        where job_id = 'no zone'"""
    )

    def pick(of: Schedule, fire_time: datetime) -> NewJob:
        if of.key == "no handler":
            raise HandlerNotFoundError(of.handler)
        return replace(plan(of, fire_time), metadata={"key": of.key})

    async def check(jobs: Sequence[NewJob], connection: Any) -> Sequence[Enqueued]:
        if any(job.metadata["key"] == "refused" for job in jobs):
            raise PayloadLimitError("too large")
        return await submit(jobs, connection)

    assert await store.fire_due(pick, check) == 1
    assert [job.metadata["key"] for job in await _jobs(store)] == ["good"]
    assert "'no handler' of tenant" in caplog.text
    assert "made no job" in caplog.text
    assert "too large" in caplog.text
    assert "'no zone' of tenant" in caplog.text
    left = await store.seconds_to_next_fire()
    assert left is not None
    assert left > 0


@pytest.mark.parametrize(
    ("pattern", "since", "expected"),
    [
        ("30 2 * * *", utc(2025, 3, 30, 0), utc(2025, 3, 30, 1)),  # 02:30 does not exist: at the change
        ("30 2 * * *", utc(2025, 3, 30, 0, 59, 59), utc(2025, 3, 30, 1)),  # and that is when it was due
        ("30 2 * * *", utc(2025, 10, 26, 0, 15), utc(2025, 10, 26, 0, 30)),  # occurs twice: the first time
        ("30 2 * * *", utc(2025, 10, 26, 0, 30), utc(2025, 10, 27, 1, 30)),  # and not the second
    ],
)
async def test_daylight_saving_fires_a_fixed_time_once(
    store: PostgresStore, admin: psycopg.Connection, pattern: str, since: datetime, expected: datetime
) -> None:
    await store.put_schedule(
        schedule(pattern=pattern, timezone="Europe/Berlin", missed=MissedFires.ALL, missed_limit=1000)
    )
    admin.execute("update cron_jobs set next_fire = %s", (since + timedelta(seconds=1),))
    made = await store.fire_due(plan, submit)
    fires = sorted(job.fire_time for job in await _jobs(store) if job.fire_time)
    assert made == len(fires) > 0
    assert fires[0] == expected


async def _interval(store: PostgresStore, every: timedelta, **fields: Any) -> Schedule:
    return await store.put_schedule(schedule(pattern=None, interval=every, **fields))


async def _jobs(store: PostgresStore) -> Sequence[JobRecord]:
    return await store.find_jobs(TENANT, JobFilter(limit=1000))


async def _statements_of_firing(store: PostgresStore) -> int:
    """Fire what is due; return how many statements were sent for it."""
    with TemporaryFile("w+") as wire:
        async with store.database.transaction() as connection:
            connection.pgconn.trace(wire.fileno())
            await Firing(connection, plan, submit).run(1000)
            connection.pgconn.untrace()
        wire.seek(0)
        return len(re.findall(r"^.*\tF\t\d+\t(?:Query|Execute)\b", wire.read(), re.MULTILINE))


def _put_back(admin: psycopg.Connection, seconds: int) -> None:
    """Let so many seconds pass for the schedules."""
    admin.execute(
        """update cron_jobs
        set anchor = anchor - %(s)s * interval '1 s', next_fire = next_fire - %(s)s * interval '1 s'""",
        {"s": seconds},
    )
    # By way of another century, for the unique index is asked row by row: one could move to where the next still is.
    for shift in (-seconds - CENTURY, CENTURY):
        admin.execute(
            "update jobs set fire_time = fire_time + %s * interval '1 s' where schedule_id is not null", (shift,)
        )
