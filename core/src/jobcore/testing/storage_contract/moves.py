"""Moving jobs from state to state."""

from __future__ import annotations

from uuid import uuid4

import pytest

from jobcore.errors import IllegalMoveError, JobNotFoundError
from jobcore.ids import uuid7
from jobcore.states import JobState
from jobcore.testing.storage_contract.harness import StorageHarness
from jobcore.testing.storage_contract.rows import claimed, recorded


async def test_a_job_moves_through_its_life(harness: StorageHarness) -> None:
    job = await recorded(harness)
    for state in (JobState.QUEUED, JobState.ACTIVE, JobState.PROCESSING, JobState.COMPLETED):
        await harness.store.update_job_status(job.tenant, job.job_id, state)
        assert (await harness.store.get_job(job.tenant, job.job_id)).status is state
    record = await harness.store.get_job(job.tenant, job.job_id)
    assert record.completed_at is not None
    assert record.updated_at is not None


async def test_an_illegal_move_is_refused_and_names_both_states(harness: StorageHarness) -> None:
    job = await recorded(harness)
    await harness.store.update_job_status(job.tenant, job.job_id, JobState.CANCELLED)
    for state in (JobState.PROCESSING, JobState.COMPLETED, JobState.FAILED):
        with pytest.raises(IllegalMoveError, match=f"cancelled.*{state}"):
            await harness.store.update_job_status(job.tenant, job.job_id, state)
    assert (await harness.store.get_job(job.tenant, job.job_id)).status is JobState.CANCELLED


async def test_a_job_that_has_completed_stays_so(harness: StorageHarness) -> None:
    lease = await claimed(harness)
    await harness.store.update_job_status(lease.tenant, lease.job_id, JobState.COMPLETED)
    for state in set(JobState) - {JobState.COMPLETED}:
        with pytest.raises(IllegalMoveError):
            await harness.store.update_job_status(lease.tenant, lease.job_id, state)


async def test_a_job_may_stay_where_it_is(harness: StorageHarness) -> None:
    job = await recorded(harness)
    await harness.store.update_job_status(job.tenant, job.job_id, JobState.PENDING, metadata={"seen": True})
    record = await harness.store.get_job(job.tenant, job.job_id)
    assert (record.status, record.metadata) == (JobState.PENDING, {"seen": True})


async def test_an_error_is_kept_with_the_move(harness: StorageHarness) -> None:
    lease = await claimed(harness)
    await harness.store.update_job_status(lease.tenant, lease.job_id, JobState.FAILED, error="it broke")
    assert (await harness.store.get_job(lease.tenant, lease.job_id)).as_status.error == "it broke"


async def test_metadata_is_merged(harness: StorageHarness) -> None:
    job = await recorded(harness, metadata={"kept": 1, "changed": 1})
    await harness.store.update_job_status(
        job.tenant, job.job_id, JobState.QUEUED, metadata={"changed": 2, "added": [3]}
    )
    record = await harness.store.get_job(job.tenant, job.job_id)
    assert record.metadata == {"kept": 1, "changed": 2, "added": [3]}


async def test_a_job_of_nobody_or_of_another_tenant_cannot_be_moved(harness: StorageHarness) -> None:
    job = await recorded(harness)
    for tenant, job_id in ((job.tenant, uuid7()), (uuid4(), job.job_id)):
        with pytest.raises(JobNotFoundError):
            await harness.store.update_job_status(tenant, job_id, JobState.QUEUED)
    assert (await harness.store.get_job(job.tenant, job.job_id)).status is JobState.PENDING
