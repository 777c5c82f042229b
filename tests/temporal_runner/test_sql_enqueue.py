"""Jobs that SQL enqueues run where their handlers' workers announced that they run."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import errors as pg

from contract.temporal_harness import PLUGINS
from jobcore import Concurrency, JobContext, JobData, job
from jobcore_devkit.temporal import TemporalServer
from temporal_runner.harness import FALLBACK, Stage

TENANT = uuid4()


class Number(JobData):
    number: int


@job("double", timeout=timedelta(seconds=40))
async def double(ctx: JobContext, data: Number) -> int:
    return 2 * data.number


@job("double-alone", limits=[Concurrency(1)], engines={"temporal": {"mode": "activity"}})
async def double_alone(ctx: JobContext, data: Number) -> int:
    return 2 * data.number


@job("double-here", runner="pgboss")
async def double_here(ctx: JobContext, data: Number) -> int:
    return 2 * data.number


@pytest.fixture
def both(database_dsn: str, jobcore_temporal: TemporalServer) -> Stage:
    """A stage with both engines."""
    jobcore_temporal.start()  # a test before may have left it stopped
    return Stage(database_dsn, jobcore_temporal.address, plugins={"allow": [*PLUGINS, FALLBACK]})


async def enqueue(stage: Stage, name: str, number: int, *, role: str | None = None, **options: Any) -> UUID:
    payload = json.dumps({"tenantId": str(TENANT), "number": number})
    async with await psycopg.AsyncConnection.connect(stage.dsn) as connection:
        if role is not None:
            await connection.execute("select set_config('jobcore.tenant', %s, true)", (str(TENANT),))
            await connection.execute(f"set local role {role}")
        cursor = await connection.execute("select jobcore.enqueue(%s, %s, %s)", (name, payload, json.dumps(options)))
        row = await cursor.fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize("role", [None, "jobcore_tenant"])
async def test_a_job_of_sql_runs_on_the_engine_of_its_handler(both: Stage, role: str | None) -> None:
    async with both.application(handlers=[double, double_alone, double_here]) as app:
        worker = app.worker()
        await worker.start()
        jobs = {
            name: await enqueue(both, name, number, role=role)
            for number, name in enumerate(("double", "double-alone", "double-here"), start=1)
        }
        for number, (name, job_id) in enumerate(jobs.items(), start=1):
            assert await app.handle(TENANT, job_id).result(timeout=30) == 2 * number
            record = await app.get_job(TENANT, job_id)
            assert record.runner_type == ("pgboss" if name == "double-here" else "temporal")
        await worker.stop()


async def test_it_waits_in_the_outbox_with_what_its_handler_tells_the_engine(both: Stage) -> None:
    async with both.application(handlers=[double, double_alone]) as app:
        worker = app.worker()
        await worker.start()
        await worker.stop()
        for name in ("double", "double-alone"):
            await enqueue(both, name, 1)
            await app.enqueue(name, {"number": 1}, tenant=TENANT)
    async with await psycopg.AsyncConnection.connect(both.dsn) as connection:
        cursor = await connection.execute(
            "select b.type, coalesce(o.options, b.admission -> 'engine')"
            " from jobs b left join jobcore.outbox o using (tenant, job_id) order by b.type, b.created_at"
        )
        told = await cursor.fetchall()
    assert told[:2] == [("double", {"timeout_ms": 40_000})] * 2
    assert told[2:] == [("double-alone", {"timeout_ms": 600_000, "mode": "activity"})] * 2


async def test_the_caller_may_choose_the_runner_among_those_that_have_workers(both: Stage) -> None:
    async with both.application(handlers=[double, double_here]) as app:
        worker = app.worker()
        await worker.start()
        there = await enqueue(both, "double-here", 1, runner="temporal")
        here = await enqueue(both, "double", 1, runner="pgboss")
        assert (await app.get_job(TENANT, there)).runner_type == "temporal"
        assert await app.handle(TENANT, there).result(timeout=30) == 2
        assert await app.handle(TENANT, here).result(timeout=30) == 2
        assert (await app.get_job(TENANT, here)).runner_type == "pgboss"
        with pytest.raises(pg.InvalidParameterValue, match="no worker runs jobs on 'river'"):
            await enqueue(both, "double", 1, runner="river")
        with pytest.raises(pg.InvalidParameterValue, match="cannot be the name of a runner"):
            await enqueue(both, "double", 1, runner="No Such")
        await worker.stop()
