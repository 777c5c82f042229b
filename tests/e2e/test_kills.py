"""Ten kills in a row while a backlog drains: SIGKILL, no word of farewell, and a new worker in the place of each."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from jobcore.app import JobApp
from jobcore.ids import SYSTEM_TENANT
from jobcore.states import JobState
from support.chaos_jobs import Marked, note_job
from support.checker import assert_clean
from support.fleet import Fleet, eventually
from support.history import ClientLog, EffectLedger, read_history

JOBS = int(os.environ.get("JOBCORE_SOAK_KILLED_JOBS", "50000"))
KILLS = 10
BATCH = 1000


@pytest.mark.soak
async def test_ten_kills_during_a_drain_lose_and_double_nothing(
    app: JobApp, fleet: Fleet, job_dsn: str, ledger: EffectLedger, tmp_path: Path
) -> None:
    log = ClientLog(tmp_path / "client.log")
    await enqueue(app, log)
    await fleet.start(2, app)
    for number in range(KILLS):
        reached = JOBS * (number + 1) // (KILLS + 2)
        await eventually(lambda reached=reached: ended(app, reached), f"{reached} jobs end", patience=600)
        fleet.kill(fleet.processes[number])
        fleet.start_worker()
    await eventually(lambda: ended(app, JOBS), "all jobs end", patience=600)

    assert (await app.metrics()).by_state[JobState.COMPLETED] == JOBS
    history = read_history(job_dsn, log=log, ledger=ledger)
    assert_clean(history)
    assert len({call.job_id for call in history.calls if call.answer == "ok"}) == JOBS
    assert any(job.rescues for job in history.jobs), "no kill struck a job: nothing was tested"
    starts = Counter(effect.job_id for effect in history.effects if effect.kind == "start")
    lost = {row.job_id for row in history.attempts if row.status == "lost"}
    assert {job_id for job_id, count in starts.items() if count > 1} <= lost


async def enqueue(app: JobApp, log: ClientLog) -> None:
    """Fill the queue, and log what the client was told."""
    for first in range(0, JOBS, BATCH):
        handles = await app.enqueue_many(
            note_job, [Marked(number=first + n) for n in range(BATCH)], tenant=SYSTEM_TENANT
        )
        with log.call(*[handle.job_id for handle in handles]):
            pass


async def ended(app: JobApp, count: int) -> bool:
    return (await app.metrics()).by_state.get(JobState.COMPLETED, 0) >= count
