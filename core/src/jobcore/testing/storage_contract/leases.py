"""Writing under a lease."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest

from jobcore.errors import StaleClaimError
from jobcore.ids import uuid7
from jobcore.models import Lease
from jobcore.states import JobState
from jobcore.testing.storage_contract.harness import StorageHarness
from jobcore.testing.storage_contract.rows import claimed, lease_of, recorded


def _writes(harness: StorageHarness, lease: Lease) -> list[Callable[[], Awaitable[object]]]:
    return [
        lambda: harness.store.write_progress(lease, 50, "half"),
        lambda: harness.store.write_detail(lease, "item", "done", b"1", None),
        lambda: harness.store.load_steps(lease),
        lambda: harness.store.save_step(lease, "pay#1", b"1"),
    ]


async def _assert_stale(harness: StorageHarness, lease: Lease) -> None:
    for write in _writes(harness, lease):
        with pytest.raises(StaleClaimError):
            await write()


async def test_a_claimed_job_is_processing_at_its_attempt(harness: StorageHarness) -> None:
    lease = await claimed(harness)
    record = await harness.store.get_job(lease.tenant, lease.job_id)
    assert (record.status, record.attempt) == (JobState.PROCESSING, 1)
    assert record.started_at is not None


async def test_a_claim_may_be_repeated(harness: StorageHarness) -> None:
    lease = await claimed(harness)
    assert await harness.store.claim([lease], worker_id=uuid4()) == [True]
    await harness.store.write_progress(lease, 1, None)


async def test_an_attempt_is_claimed_once(harness: StorageHarness) -> None:
    lease = await claimed(harness)
    rival = Lease(lease.job_id, lease.tenant, lease.attempt, uuid4().hex)
    assert await harness.store.claim([rival], worker_id=uuid4()) == [False]
    await _assert_stale(harness, rival)
    await harness.store.write_progress(lease, 1, None)


async def test_a_later_attempt_takes_the_lease_over(harness: StorageHarness) -> None:
    lease = await claimed(harness)
    later = Lease(lease.job_id, lease.tenant, 2, uuid4().hex)
    assert await harness.store.claim([later], worker_id=uuid4()) == [True]
    await _assert_stale(harness, lease)
    assert (await harness.store.get_job(lease.tenant, lease.job_id)).attempt == 2
    assert await harness.store.get_details(lease.tenant, lease.job_id) == []


async def test_an_earlier_attempt_cannot_take_the_lease_back(harness: StorageHarness) -> None:
    lease = await claimed(harness, attempt=3)
    earlier = Lease(lease.job_id, lease.tenant, 2, uuid4().hex)
    assert await harness.store.claim([earlier], worker_id=uuid4()) == [False]
    await harness.store.write_progress(lease, 1, None)


async def test_of_many_claims_each_gets_its_answer(harness: StorageHarness) -> None:
    good = [lease_of(await recorded(harness)) for _ in range(3)]
    nobody = Lease(uuid7(), uuid4(), 1, "token")
    answers = await harness.store.claim([good[0], nobody, *good[1:]], worker_id=uuid4())
    assert list(answers) == [True, False, True, True]


async def test_a_job_that_has_ended_cannot_be_claimed(harness: StorageHarness) -> None:
    job = await recorded(harness)
    await harness.store.update_job_status(job.tenant, job.job_id, JobState.CANCELLED)
    assert await harness.store.claim([lease_of(job)], worker_id=uuid4()) == [False]
    assert (await harness.store.get_job(job.tenant, job.job_id)).status is JobState.CANCELLED


async def test_another_tenants_job_cannot_be_claimed(harness: StorageHarness) -> None:
    job = await recorded(harness)
    stranger = Lease(job.job_id, uuid4(), 1, "token")
    assert await harness.store.claim([stranger], worker_id=uuid4()) == [False]
    assert (await harness.store.get_job(job.tenant, job.job_id)).status is JobState.PENDING


async def test_when_a_job_ends_its_lease_is_over(harness: StorageHarness) -> None:
    lease = await claimed(harness)
    await harness.store.update_job_status(lease.tenant, lease.job_id, JobState.FAILED, error="by an operator")
    await _assert_stale(harness, lease)
    record = await harness.store.get_job(lease.tenant, lease.job_id)
    assert (record.progress_message, record.as_status.error) == (None, "by an operator")


async def test_a_lease_for_no_job_writes_nothing(harness: StorageHarness) -> None:
    await _assert_stale(harness, Lease(uuid7(), uuid4(), 1, "token"))


async def test_progress_is_written_and_without_a_message_the_last_one_stays(harness: StorageHarness) -> None:
    lease = await claimed(harness)
    await harness.store.write_progress(lease, 33.5, "a third")
    record = await harness.store.get_job(lease.tenant, lease.job_id)
    assert (record.progress, record.progress_message) == (33.5, "a third")
    await harness.store.write_progress(lease, 40, None)
    record = await harness.store.get_job(lease.tenant, lease.job_id)
    assert (record.progress, record.progress_message) == (40, "a third")


async def test_a_leased_detail_is_updated_by_its_step(harness: StorageHarness) -> None:
    lease = await claimed(harness)
    first = await harness.store.write_detail(lease, "item", "processing", None, None)
    second = await harness.store.write_detail(lease, "item", "done", b'{"n": 1}', {"size": 2})
    assert first == second
    [row] = await harness.store.get_details(lease.tenant, lease.job_id)
    assert (row.status, row.result, row.metadata) == ("done", {"n": 1}, {"size": 2})


async def test_the_first_result_of_a_step_wins(harness: StorageHarness) -> None:
    lease = await claimed(harness)
    assert await harness.store.load_steps(lease) == {}
    assert await harness.store.save_step(lease, "pay#1", b'"first"') == b'"first"'
    assert await harness.store.save_step(lease, "pay#1", b'"second"') == b'"first"'
    assert await harness.store.load_steps(lease) == {"pay#1": b'"first"'}


async def test_a_later_attempt_finds_the_steps_of_the_earlier(harness: StorageHarness) -> None:
    lease = await claimed(harness)
    await harness.store.save_step(lease, "pay#1", b"1")
    await harness.store.save_step(lease, "pay#2", b"null")
    later = Lease(lease.job_id, lease.tenant, 2, uuid4().hex)
    assert await harness.store.claim([later], worker_id=uuid4()) == [True]
    assert await harness.store.load_steps(later) == {"pay#1": b"1", "pay#2": b"null"}
