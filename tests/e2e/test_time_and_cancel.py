"""Delays, recurring jobs and cancellation, with real workers."""

import itertools
from datetime import timedelta

import psycopg
import pytest

from jobcore.app import JobApp
from jobcore.errors import JobCancelledError
from jobcore.ids import SYSTEM_TENANT
from jobcore.models import JobFilter
from jobcore.states import JobState
from support.chaos_jobs import Marked, note_job
from support.checker import assert_clean
from support.fleet import Fleet, eventually
from support.history import EffectLedger, read_history


async def test_a_delayed_job_does_not_run_early(app: JobApp, fleet: Fleet, job_dsn: str, ledger: EffectLedger) -> None:
    await fleet.start(2, app)
    jobs = [
        await note_job.enqueue(app, Marked(number=n), tenant=SYSTEM_TENANT, delay=timedelta(milliseconds=300 + 7 * n))
        for n in range(40)
    ]
    for job in jobs:
        await job.result(timeout=30)
    due = {job.job_id: job.run_at for job in await app.find_jobs(where=JobFilter(limit=100))}
    starts = [effect for effect in ledger.read() if effect.kind == "start"]
    assert len(starts) == 40
    assert [effect for effect in starts if effect.at < due[effect.job_id]] == []


async def test_a_recurring_job_fires_once_a_slot_with_three_workers(
    app: JobApp, fleet: Fleet, job_dsn: str, ledger: EffectLedger
) -> None:
    await fleet.start(3, app)
    await app.schedule("tick", note_job, "1 second", Marked(), tenant=SYSTEM_TENANT)

    async def five_fires() -> bool:
        return len(await app.find_jobs(where=JobFilter(states=(JobState.COMPLETED,)))) >= 5

    await eventually(five_fires, "five fires")
    await app.schedules.remove(SYSTEM_TENANT, "tick")
    await eventually(lambda: _ended(app), "the fired jobs end")
    history = read_history(job_dsn, log=None, ledger=ledger)
    assert_clean(history)
    fires = sorted(job.fire_time for job in history.jobs if job.fire_time is not None)
    gaps = {later - earlier for earlier, later in itertools.pairwise(fires)}
    assert gaps == {timedelta(seconds=1)}


async def test_cancelling_a_schedule_ends_its_fires(app: JobApp, fleet: Fleet) -> None:
    await fleet.start(1, app)
    await app.schedule("tick", note_job, "1 second", Marked(), tenant=SYSTEM_TENANT)
    await eventually(lambda: _has_jobs(app), "a first fire")
    assert await app.schedules.remove(SYSTEM_TENANT, "tick")
    assert await app.store.seconds_to_next_fire() is None
    assert await app.store.list_schedules() == []


async def test_a_waiting_and_a_delayed_job_are_cancelled_at_once(app: JobApp, fleet: Fleet, job_dsn: str) -> None:
    waiting = await note_job.enqueue(app, Marked(), tenant=SYSTEM_TENANT)
    delayed = await note_job.enqueue(app, Marked(), tenant=SYSTEM_TENANT, delay=timedelta(hours=1))
    for job in (waiting, delayed):
        assert await job.cancel("not wanted")
        assert (await job.status()).status is JobState.CANCELLED
        assert not await job.cancel("again")
        with pytest.raises(JobCancelledError, match="not wanted"):
            await job.result(timeout=1)
    with psycopg.connect(job_dsn) as connection:
        left = connection.execute("select count(*) from pgboss.job where state < 'active'").fetchone()
    assert left == (0,)


@pytest.mark.parametrize("name", ["chaos-hold", "chaos-hold-thread", "chaos-hold-process"])
async def test_a_running_job_is_cancelled_with_its_reason(app: JobApp, fleet: Fleet, name: str) -> None:
    await fleet.start(1, app)
    job = await app.enqueue(name, Marked(), tenant=SYSTEM_TENANT)

    async def processing() -> bool:
        return (await job.status()).status is JobState.PROCESSING

    await eventually(processing, "the job runs")
    assert await app.cancel(SYSTEM_TENANT, job.job_id, reason="changed my mind", cancelled_by="Ada")
    with pytest.raises(JobCancelledError, match="changed my mind"):
        await job.result(timeout=20)
    record = await app.get_job(SYSTEM_TENANT, job.job_id)
    assert record.status is JobState.CANCELLED
    assert record.error is not None
    assert (record.error["reason"], record.error["cancelled_by"]) == ("changed my mind", "Ada")


async def test_a_job_that_always_fails_ends_failed_with_an_attempt_row_each(app: JobApp, fleet: Fleet) -> None:
    await fleet.start(1, app)
    job = await app.enqueue("chaos-fail", Marked(number=7), tenant=SYSTEM_TENANT)

    async def failed() -> bool:
        return (await job.status()).status is JobState.FAILED

    await eventually(failed, "the job fails for good")
    details = await app.details(SYSTEM_TENANT, job.job_id)
    assert [detail.step_name for detail in details] == ["attempt 1", "attempt 2", "attempt 3"]
    assert [detail.retry_count for detail in details] == [0, 1, 2]
    assert (await job.status()).error == "attempt 3 of number 7 fails"
    assert await app.retry(SYSTEM_TENANT, job.job_id)
    await eventually(failed, "it fails again")


async def _ended(app: JobApp) -> bool:
    return all(job.status.is_terminal for job in await app.find_jobs())


async def _has_jobs(app: JobApp) -> bool:
    return len(await app.find_jobs()) > 0
