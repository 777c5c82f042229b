"""Listing and counting jobs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from jobcore.errors import InputError
from jobcore.ids import uuid7
from jobcore.models import JobFilter
from jobcore.states import JobState
from jobcore.testing.storage_contract.harness import StorageHarness
from jobcore.testing.storage_contract.rows import recorded


async def _found(harness: StorageHarness, tenant: UUID, **where: Any) -> list[UUID]:
    return [record.job_id for record in await harness.store.find_jobs(tenant, JobFilter(**where))]


async def test_a_listing_is_newest_first_and_bounded(harness: StorageHarness) -> None:
    tenant = uuid4()
    ids = [(await recorded(harness, tenant)).job_id for _ in range(5)]
    assert await _found(harness, tenant) == ids[::-1]
    assert await _found(harness, tenant, limit=2) == [ids[4], ids[3]]


async def test_a_listing_goes_on_after_the_last_job_of_the_page_before(harness: StorageHarness) -> None:
    tenant = uuid4()
    ids = [(await recorded(harness, tenant)).job_id for _ in range(7)]
    pages: list[UUID] = []
    before: UUID | None = None
    while page := await _found(harness, tenant, limit=3, before=before):
        pages += page
        before = page[-1]
    assert pages == ids[::-1]


async def test_a_listing_is_narrowed_by_every_field(harness: StorageHarness) -> None:
    tenant, parent = uuid4(), uuid7()
    plain = (await recorded(harness, tenant)).job_id
    named = (await recorded(harness, tenant, name="other")).job_id
    run_by = (await recorded(harness, tenant, runner_type="another")).job_id
    child = (await recorded(harness, tenant, parent_job_id=parent)).job_id
    ended = (await recorded(harness, tenant)).job_id
    await harness.store.update_job_status(tenant, ended, JobState.CANCELLED)
    assert await _found(harness, tenant, names=("other",)) == [named]
    assert await _found(harness, tenant, names=("other", "send-mail"), runner_types=("elsewhere",)) == [
        ended,
        child,
        named,
        plain,
    ]
    assert await _found(harness, tenant, runner_types=("another",)) == [run_by]
    assert await _found(harness, tenant, parent_job_id=parent) == [child]
    assert await _found(harness, tenant, states=(JobState.CANCELLED, JobState.FAILED)) == [ended]
    assert await _found(harness, tenant, external_id="nothing") == []


async def test_a_listing_is_narrowed_by_time(harness: StorageHarness) -> None:
    tenant = uuid4()
    ids = [(await recorded(harness, tenant)).job_id for _ in range(3)]
    instants = [(await harness.store.get_job(tenant, job_id)).created_at for job_id in ids]
    assert instants == sorted(instants)
    tick = timedelta(microseconds=1)
    assert await _found(harness, tenant, created_after=instants[0] + tick, created_before=instants[2]) == [ids[1]]
    assert await _found(harness, tenant, created_after=instants[2]) == [ids[2]]
    assert await _found(harness, tenant, created_before=instants[0]) == []


async def test_a_page_that_nobody_can_mean_is_refused(harness: StorageHarness) -> None:
    for limit in (0, -1, 1001):
        with pytest.raises(InputError, match="limit"):
            await _found(harness, uuid4(), limit=limit)


async def test_a_listing_is_of_one_tenant_or_of_all(harness: StorageHarness) -> None:
    first, second = await recorded(harness), await recorded(harness)
    assert await _found(harness, first.tenant) == [first.job_id]
    everybody = [record.job_id for record in await harness.store.find_jobs(None, JobFilter(limit=2))]
    assert everybody == [second.job_id, first.job_id]


async def test_jobs_are_counted_by_state_and_by_runner(harness: StorageHarness) -> None:
    tenant = uuid4()
    for _ in range(2):
        await recorded(harness, tenant)
    ended = await recorded(harness, tenant, runner_type="another")
    await harness.store.update_job_status(tenant, ended.job_id, JobState.CANCELLED)
    metrics = await harness.store.metrics(tenant)
    assert {state: count for state, count in metrics.by_state.items() if count} == {
        JobState.PENDING: 2,
        JobState.CANCELLED: 1,
    }
    assert metrics.by_runner["elsewhere"][JobState.PENDING] == 2
    assert metrics.by_runner["another"][JobState.CANCELLED] == 1
    assert sum((await harness.store.metrics(uuid4())).by_state.values()) == 0
    everybody = await harness.store.metrics()
    assert everybody.by_state[JobState.PENDING] >= 2
