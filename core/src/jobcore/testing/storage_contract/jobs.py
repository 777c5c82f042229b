"""Recording jobs."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from jobcore.errors import JobNotFoundError
from jobcore.ids import uuid7
from jobcore.models import JobFilter
from jobcore.states import JobState
from jobcore.testing.runner_contract.behaviour import needs
from jobcore.testing.storage_contract.harness import StorageHarness
from jobcore.testing.storage_contract.rows import new_job, recorded


class _RollBack(Exception):
    """Raised to leave a transaction."""


async def test_a_recorded_job_is_pending_and_reads_back_whole(harness: StorageHarness) -> None:
    user, parent = uuid4(), uuid7()
    job = await recorded(
        harness,
        priority=4,
        max_attempts=7,
        queue="post",
        user_id=user,
        metadata={"source": {"deep": [1, None]}},
        parent_job_id=parent,
    )
    record = await harness.store.get_job(job.tenant, job.job_id)
    assert (record.status, record.attempt, record.epoch, record.rescues) == (JobState.PENDING, 0, 0, 0)
    assert (record.type, record.queue, record.runner_type) == ("send-mail", "post", "elsewhere")
    assert (record.priority, record.max_attempts, record.user_id) == (4, 7, user)
    assert (record.metadata, record.parent_job_id) == ({"source": {"deep": [1, None]}}, parent)
    assert record.payload == {"tenantId": str(job.tenant)}
    assert record.created_at.utcoffset() is not None
    assert (record.started_at, record.completed_at, record.error, record.result) == (None, None, None, None)


async def test_a_jobs_time_is_kept(harness: StorageHarness) -> None:
    run_at = datetime(2031, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)
    job = await recorded(harness, run_at=run_at)
    assert (await harness.store.get_job(job.tenant, job.job_id)).run_at == run_at
    delayed = await recorded(harness, delay=timedelta(hours=2))
    record = await harness.store.get_job(delayed.tenant, delayed.job_id)
    assert record.run_at - record.created_at == timedelta(hours=2)


async def test_a_job_recorded_twice_is_one_job(harness: StorageHarness) -> None:
    job = new_job(uuid4())
    answers = [await harness.store.create_job(job) for _ in range(2)]
    assert [(answer.job_id, answer.deduplicated) for answer in answers] == [(job.job_id, False), (job.job_id, True)]
    assert len(await harness.store.find_jobs(job.tenant, JobFilter())) == 1


async def test_a_held_dedupe_key_answers_with_its_holder(harness: StorageHarness) -> None:
    first = await recorded(harness, dedupe_key="one")
    answer = await harness.store.create_job(new_job(first.tenant, dedupe_key="one"))
    assert (answer.job_id, answer.deduplicated) == (first.job_id, True)
    await harness.store.update_job_status(first.tenant, first.job_id, JobState.CANCELLED)
    assert not (await harness.store.create_job(new_job(first.tenant, dedupe_key="one"))).deduplicated


async def test_of_jobs_recorded_at_once_with_one_dedupe_key_one_is_made(harness: StorageHarness) -> None:
    tenant = uuid4()
    answers = await asyncio.gather(*(harness.store.create_job(new_job(tenant, dedupe_key="one")) for _ in range(10)))
    assert len({answer.job_id for answer in answers}) == 1
    assert [answer.deduplicated for answer in answers].count(False) == 1


async def test_a_fire_of_a_schedule_makes_one_job(harness: StorageHarness) -> None:
    fire: dict[str, Any] = {"schedule_id": uuid7(), "fire_time": datetime(2031, 1, 1, tzinfo=UTC)}
    first = await recorded(harness, **fire)
    answer = await harness.store.create_job(new_job(first.tenant, **fire))
    assert (answer.job_id, answer.deduplicated) == (first.job_id, True)
    later = {**fire, "fire_time": datetime(2031, 1, 2, tzinfo=UTC)}
    assert not (await harness.store.create_job(new_job(first.tenant, **later))).deduplicated


async def test_a_job_that_does_not_exist_is_not_found(harness: StorageHarness) -> None:
    tenant, job_id = uuid4(), uuid7()
    with pytest.raises(JobNotFoundError, match=str(job_id)):
        await harness.store.get_job(tenant, job_id)
    with pytest.raises(JobNotFoundError):
        await harness.store.get_details(tenant, job_id)


async def test_a_job_of_another_tenant_is_not_found(harness: StorageHarness) -> None:
    job = await recorded(harness)
    with pytest.raises(JobNotFoundError):
        await harness.store.get_job(uuid4(), job.job_id)
    with pytest.raises(JobNotFoundError):
        await harness.store.get_details(uuid4(), job.job_id)


@needs("transact")
async def test_a_job_is_recorded_when_its_transaction_commits(harness: StorageHarness) -> None:
    job = new_job(uuid4())
    async with harness.transaction() as connection:
        await harness.store.create_job(job, connection=connection)
        with pytest.raises(JobNotFoundError):
            await harness.store.get_job(job.tenant, job.job_id)
    assert (await harness.store.get_job(job.tenant, job.job_id)).status is JobState.PENDING


@needs("transact")
async def test_a_rollback_leaves_no_record_and_gives_up_the_keys(harness: StorageHarness) -> None:
    job = new_job(uuid4(), dedupe_key="one")

    async def record_and_fall() -> None:
        async with harness.transaction() as connection:
            await harness.store.create_job(job, connection=connection)
            raise _RollBack

    with pytest.raises(_RollBack):
        await record_and_fall()
    assert await harness.store.find_jobs(job.tenant, JobFilter()) == []
    assert not (await harness.store.create_job(new_job(job.tenant, dedupe_key="one"))).deduplicated
