"""What a rolled-back enqueue leaves of the dedupe keys of others: nothing has changed."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest

from jobcore import JobApp, JobContext, JobState, job
from jobcore.memory import MemoryRunner
from jobcore.testing import memory_app

TENANT = uuid4()


@job("work")
async def work(ctx: JobContext, data: dict[str, Any]) -> None: ...


@pytest.fixture
def runner() -> MemoryRunner:
    return MemoryRunner(mode="manual")


@pytest.fixture
async def app(runner: MemoryRunner) -> AsyncGenerator[JobApp]:
    async with memory_app(runner=runner, handlers=[work]) as app:
        yield app


class TakenBackError(Exception):
    pass


async def enqueue(app: JobApp, rule: str, **options: Any) -> Any:
    if rule == "throttle":
        options["window"] = 60
    return await app.enqueue(work, {}, tenant=TENANT, dedupe_key="k", on_conflict=rule, **options)


async def test_a_job_that_was_taken_back_throttles_nobody(app: JobApp, runner: MemoryRunner) -> None:
    with suppress(TakenBackError):
        async with runner.store.connection().transaction() as connection:
            await enqueue(app, "throttle", connection=connection)
            raise TakenBackError
    later = await enqueue(app, "throttle")
    assert not later.deduplicated
    assert (await later.status()).status is JobState.QUEUED


async def test_a_job_that_ended_while_another_was_about_to_replace_it_does_not_get_its_key_back(
    app: JobApp, runner: MemoryRunner
) -> None:
    older = await enqueue(app, "skip")
    with suppress(TakenBackError):
        async with runner.store.connection().transaction() as connection:
            await enqueue(app, "replace", connection=connection)
            await runner.drain()
            raise TakenBackError
    assert (await older.status()).status is JobState.COMPLETED
    assert not (await enqueue(app, "skip")).deduplicated


async def test_a_job_waits_for_whoever_is_about_to_make_another_with_its_key(app: JobApp, runner: MemoryRunner) -> None:
    with suppress(TakenBackError):
        async with runner.store.connection().transaction() as connection:
            older = await enqueue(app, "skip", connection=connection)
            newer = asyncio.create_task(enqueue(app, "supersede"))
            waits = not (await asyncio.wait({newer}, timeout=0.05))[0]
            raise TakenBackError
    assert waits
    assert (await (await newer).status()).status is JobState.QUEUED
    assert (await enqueue(app, "skip")).job_id != older.job_id
    assert await runner.drain() == 1
