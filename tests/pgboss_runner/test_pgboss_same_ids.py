"""Jobs of two tenants with one id: pg-boss tells the jobs of a queue apart by their ids alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from jobcore import Concurrency, JobApp, JobContext, JobData, job
from jobcore.errors import JobFailedError
from jobcore.settings import Settings
from jobcore.states import JobState
from jobcore_pgboss.refusals import QueueRefusalError
from pgboss_runner.harness import eventually

A, B, ID = uuid4(), uuid4(), UUID("01980000-0000-7000-8000-000000000001")
let_go = asyncio.Event()


class Data(JobData):
    n: int = 0


@job("plain", queue="work")
async def plain(ctx: JobContext, data: Data) -> None:
    await let_go.wait()


@job("limited", queue="work", limits=[Concurrency(5)])
async def limited(ctx: JobContext, data: Data) -> None:
    await let_go.wait()


@pytest.fixture
async def app(database_dsn: str, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[JobApp]:
    monkeypatch.setitem(globals(), "let_go", asyncio.Event())
    settings = Settings.load(env={"DATABASE_URL": database_dsn, "JOBCORE_PGBOSS__POLL_INTERVAL_SECONDS": "0.2"})
    async with JobApp(settings, handlers=[plain, limited]) as app:
        yield app


@pytest.mark.parametrize("handler", [plain, limited])
async def test_an_id_that_another_tenants_job_has_in_the_queue_is_refused(app: JobApp, handler: Any) -> None:
    await app.enqueue(plain, Data(), tenant=A, job_id=ID)
    with pytest.raises(QueueRefusalError, match=f"Another tenant has a job with the id {ID} in queue 'work'"):
        await app.enqueue(handler, Data(), tenant=B, job_id=ID)
    assert await app.find_jobs(B) == []
    again = await app.enqueue(plain, Data(), tenant=A, job_id=ID)
    assert again.deduplicated


async def test_of_two_in_one_call_with_one_id_none_is_made(app: JobApp, database_dsn: str) -> None:
    async with await psycopg.AsyncConnection.connect(database_dsn) as connection, connection.transaction():
        await app.enqueue(plain, Data(), tenant=A, job_id=ID, connection=connection)
        with pytest.raises(QueueRefusalError, match="Another tenant has"):
            async with connection.transaction():
                await app.enqueue(plain, Data(), tenant=B, job_id=ID, connection=connection)
    assert len(await app.find_jobs(A)) == 1
    assert await app.find_jobs(B) == []


async def test_of_two_with_one_id_that_wait_the_second_fails_and_holds_up_no_other(app: JobApp) -> None:
    for tenant in (A, B):
        await app.enqueue(limited, Data(), tenant=tenant, job_id=ID)
    other = await app.enqueue(limited, Data(), tenant=B)
    worker = app.worker()
    await worker.start()
    with pytest.raises(JobFailedError, match="another tenant has a job with this id in queue 'work'"):
        await app.handle(B, ID).result(timeout=10)
    let_go.set()
    await app.handle(A, ID).result(timeout=10)
    await other.result(timeout=10)
    await worker.stop()


async def test_nobody_cancels_or_retries_the_job_of_another_tenant_with_its_id(app: JobApp) -> None:
    await app.enqueue(limited, Data(), tenant=A, job_id=ID)
    await app.enqueue(limited, Data(), tenant=B, job_id=ID)
    assert await app.cancel(B, ID)
    worker = app.worker()
    await worker.start()

    async def runs() -> bool:
        return (await app.get_job(A, ID)).status is JobState.PROCESSING

    await eventually(runs)
    assert not await app.cancel(B, ID)
    with pytest.raises(QueueRefusalError, match="Another tenant has a job"):
        await app.retry(B, ID)
    let_go.set()
    await app.handle(A, ID).result(timeout=10)
    assert (await app.get_job(A, ID)).attempt == 1
    await worker.stop()
