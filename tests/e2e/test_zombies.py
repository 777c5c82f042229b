"""A worker that slept past its lease wakes and believes that it has its job: it cannot touch it, and is counted."""

from __future__ import annotations

import asyncio
import signal
from uuid import UUID

from jobcore.app import JobApp
from jobcore.app.workers import STALE_ATTEMPTS
from jobcore.ids import SYSTEM_TENANT
from jobcore.states import JobState
from support.chaos_jobs import Marked
from support.checker import assert_clean
from support.fleet import Fleet, eventually
from support.history import EffectLedger, read_history


async def notes(ledger: EffectLedger, pid: int) -> list[str]:
    return [effect.kind for effect in ledger.read() if effect.pid == pid]


async def stale_attempts(app: JobApp, pid: int) -> int:
    (worker,) = [one for one in await app.store.live_workers() if one.pid == pid]
    return worker.details[STALE_ATTEMPTS]


async def put_to_sleep(app: JobApp, fleet: Fleet, ledger: EffectLedger, name: str) -> UUID:
    """Let the first worker take a job and stop it; then let a second one take the job over. Return the job's id."""
    await fleet.start(1, app)
    (zombie,) = fleet.processes
    job = await app.enqueue(name, Marked(), tenant=SYSTEM_TENANT)

    async def begun(pid: int) -> bool:
        return "start" in await notes(ledger, pid)

    await eventually(lambda: begun(zombie.pid), "the job runs")
    zombie.send_signal(signal.SIGSTOP)
    await fleet.start(1, app)
    await eventually(lambda: begun(fleet.processes[1].pid), "the other worker takes the job over")
    return job.job_id


async def wake(app: JobApp, fleet: Fleet) -> None:
    """Wake the zombie; return once it has announced that it was too late for one attempt, and has been stopped."""
    zombie = fleet.processes[0]
    zombie.send_signal(signal.SIGCONT)

    async def counted() -> bool:
        return any(one.pid == zombie.pid for one in await app.store.live_workers()) and (
            await stale_attempts(app, zombie.pid) == 1
        )

    await eventually(counted, "the zombie tells that an attempt was stale")
    zombie.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(zombie.wait, 30) == 0


async def test_a_zombie_cannot_fail_a_job_it_lost(
    app: JobApp, fleet: Fleet, job_dsn: str, ledger: EffectLedger
) -> None:
    job_id = await put_to_sleep(app, fleet, ledger, "chaos-late-failure")
    assert await app.handle(SYSTEM_TENANT, job_id).result(timeout=30) == fleet.processes[1].pid
    ended = await app.get_job(SYSTEM_TENANT, job_id)
    details = await app.details(SYSTEM_TENANT, job_id)
    await wake(app, fleet)
    assert await app.get_job(SYSTEM_TENANT, job_id) == ended
    assert await app.details(SYSTEM_TENANT, job_id) == details
    assert (ended.status, ended.attempt, ended.rescues) == (JobState.COMPLETED, 2, 1)
    assert_clean(read_history(job_dsn, log=None, ledger=ledger))


async def test_a_zombie_cannot_touch_a_job_it_lost(
    app: JobApp, fleet: Fleet, job_dsn: str, ledger: EffectLedger
) -> None:
    job_id = await put_to_sleep(app, fleet, ledger, "chaos-touch")
    zombie, heir = fleet.processes
    await wake(app, fleet)
    seen = await notes(ledger, zombie.pid)
    assert set(seen) >= {"refused heartbeat", "refused progress", "refused step", "refused detail"}
    assert await app.handle(SYSTEM_TENANT, job_id).result(timeout=30) == heir.pid
    record = await app.get_job(SYSTEM_TENANT, job_id)
    assert (record.status, record.attempt, record.progress_message) == (JobState.COMPLETED, 2, None)
    assert [(one.step_name, one.status) for one in await app.details(SYSTEM_TENANT, job_id)] == [("attempt 1", "lost")]
    assert_clean(read_history(job_dsn, log=None, ledger=ledger))


async def test_a_zombies_handler_is_aborted(app: JobApp, fleet: Fleet, ledger: EffectLedger) -> None:
    job_id = await put_to_sleep(app, fleet, ledger, "chaos-hold")
    zombie, heir = fleet.processes
    await wake(app, fleet)
    assert await notes(ledger, zombie.pid) == ["start", "aborted"]
    assert await notes(ledger, heir.pid) == ["start"]
    record = await app.get_job(SYSTEM_TENANT, job_id)
    assert (record.status, record.attempt) == (JobState.PROCESSING, 2)
