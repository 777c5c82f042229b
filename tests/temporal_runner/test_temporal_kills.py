"""Workers that are killed: another one takes over, and what was committed is not done again."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from temporalio.client import WorkflowExecutionStatus as Ended

from jobcore.app import JobApp
from jobcore.ids import SYSTEM_TENANT
from jobcore.models import JobRecord
from jobcore.settings import Settings
from jobcore.states import JobState
from jobcore_temporal.sdk_workers import STICKY
from support.chaos_jobs import LEDGER_VARIABLE, Marked, bill
from support.checker import assert_clean
from support.fleet import Fleet, eventually
from support.history import EffectLedger, install_event_log, read_history
from temporal_runner.dying import AFTER, BEFORE, dying
from temporal_runner.harness import Stage, closed

AIM = timedelta(seconds=1)
"""How long after the heartbeat's time-out another worker has begun: so long does Temporal take to set a timer."""
BUSY = timedelta(seconds=0.5)
"""What a busy machine adds."""
KILLED = ("before the row", "after the row", "after the settlement", "at the commit", "after the commit")


@pytest.fixture
def environment(stage: Stage, ledger: EffectLedger) -> dict[str, str]:
    install_event_log(stage.dsn)
    return {**stage.environment(), LEDGER_VARIABLE: ledger.dsn}


@pytest.fixture
def fleet(environment: dict[str, str], tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path, environment, "--app", "temporal_runner.dying:app") as fleet:
        yield fleet


@pytest.fixture
async def app(environment: dict[str, str]) -> AsyncIterator[JobApp]:
    async with JobApp(Settings.load(env=environment), handlers=[dying, bill]) as app:
        yield app


async def dies(fleet: Fleet) -> None:
    """Wait until a worker has died, which is to happen."""

    async def died() -> bool:
        return any(process.poll() is not None for process in fleet.processes)

    await eventually(died, "a worker dies")


async def record_of(app: JobApp, handle: Any, state: JobState = JobState.COMPLETED) -> JobRecord:
    async def there() -> bool:
        return (await app.get_job(handle.tenant, handle.job_id)).status is state

    await eventually(there, f"the job is {state}")
    return await app.get_job(handle.tenant, handle.job_id)


async def time_to_close(stage: Stage, job: Any, record: JobRecord) -> timedelta:
    """Wait until a job's workflow has completed; return how long after the job that was."""
    workflow = await stage.workflow(job)
    assert await closed(workflow) is Ended.COMPLETED
    ended = (await workflow.describe()).close_time
    assert ended is not None
    assert record.completed_at is not None
    return ended - record.completed_at


def effects(ledger: EffectLedger, handle: Any) -> Counter[str]:
    return Counter(effect.kind for effect in ledger.read() if effect.job_id == handle.job_id)


async def test_a_worker_killed_before_the_commit_has_its_job_taken_over(
    app: JobApp, fleet: Fleet, stage: Stage, ledger: EffectLedger
) -> None:
    await fleet.start(2, app)
    job = await app.enqueue(dying, Marked(key=BEFORE), tenant=SYSTEM_TENANT)
    record = await record_of(app, job)
    assert (record.attempt, record.result) == (2, "done")
    [lost] = await app.details(job.tenant, job.job_id)
    assert lost.status == "lost"
    first, second = (effect.at for effect in ledger.read() if effect.kind == "start")
    assert second - first <= stage.lease + AIM + BUSY
    assert effects(ledger, job) == {"start": 2, "end": 1}
    assert await time_to_close(stage, job, record) <= STICKY + BUSY
    assert_clean(read_history(stage.dsn, log=None, ledger=ledger))


async def test_a_worker_killed_after_the_commit_has_done_the_job_once(
    app: JobApp, fleet: Fleet, stage: Stage, ledger: EffectLedger
) -> None:
    await fleet.start(2, app)
    job = await app.enqueue(dying, Marked(key=AFTER), tenant=SYSTEM_TENANT)
    await dies(fleet)
    record = await record_of(app, job)
    workflow = await stage.workflow(job)
    assert await closed(workflow) is Ended.COMPLETED
    result = await workflow.result()
    assert (result["status"], result["result"]) == ("completed", "done")
    assert effects(ledger, job) == {"start": 1, "end": 1}
    assert await record_of(app, job) == record
    assert_clean(read_history(stage.dsn, log=None, ledger=ledger))


async def test_a_kill_around_a_commit_of_the_handlers_own_leaves_both_or_neither(
    app: JobApp, fleet: Fleet, stage: Stage, ledger: EffectLedger
) -> None:
    with psycopg.connect(stage.dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE bills (job_id uuid NOT NULL, attempt int NOT NULL)")
        connection.execute("GRANT ALL ON bills TO public")
    jobs = {}
    for point in KILLED:
        await fleet.start(1, app)
        jobs[point] = await app.enqueue(bill, Marked(key=point), tenant=SYSTEM_TENANT)

        async def died() -> bool:
            return fleet.processes[-1].poll() is not None

        await eventually(died, f"the worker kills itself {point}")
    await fleet.start(1, app)
    for job in jobs.values():
        await record_of(app, job)
        assert await closed(await stage.workflow(job)) is Ended.COMPLETED
    with psycopg.connect(stage.dsn) as connection:
        bills = Counter(job_id for (job_id,) in connection.execute("select job_id from bills"))
    assert bills == {job.job_id: 1 for job in jobs.values()}
    assert effects(ledger, jobs["after the commit"])["start"] == 1
    assert {effects(ledger, job)["prepared"] for job in jobs.values()} == {1}
    assert_clean(read_history(stage.dsn, log=None, ledger=ledger))
