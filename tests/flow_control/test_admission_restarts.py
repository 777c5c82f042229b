"""PostgreSQL is restarted in the middle of admission: nothing is half done, and it goes on by itself."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

from jobcore import Concurrency, JobApp, JobContext, JobData, RateLimit, job
from jobcore.errors import StorageError
from jobcore.testing.apps import quiet_settings
from jobcore_devkit.postgres import PostgresServer
from support.checker import assert_clean
from support.fleet import eventually
from support.history import ClientLog, install_event_log, read_history

A = uuid4()
JOBS = 300


class Data(JobData):
    n: int


async def test_an_immediate_restart_in_the_middle_of_admission_loses_and_keeps_nothing(
    durable_database_dsn: str, durable_postgres_server: PostgresServer, tmp_path: Path
) -> None:
    began: list[int] = []

    @job("turn", limits=[Concurrency(2, per="tenant"), RateLimit(400)])
    async def turn(ctx: JobContext, data: Data) -> None:
        began.append(data.n)

    install_event_log(durable_database_dsn)
    log = ClientLog(tmp_path / "client.log")
    settings = quiet_settings(
        runner="pgboss",
        database={"url": durable_database_dsn},
        pgboss={"poll_interval_seconds": 0.2, "rescue_interval_seconds": 0.5, "lease_seconds": 2},
    )
    async with JobApp(settings, handlers=[turn]) as app:
        workers = [app.worker(concurrency=4) for _ in range(2)]
        for worker in workers:
            await worker.start()
        enqueuing = asyncio.create_task(_enqueue_through_faults(app, turn, log))
        for done in (JOBS // 6, JOBS // 2):

            async def begun(done: int = done) -> bool:
                return len(began) >= done

            await eventually(begun, f"{done} jobs begin")
            await asyncio.to_thread(durable_postgres_server.restart, "immediate")
        await enqueuing

        async def all_ended() -> bool:
            try:
                return (await app.metrics()).by_state.get("completed") == JOBS
            except StorageError:
                return False

        await eventually(all_ended, "all jobs end")
        for worker in workers:
            await worker.stop()
    history = read_history(durable_database_dsn, log=log, ledger=None)
    assert_clean(history)
    assert len(history.jobs) == JOBS


async def _enqueue_through_faults(app: JobApp, turn: Any, log: ClientLog) -> None:
    """Enqueue one after the other, the same again until an answer comes."""
    for n in range(JOBS):
        job_id = uuid4()
        while True:
            try:
                with log.call(job_id):
                    await app.enqueue(turn, Data(n=n), tenant=A, job_id=job_id)
                break
            except StorageError:
                await asyncio.sleep(0.05)
