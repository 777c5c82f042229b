"""Quotas as operators set them: of one tenant, by default, and taken away again."""

from __future__ import annotations

import pickle
from typing import Any, cast
from uuid import uuid4

import pytest

from flow_control.conftest import Open
from jobcore import SYSTEM_TENANT, BlockingJobApp, Flow, JobContext, JobData, Quota, job
from jobcore.errors import InputError, InvalidTenantError, QuotaExceededError
from jobcore.memory import MemoryRunner
from jobcore.models import NewJob
from jobcore.testing.apps import quiet_settings

TENANT, OTHER = uuid4(), uuid4()


@job("letter")
async def letter(ctx: JobContext, data: JobData) -> None: ...


async def test_the_default_is_for_those_without_a_quota_of_their_own_and_not_for_the_system(opened: Open) -> None:
    app = await opened(letter, workers=0)
    await app.set_quota(None, Quota(waiting=0))
    await app.set_quota(TENANT, Quota(schedules=1))
    await app.enqueue(letter, JobData(), tenant=TENANT)
    await app.enqueue(letter, JobData(), tenant="system")
    with pytest.raises(QuotaExceededError):
        await app.enqueue(letter, JobData(), tenant=OTHER)
    assert await app.get_quota(OTHER) == await app.get_quota(None) == Quota(waiting=0)
    assert await app.get_quota(TENANT) == Quota(schedules=1)
    assert await app.get_quota("system") is None

    assert [one.tenant for one in await app.quotas()] == [None, TENANT]
    assert await app.clear_quota(None)
    assert not await app.clear_quota(None)
    await app.enqueue(letter, JobData(), tenant=OTHER)


async def test_the_system_may_have_a_quota_of_its_own(opened: Open) -> None:
    app = await opened(letter, workers=0)
    await app.set_quota("system", Quota(waiting=0))
    with pytest.raises(QuotaExceededError) as refusal:
        await app.enqueue(letter, JobData(), tenant="system")
    assert refusal.value.tenant == SYSTEM_TENANT


async def test_a_quota_stands_instead_of_the_one_before(opened: Open) -> None:
    app = await opened(letter, workers=0)
    await app.set_quota(TENANT, Quota(waiting=1, enqueues_per_second=1, schedules=1))
    await app.set_quota(TENANT, Quota(enqueues_per_second=10))
    [stands] = await app.quotas()
    assert (stands.tenant, stands.quota) == (TENANT, Quota(enqueues_per_second=10))
    for _ in range(5):
        await app.enqueue(letter, JobData(), tenant=TENANT)


async def test_a_job_that_is_only_recorded_is_guarded_too(opened: Open) -> None:
    app = await opened(letter, workers=0)
    await app.set_quota(TENANT, Quota(enqueues_per_second=1))
    plans = [
        NewJob(job_id=uuid4(), tenant=TENANT, name="letter", payload=b"{}", queue="letter", runner_type="x")
        for _ in range(2)
    ]
    await app.store.create_job(plans[0])
    with pytest.raises(QuotaExceededError):
        await app.store.create_job(plans[1])
    assert [found.job_id for found in await app.find_jobs(TENANT)] == [plans[0].job_id]


async def test_a_flow_is_refused_whole(opened: Open) -> None:
    app = await opened(letter, workers=0)
    await app.set_quota(TENANT, Quota(waiting=2))
    flow = Flow()
    first = flow.add(letter, JobData())
    second = flow.add(letter, JobData(), after=[first])
    flow.add(letter, JobData(), after=[second])
    with pytest.raises(QuotaExceededError):
        await app.enqueue_flow(flow, tenant=TENANT)
    assert await app.find_jobs(TENANT) == []


@pytest.mark.parametrize("wrong", [Quota(waiting=-1), Quota(schedules=cast("Any", 1.5)), {"waiting": 3}, None])
async def test_what_is_no_quota_is_refused(opened: Open, wrong: Any) -> None:
    app = await opened(letter, workers=0)
    with pytest.raises(InputError, match="whole number from 0|A quota is a Quota"):
        await app.set_quota(TENANT, wrong)
    with pytest.raises(InvalidTenantError):
        await app.set_quota("acme", Quota())
    assert await app.quotas() == []


def test_code_that_blocks_sets_quotas_too(settings: Any) -> None:
    runner = MemoryRunner() if settings is None else None
    with BlockingJobApp(settings or quiet_settings(plugins={"allow": []}), handlers=[letter], runner=runner) as app:
        app.set_quota(TENANT, Quota(waiting=0))
        assert app.get_quota(TENANT) == Quota(waiting=0)
        assert [one.tenant for one in app.quotas()] == [TENANT]
        with pytest.raises(QuotaExceededError):
            app.enqueue(letter, JobData(), tenant=TENANT)
        assert app.clear_quota(TENANT)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (QuotaExceededError(TENANT, "waiting", 5, 4, 2), "has 4 jobs waiting, of 5 at most: 2 more were refused"),
        (QuotaExceededError(TENANT, "enqueues_per_second", 5, 5, 1, 0.25), "Try again in 0.25 s."),
        (QuotaExceededError(TENANT, "enqueues_per_second", 5, 0, 6), "One call may bring 5: make it several."),
        (
            QuotaExceededError(TENANT, "schedules", 5, 5, 1),
            "1 more was refused, and nothing was done. Remove one first.",
        ),
    ],
)
def test_a_refusal_says_what_to_do_and_survives_its_way_to_another_process(
    error: QuotaExceededError, says: str
) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert says in str(again)
    assert vars(again) == vars(error)
