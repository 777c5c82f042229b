"""What callers may get wrong: refused with a typed error, before it can harm a neighbour or a later reader."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest

from jobcore import JobApp, JobContext, JobData, job
from jobcore.app.queueing import enqueue_job
from jobcore.errors import InputError, InvalidScheduleError, NaiveDatetimeError
from jobcore.ids import SYSTEM_TENANT
from jobcore.models import JobFilter
from jobcore.settings import Settings

ELSEWHERE = timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))


class Data(JobData):
    n: int = 0


@job("idle")
async def idle(ctx: JobContext, data: Data) -> None:
    """Do nothing."""


@pytest.fixture
async def app(database_dsn: str) -> AsyncIterator[JobApp]:
    async with JobApp(Settings.load(env={"DATABASE_URL": database_dsn}), handlers=[idle]) as app:
        yield app


async def enqueue(app: JobApp, **options: Any) -> UUID:
    return (await app.enqueue(idle, Data(), tenant="system", **options)).job_id


@pytest.mark.parametrize("run_at", [datetime(1, 1, 1, tzinfo=ELSEWHERE[0]), datetime.max.replace(tzinfo=ELSEWHERE[1])])
async def test_an_instant_that_no_reader_could_hold_is_refused(app: JobApp, run_at: datetime) -> None:
    with pytest.raises(InputError, match="run_at must lie from 1970 to 9000"):
        await enqueue(app, run_at=run_at)
    assert await app.find_jobs() == []


async def test_metadata_is_stored_as_the_json_that_it_becomes(app: JobApp) -> None:
    job_id = await enqueue(app, metadata={"model": Data(n=3), "view": MappingProxyType({"a": 1})})
    metadata = (await app.get_job(SYSTEM_TENANT, job_id)).metadata
    assert metadata["model"]["n"] == 3
    assert metadata["view"] == {"a": 1}


async def test_an_odd_call_does_no_harm_to_those_who_enqueue_beside_it(app: JobApp) -> None:
    answers = await asyncio.gather(
        enqueue(app), enqueue(app, metadata={"model": Data()}), enqueue(app), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [UUID, UUID, UUID]


@pytest.mark.parametrize("reason", ["wrong\x00 order", "wrong\ud800 order"])
async def test_a_cancellation_keeps_what_can_be_stored_of_its_reason(app: JobApp, reason: str) -> None:
    job_id = await enqueue(app, delay=60)
    assert await app.cancel("system", job_id, reason=reason, cancelled_by="Ada\x00")
    error = (await app.get_job("system", job_id)).error
    assert error == {"reason": "wrong\ufffd order", "cancelled_by": "Ada\ufffd"}


async def test_a_reason_is_text(app: JobApp) -> None:
    job_id = await enqueue(app, delay=60)
    with pytest.raises(InputError, match="reason must be text, not int"):
        await app.cancel("system", job_id, reason=404)  # type: ignore[arg-type]


async def test_a_filter_names_instants_and_names_that_can_be(app: JobApp) -> None:
    with pytest.raises(NaiveDatetimeError, match="created_after"):
        await app.find_jobs(where=JobFilter(created_after=datetime(2026, 1, 1)))
    with pytest.raises(NaiveDatetimeError, match="created_before"):
        await app.find_jobs(where=JobFilter(created_before=datetime(2026, 1, 1)))
    with pytest.raises(InputError, match=r"U\+0000"):
        await app.find_jobs(where=JobFilter(names=("idle\x00",)))
    await app.find_jobs(where=JobFilter(created_after=datetime(2026, 1, 1, tzinfo=UTC), names=("idle",)))


@pytest.mark.parametrize("delay", [float("nan"), float("inf"), -5.0])
async def test_a_delay_in_milliseconds_is_a_number_that_can_be_meant(app: JobApp, delay: float) -> None:
    with pytest.raises(InputError, match="delay"):
        await enqueue_job(app, idle, {}, delay=delay)


@pytest.mark.parametrize(
    "options",
    [
        {"max_attempts": 0},
        {"max_attempts": 2**31 - 1},
        {"max_attempts": 1.5},
        {"missed_limit": "x"},
        {"missed_limit": True},
        {"missed_limit": 0},
        {"name": 5},
        {"name": "\x00"},
        {"timezone": "\x00"},
        {"timezone": "Mars/Olympus_Mons"},
    ],
)
async def test_a_schedules_options_are_checked_when_it_is_made(app: JobApp, options: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        await app.schedule("nightly", idle, "24 hours", Data(), tenant="system", **options)
    assert await app.schedules.list() == []


async def test_a_schedule_is_a_text_or_a_timedelta(app: JobApp) -> None:
    with pytest.raises(InvalidScheduleError, match="not int"):
        await app.schedule("nightly", idle, 5, Data(), tenant="system")


@pytest.mark.parametrize("key", ["\x00", "\ud800", "", 5])
async def test_a_schedules_key_is_checked_wherever_it_is_named(app: JobApp, key: Any) -> None:
    schedules = app.schedules
    for call in (schedules.get, schedules.pause, schedules.resume, schedules.remove, schedules.trigger):
        with pytest.raises(InputError, match="key"):
            await call("system", key)
