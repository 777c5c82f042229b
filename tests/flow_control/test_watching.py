"""Whoever watches a job sees its progress as it is written."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from psycopg import AsyncConnection

from flow_control.conftest import PATIENCE, Floor, Open, until
from jobcore import JobContext, JobData, JobState, job
from jobcore.app import handle as handles
from jobcore.errors import JobNotFoundError

A = uuid4()


class Data(JobData):
    n: int = 0


async def test_progress_is_pushed_and_the_end_is_the_last_that_is_seen(opened: Open, floor: Floor) -> None:
    @job("work")
    async def work(ctx: JobContext, data: Data) -> None:
        for percent in (10, 60):
            await floor.opened(percent)
            await ctx.progress(percent, f"at {percent}")
        await floor.opened("end")

    app = await opened(work)
    handle = await app.enqueue(work, Data(), tenant=A)
    seen: list[tuple[float | None, JobState]] = []

    async def watch() -> None:
        async for status in handle.watch():
            seen.append((status.progress, status.status))
            if status.progress == 10:
                floor.let_go(60)
            if status.progress == 60:
                looking_now_and_then.undo()
                floor.let_go("end")

    with pytest.MonkeyPatch.context() as looking_now_and_then:
        looking_now_and_then.setattr(handles, "WATCH_POLL", 10 * PATIENCE)  # so that progress is seen by its push only
        watching = asyncio.create_task(watch())
        await asyncio.sleep(0)
        floor.let_go(10)
        await asyncio.wait_for(watching, PATIENCE)

    assert [progress for progress, _ in seen if progress in (10, 60)] == [10, 60]
    assert seen[-1] == (100, JobState.COMPLETED)


async def test_a_job_that_has_ended_is_seen_once(opened: Open) -> None:
    @job("work")
    async def work(ctx: JobContext, data: Data) -> None: ...

    app = await opened(work)
    handle = await app.enqueue(work, Data(), tenant=A)
    await handle.result(timeout=PATIENCE)
    assert [status.status async for status in handle.watch()] == [JobState.COMPLETED]


async def test_a_job_that_is_not_there_cannot_be_watched(opened: Open) -> None:
    app = await opened(workers=0)
    with pytest.raises(JobNotFoundError):
        await anext(app.handle(A, uuid4()).watch())


@pytest.mark.parametrize("runner_type", ["pgboss"], indirect=True)
async def test_the_connection_that_listens_is_there_only_while_somebody_watches(
    opened: Open, database_dsn: str
) -> None:
    @job("work")
    async def work(ctx: JobContext, data: Data) -> None: ...

    app = await opened(work, workers=0)
    handle = await app.enqueue(work, Data(), tenant=A)
    async with await AsyncConnection.connect(database_dsn, autocommit=True) as connection:

        async def watchers() -> int:
            cursor = await connection.execute(
                "select count(*) from pg_stat_activity where application_name = 'jobcore watcher'"
            )
            row: Any = await cursor.fetchone()
            return row[0]

        async def is_there() -> bool:
            return await watchers() == 1

        async def is_gone() -> bool:
            return await watchers() == 0

        changes = handle.watch()
        assert (await anext(changes)).status is JobState.QUEUED
        await until(is_there)
        await changes.aclose()
        await until(is_gone)
