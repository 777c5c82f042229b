"""A cancellation and a move of the same job at once, which the exploration of the protocol found to lose the former."""

from __future__ import annotations

import asyncio
from typing import Any, LiteralString
from uuid import uuid4

import orjson
import psycopg

from contract.temporal_harness import PLUGINS
from jobcore import JobApp, JobContext, JobData, JobState, job
from jobcore.testing.apps import quiet_settings
from pgboss_runner.harness import eventually

TENANT = uuid4()
MOVE = "select job_id from jobcore.job_move(%s::jsonb, %s, '{}')"
IS_BLOCKED = "select exists (select from pg_locks where not granted and locktype in ('transactionid', 'tuple'))"
LEFT = "select (select count(*) from pgboss.job) + (select count(*) from jobcore.outbox where state <> 'ending')"


class Empty(JobData):
    pass


async def test_a_cancellation_follows_a_job_that_is_moved_meanwhile(database_dsn: str) -> None:
    """The engine that had the job refuses: it would leave it in the other one's queue, which would open it again."""

    @job("moved")
    async def moved(ctx: JobContext, data: Empty) -> None: ...

    settings = quiet_settings(
        database={"url": database_dsn},
        runner="temporal",
        edition="enterprise",
        plugins={"allow": [*PLUGINS, "jobcore-pgboss-runner"]},
    )
    async with (
        JobApp(settings, handlers=[moved]) as app,
        await psycopg.AsyncConnection.connect(database_dsn) as mover,
        await psycopg.AsyncConnection.connect(database_dsn, autocommit=True) as witness,
    ):
        handle = await moved.enqueue(app, Empty(), tenant=TENANT)
        chosen = orjson.dumps([{"tenant": TENANT, "job_id": handle.job_id}]).decode()
        for target in ("pgboss", "temporal"):
            await mover.execute(MOVE, (chosen, target))
            cancelling = asyncio.create_task(app.cancel(TENANT, handle.job_id))
            await eventually(lambda: _value(witness, IS_BLOCKED))
            await mover.commit()
            assert await cancelling
            assert (await app.get_job(TENANT, handle.job_id)).status is JobState.CANCELLED
            assert await _value(witness, LEFT) == 0
            assert await app.retry(TENANT, handle.job_id)


async def _value(connection: psycopg.AsyncConnection, query: LiteralString) -> Any:
    row = await (await connection.execute(query)).fetchone()
    assert row is not None
    return row[0]
