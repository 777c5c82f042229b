"""Kills and restarts: nothing is lost, nothing ends twice, and the rows tell what happened."""

import asyncio
import signal
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pytest

from builtin_handlers.world import World
from jobcore.app import JobApp
from jobcore.errors import StorageError
from jobcore.ids import SYSTEM_TENANT, uuid7
from jobcore.models import JobFilter
from jobcore.states import TERMINAL_STATES, JobState
from jobcore_devkit.postgres import PostgresServer
from jobcore_handlers.invoicing.handler import generate_invoice
from support.chaos_jobs import Marked, note_job
from support.checker import assert_clean
from support.fleet import Fleet, eventually
from support.history import ClientLog, EffectLedger, read_history

LEASE_AND_RESCUE = timedelta(seconds=2 + 0.5)


async def unfinished(app: JobApp) -> int:
    metrics = await app.metrics()
    return sum(count for state, count in metrics.by_state.items() if state not in TERMINAL_STATES)


async def all_ended(app: JobApp) -> bool:
    return await unfinished(app) == 0


class TestAKilledWorker:
    async def test_bills_once_and_leaves_a_record(
        self, app: JobApp, fleet: Fleet, job_dsn: str, ledger: EffectLedger
    ) -> None:
        world = World(job_dsn)
        service = world.add_service()
        world.add_line(service)
        world.add_time(service, date(2025, 11, 12), 90)
        await fleet.start(1, app)
        (victim,) = fleet.processes

        # The invoice waits for this lock, so that the kill strikes in the middle of the handler.
        async with await psycopg.AsyncConnection.connect(job_dsn) as blocker:
            await blocker.execute("select from billing.clients for update")
            job = await generate_invoice.enqueue(app, world.payload(user_id=world.user))

            async def runs() -> bool:
                return (await job.status()).status is JobState.PROCESSING

            await eventually(runs, "the job runs")
            fleet.kill(victim)
            await blocker.rollback()

        await fleet.start(1, app)
        await job.result(timeout=30)

        assert len(world.invoices()) == 1
        record = await app.get_job(world.tenant, job.job_id)
        assert (record.status, record.attempt, record.rescues) == (JobState.COMPLETED, 2, 1)
        (lost,) = await app.details(world.tenant, job.job_id)
        assert (lost.step_name, lost.status, lost.retry_count) == ("attempt 1", "lost", 0)
        assert "lease" in str(lost.result)
        assert_clean(read_history(job_dsn, log=None, ledger=ledger))

    async def test_loses_its_jobs_to_another_within_lease_and_rescue_interval(
        self, app: JobApp, fleet: Fleet, job_dsn: str, ledger: EffectLedger, tmp_path: Path
    ) -> None:
        log = ClientLog(tmp_path / "client.log")
        await fleet.start(2, app)
        ids = [uuid7() for _ in range(400)]
        with log.call(*ids):
            await asyncio.gather(
                *(note_job.enqueue(app, Marked(number=n), tenant=SYSTEM_TENANT, job_id=i) for n, i in enumerate(ids))
            )

        async def some_done() -> bool:
            return await unfinished(app) < 350

        await eventually(some_done, "the workers begin")
        fleet.kill(fleet.processes[0])
        await eventually(lambda: all_ended(app), "the other worker finishes")
        assert_clean(read_history(job_dsn, log=log, ledger=ledger))
        assert (await app.metrics()).by_state[JobState.COMPLETED] == 400


class TestAFrozenWorker:
    """SIGSTOP: a virtual machine that is moved, a laptop that sleeps. It wakes and believes that it has its job."""

    async def test_that_lost_its_job_cannot_complete_it(
        self, app: JobApp, fleet: Fleet, job_dsn: str, ledger: EffectLedger
    ) -> None:
        await fleet.start(1, app)
        (zombie,) = fleet.processes
        job = await app.enqueue("chaos-pause", Marked(), tenant=SYSTEM_TENANT)
        await eventually(lambda: _noted(ledger, "start", 1), "the job runs")
        zombie.send_signal(signal.SIGSTOP)

        await fleet.start(1, app)  # the lease runs out, and this one takes the job
        assert await job.result(timeout=30) == fleet.processes[1].pid
        ended = await app.get_job(SYSTEM_TENANT, job.job_id)
        zombie.send_signal(signal.SIGCONT)

        # Its handler's time is over the moment it wakes: it tries to complete the job, and is told.
        told = f"Job {job.job_id} (chaos-pause, attempt 1) "
        await eventually(lambda: _logged(fleet, zombie, told), "the zombie learns that it lost the job", patience=20)
        zombie.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(zombie.wait, 30) == 0
        assert await app.get_job(SYSTEM_TENANT, job.job_id) == ended
        assert (ended.status, ended.attempt, ended.rescues) == (JobState.COMPLETED, 2, 1)
        assert_clean(read_history(job_dsn, log=None, ledger=ledger))


class TestRestartsOfPostgreSQL:
    @pytest.fixture
    def job_dsn(self, durable_database_dsn: str) -> str:
        return durable_database_dsn

    async def test_three_immediate_restarts_lose_and_double_nothing(
        self,
        app: JobApp,
        fleet: Fleet,
        job_dsn: str,
        ledger: EffectLedger,
        durable_postgres_server: PostgresServer,
        tmp_path: Path,
    ) -> None:
        log = ClientLog(tmp_path / "client.log")
        await fleet.start(2, app)
        pids = [process.pid for process in fleet.processes]
        enqueuing = asyncio.create_task(enqueue_through_faults(app, log, 10_000))
        for done in (1_000, 4_000, 7_000):
            await eventually(lambda done=done: completed_at_least(job_dsn, done), f"{done} jobs complete")
            await asyncio.to_thread(durable_postgres_server.restart, "immediate")
        await enqueuing
        await eventually(lambda: quiet(app), "all jobs end")
        fleet.assert_alive(*pids)
        history = read_history(job_dsn, log=log, ledger=ledger)
        assert_clean(history)
        assert len({call.job_id for call in history.calls}) == 10_000


async def enqueue_through_faults(app: JobApp, log: ClientLog, count: int) -> None:
    """Enqueue as a careful client does: the same ids again until an answer comes."""
    for first in range(0, count, 100):
        batch = [uuid7() for _ in range(100)]
        while True:
            try:
                with log.call(*batch):
                    await asyncio.gather(
                        *(
                            note_job.enqueue(app, Marked(number=first + n), tenant=SYSTEM_TENANT, job_id=job_id)
                            for n, job_id in enumerate(batch)
                        )
                    )
                break
            except StorageError:
                await asyncio.sleep(0.1)


async def completed_at_least(dsn: str, count: int) -> bool:
    try:
        async with await psycopg.AsyncConnection.connect(dsn) as connection:
            cursor = await connection.execute("select count(*) from jobs where status = 'completed'")
            row = await cursor.fetchone()
    except psycopg.OperationalError:
        return False
    return row is not None and row[0] >= count


async def quiet(app: JobApp) -> bool:
    try:
        return await all_ended(app)
    except StorageError:
        return False


class TestAWorkerThatIsAskedToStop:
    async def test_waits_for_its_running_jobs_on_the_first_signal(
        self, app: JobApp, fleet: Fleet, job_dsn: str, ledger: EffectLedger
    ) -> None:
        await fleet.start(1, app)
        (worker,) = fleet.processes
        jobs = [await note_job.enqueue(app, Marked(number=n), tenant=SYSTEM_TENANT) for n in range(50)]
        worker.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(worker.wait, 30) == 0
        states = {job.status for job in await app.find_jobs(where=JobFilter(limit=100))}
        assert states <= {JobState.COMPLETED, JobState.QUEUED}
        assert len(jobs) == 50
        assert_clean(read_history(job_dsn, log=None, ledger=ledger))

    async def test_hands_its_jobs_back_on_the_second_signal(self, app: JobApp, fleet: Fleet, job_dsn: str) -> None:
        await fleet.start(1, app)
        (worker,) = fleet.processes
        job = await app.enqueue("chaos-hold", Marked(), tenant=SYSTEM_TENANT)

        async def processing() -> bool:
            return (await job.status()).status is JobState.PROCESSING

        await eventually(processing, "the job runs")
        worker.send_signal(signal.SIGTERM)
        await eventually(lambda: _logged(fleet, worker, "SIGTERM"), "the worker hears the first signal")
        worker.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(worker.wait, 30) == 0
        status = await job.status()
        assert (status.status, status.attempt) == (JobState.QUEUED, 0)


async def _noted(ledger: EffectLedger, kind: str, count: int) -> bool:
    return len([effect for effect in ledger.read() if effect.kind == kind]) >= count


async def _logged(fleet: Fleet, worker: object, text: str) -> bool:
    return text in fleet.log_of(worker)  # type: ignore[arg-type]
