"""A settlement that is written twice, because the reply to the first was lost: found by exploring the protocol."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import orjson
import psycopg

from contract.temporal_harness import TemporalHarness
from jobcore import JobContext, JobData, RetryPolicy, job
from jobcore_devkit.temporal import TemporalServer

TENANT = uuid4()
LEASE = "select attempt, lease_token from jobs where job_id = %s"
SETTLE = "select applied from jobcore.outbox_settle(%s::jsonb)"


class Empty(JobData):
    pass


async def test_a_retry_whose_settlement_is_written_twice_runs(
    database_dsn: str, jobcore_temporal: TemporalServer
) -> None:
    """The reply to the first write is lost; the second changes nothing, and must not end the workflow."""

    @job("twice", retry=RetryPolicy(max_attempts=2, initial_interval=timedelta(milliseconds=10)))
    async def twice(ctx: JobContext, data: Empty) -> None:
        if ctx.attempt == 1:
            async with await psycopg.AsyncConnection.connect(database_dsn, autocommit=True) as connection:
                assert await _settle(connection, ctx.job_id)
            raise RuntimeError("again")

    harness = TemporalHarness(database_dsn, jobcore_temporal.address)
    async with harness.application(handlers=[twice]) as app:
        worker = app.worker()
        await worker.start()
        try:
            handle = await twice.enqueue(app, Empty(), tenant=TENANT)
            await handle.result(timeout=20)
            assert (await app.get_job(TENANT, handle.job_id)).attempt == 2
        finally:
            await worker.stop()


async def _settle(connection: psycopg.AsyncConnection, job_id: UUID) -> bool:
    """Write what the job's run is about to write, as if its first write had been this one."""
    attempt, token = await (await connection.execute(LEASE, (job_id,))).fetchone() or (None, None)
    settlement = {
        "tenant": TENANT,
        "job_id": job_id,
        "attempt": attempt,
        "token": token,
        "epoch": 0,
        "outcome": "retry",
        "run_at_ms": 10,
    }
    row = await (await connection.execute(SETTLE, (orjson.dumps([settlement]).decode(),))).fetchone()
    return row == (True,)
