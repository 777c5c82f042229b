"""Details of jobs."""

from __future__ import annotations

from uuid import uuid4

import pytest

from jobcore.errors import JobNotFoundError
from jobcore.ids import uuid7
from jobcore.testing.storage_contract.harness import StorageHarness
from jobcore.testing.storage_contract.rows import recorded


async def test_a_detail_reads_back(harness: StorageHarness) -> None:
    job = await recorded(harness)
    result, metadata = {"text": "Grüße 🎉", "list": [1, None, {"a": True}]}, {"size": 3}
    detail_id = await harness.store.create_job_detail(
        job.tenant, job.job_id, "item", "done", result=result, metadata=metadata
    )
    [row] = await harness.store.get_details(job.tenant, job.job_id)
    assert (row.detail_id, row.step_name, row.status) == (detail_id, "item", "done")
    assert (row.result, row.metadata, row.retry_count) == (result, metadata, 0)
    assert (row.tenant, row.job_id) == (job.tenant, job.job_id)
    assert row.processed_at is not None


async def test_a_detail_of_the_same_step_is_updated(harness: StorageHarness) -> None:
    job = await recorded(harness)
    first = await harness.store.create_job_detail(job.tenant, job.job_id, "item", "processing")
    second = await harness.store.create_job_detail(job.tenant, job.job_id, "item", "done", result=1)
    assert first == second
    [row] = await harness.store.get_details(job.tenant, job.job_id)
    assert (row.status, row.result) == ("done", 1)


async def test_details_stand_in_their_order(harness: StorageHarness) -> None:
    job = await recorded(harness)
    names = [f"item {number}" for number in range(12)]
    for name in names:
        await harness.store.create_job_detail(job.tenant, job.job_id, name, "done")
    assert [row.step_name for row in await harness.store.get_details(job.tenant, job.job_id)] == names


async def test_details_belong_to_one_job(harness: StorageHarness) -> None:
    job = await recorded(harness)
    other = await recorded(harness, job.tenant)
    await harness.store.create_job_detail(job.tenant, job.job_id, "item", "done")
    await harness.store.create_job_detail(other.tenant, other.job_id, "item", "failed")
    [row] = await harness.store.get_details(job.tenant, job.job_id)
    assert row.status == "done"


async def test_a_detail_of_no_job_or_of_another_tenants_is_refused(harness: StorageHarness) -> None:
    job = await recorded(harness)
    for tenant, job_id in ((job.tenant, uuid7()), (uuid4(), job.job_id)):
        with pytest.raises(JobNotFoundError):
            await harness.store.create_job_detail(tenant, job_id, "item", "done")
    assert await harness.store.get_details(job.tenant, job.job_id) == []
