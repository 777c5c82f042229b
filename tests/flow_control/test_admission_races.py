"""What meets a job in the very moment of its admission, on PostgreSQL: it finds it before or after, never between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.rows import dict_row

from flow_control.conftest import until
from jobcore import Concurrency, JobApp, JobContext, JobData, JobState, job
from jobcore.app.handle import AppJobHandle
from jobcore.testing.apps import quiet_settings

A = uuid4()


class Data(JobData):
    n: int = 0


@job("single", limits=[Concurrency(1)])
async def single(ctx: JobContext, data: Data) -> None: ...


@pytest.fixture
async def app(database_dsn: str) -> AsyncGenerator[JobApp]:
    settings = quiet_settings(runner="pgboss", database={"url": database_dsn})
    async with JobApp(settings, handlers=[single]) as app:
        yield app


async def connect(dsn: str) -> psycopg.AsyncConnection[Any]:
    return await psycopg.AsyncConnection.connect(dsn, row_factory=dict_row)


async def admit(connection: psycopg.AsyncConnection[Any], handle: AppJobHandle[Any]) -> None:
    """Admit one job, in a transaction that stays open."""
    await connection.execute("select jobcore.admission_begin('', 500, true)")
    granted = [{"tenant": str(handle.tenant), "job_id": str(handle.job_id), "seats": ["at-once/single"]}]
    await connection.execute("select jobcore.admission_grant(%s, '{}', '[]')", [json.dumps(granted)])


async def somebody_waits(dsn: str) -> bool:
    async with await connect(dsn) as connection:
        cursor = await connection.execute(
            "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        )
        return cursor.rowcount > 0


@pytest.mark.parametrize("way", ["cancel", "supersede", "replace"])
async def test_a_job_that_is_taken_in_that_moment_counts_as_running(app: JobApp, database_dsn: str, way: str) -> None:
    handle = await app.enqueue(single, Data(), tenant=A, dedupe_key="k")
    async with await connect(database_dsn) as admitter:
        await admit(admitter, handle)
        if way == "cancel":
            asking = asyncio.create_task(handle.cancel("too late"))
        else:
            asking = asyncio.create_task(app.enqueue(single, Data(), tenant=A, dedupe_key="k", on_conflict=way))
        await until(lambda: somebody_waits(database_dsn))
        await admitter.execute("update pgboss.job set start_after = now()")
        await admitter.execute("select jobcore.pgboss_fetch('{single}', 1, 300)")
        await admitter.commit()
        await asking

        # Its slot is held until whoever runs it has been told, and has ended.
        cursor = await admitter.execute(
            "select j.cancel_requested is not null as is_asked, b.state, exists (select from jobcore.slots) as has_slot"
            " from jobs j join pgboss.job b on b.id = j.job_id where j.job_id = %s",
            [handle.job_id],
        )
        assert await cursor.fetchone() == {"is_asked": way != "replace", "state": "active", "has_slot": True}
    assert not (await handle.status()).status.is_terminal


async def test_a_job_that_is_cancelled_in_that_moment_leaves_the_queue_too(app: JobApp, database_dsn: str) -> None:
    handle = await app.enqueue(single, Data(), tenant=A)
    async with await connect(database_dsn) as admitter:
        await admit(admitter, handle)
        asking = asyncio.create_task(handle.cancel())
        await until(lambda: somebody_waits(database_dsn))
        await admitter.commit()
        assert await asking
        assert (await handle.status()).status is JobState.CANCELLED
        cursor = await admitter.execute("select from pgboss.job union all select from jobcore.slots")
        assert cursor.rowcount == 0


async def test_an_admission_whose_worker_dies_before_its_end_leaves_nothing_behind(
    app: JobApp, database_dsn: str
) -> None:
    handle = await app.enqueue(single, Data(), tenant=A)
    async with await connect(database_dsn) as admitter, await connect(database_dsn) as other:
        await admit(admitter, handle)
        assert await app.store.admit() is None, "one at a time"
        await other.execute("select pg_terminate_backend(%s, 5000)", [admitter.info.backend_pid])
        await admitter.close()
        assert (await handle.status()).status is JobState.PENDING
        cursor = await other.execute("select from pgboss.job union all select from jobcore.slots")
        assert cursor.rowcount == 0
        admitted = await app.store.admit()
        assert admitted is not None
        assert admitted.admitted == 1
