"""Quotas of tenants."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest

from jobcore.errors import QuotaExceededError
from jobcore.models import JobFilter, Quota
from jobcore.ports.context import JobContext
from jobcore.testing.runner_contract.behaviour import needs
from jobcore.testing.runner_contract.firing import SECOND, none_fired, until_fired
from jobcore.testing.runner_contract.harness import RunnerHarness
from jobcore.testing.runner_contract.site import Anything, Handle, Handler, Site, Stumble, handler, opened, working

NOTHING: Anything = {}


@asynccontextmanager
async def limited(site: Site, tenant: UUID | None = None, **limits: int) -> AsyncGenerator[UUID]:
    """Have a tenant, by default the site's, under a quota within the block."""
    whose = tenant or site.tenant
    await site.app.set_quota(whose, Quota(**limits))
    try:
        yield whose
    finally:
        await site.app.clear_quota(whose)


def plain_handler() -> Handler:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    return plain


async def jobs_of(site: Site) -> int:
    return len(await site.app.find_jobs(site.tenant, JobFilter(limit=1000)))


@needs("flow_control")
async def test_a_call_beyond_the_quota_of_waiting_jobs_is_refused_whole(harness: RunnerHarness) -> None:
    plain = plain_handler()
    async with opened(harness, plain) as site, limited(site, waiting=3):
        await site.app.enqueue_many(plain, [NOTHING] * 2, tenant=site.tenant)
        with pytest.raises(QuotaExceededError) as refusal:
            await site.app.enqueue_many(plain, [NOTHING] * 2, tenant=site.tenant)
        assert (refusal.value.tenant, refusal.value.quota) == (site.tenant, "waiting")
        assert (refusal.value.most, refusal.value.has, refusal.value.more) == (3, 2, 2)
        assert await jobs_of(site) == 2
        await site.enqueue(plain)
        with pytest.raises(QuotaExceededError):
            await site.enqueue(plain)
        assert await jobs_of(site) == 3


@needs("flow_control")
async def test_a_full_quota_has_room_again_when_jobs_begin_or_are_cancelled(harness: RunnerHarness) -> None:
    plain = plain_handler()
    async with opened(harness, plain) as site, limited(site, waiting=1):

        async def let_in() -> Handle | None:
            try:
                return await site.enqueue(plain)
            except QuotaExceededError:
                return None

        first = await site.enqueue(plain)
        assert await let_in() is None
        assert await first.cancel()
        second = await site.until(let_in, "a job takes the place of the one that was cancelled")
        assert second is not None
        async with site.working():
            await site.ended(second)
            third = await site.until(let_in, "a job takes the place of the one that ended")
            assert third is not None
            await site.ended(third)


@needs("flow_control")
async def test_a_quota_is_one_tenants_own(harness: RunnerHarness) -> None:
    plain = plain_handler()
    async with opened(harness, plain) as site, limited(site, waiting=0, enqueues_per_second=0):
        other = await site.enqueue(plain, tenant=uuid4())
        assert (await site.record(other)).tenant == other.tenant
        with pytest.raises(QuotaExceededError):
            await site.enqueue(plain)
        assert await site.app.get_quota(site.tenant) == Quota(waiting=0, enqueues_per_second=0)
        assert await site.app.get_quota(other.tenant) is None


@needs("flow_control")
async def test_enqueues_beyond_the_rate_are_refused_until_a_second_has_passed(harness: RunnerHarness) -> None:
    plain = plain_handler()
    async with opened(harness, plain) as site, limited(site, enqueues_per_second=20):

        async def pass_again() -> bool:
            try:
                await site.enqueue(plain)
            except QuotaExceededError:
                return False
            return True

        await site.app.enqueue_many(plain, [NOTHING] * 20, tenant=site.tenant)
        with pytest.raises(QuotaExceededError) as refusal:
            await site.app.enqueue_many(plain, [NOTHING] * 20, tenant=site.tenant)
        assert refusal.value.quota == "enqueues_per_second"
        assert refusal.value.retry_after is not None
        assert 0 <= refusal.value.retry_after <= 1
        with pytest.raises(QuotaExceededError) as too_many:
            await site.app.enqueue_many(plain, [NOTHING] * 21, tenant=site.tenant)
        assert too_many.value.retry_after is None
        assert await jobs_of(site) == 20
        await site.until(pass_again, "the second has passed")


@needs("flow_control")
async def test_a_job_that_is_here_already_is_not_counted_again(harness: RunnerHarness) -> None:
    plain = plain_handler()
    async with opened(harness, plain) as site, limited(site, waiting=1, enqueues_per_second=1):
        first = await site.enqueue(plain, dedupe_key="a")
        again = await site.enqueue(plain, dedupe_key="a")
        assert (again.job_id, again.deduplicated) == (first.job_id, True)


@needs("flow_control")
async def test_a_retry_is_not_counted_and_a_follow_up_job_is(harness: RunnerHarness) -> None:
    child = plain_handler()

    @handler()
    async def parent(ctx: JobContext, data: Anything) -> str:
        if ctx.attempt == 1:
            raise Stumble
        try:
            await ctx.enqueue(child, NOTHING)
        except QuotaExceededError as refusal:
            return refusal.quota
        return "enqueued"

    async with working(harness, parent, child) as site:
        job = await site.enqueue(parent, delay=SECOND / 5)
        async with limited(site, waiting=0, enqueues_per_second=0):
            assert await site.result_of(job) == "enqueues_per_second"


@needs("flow_control", "recurring")
async def test_a_new_schedule_beyond_the_quota_is_refused_and_replacing_one_is_not(harness: RunnerHarness) -> None:
    plain = plain_handler()
    async with opened(harness, plain) as site, limited(site, schedules=1):
        await site.app.schedule("one", plain, "1 hour", {}, tenant=site.tenant)
        with pytest.raises(QuotaExceededError) as refusal:
            await site.app.schedule("two", plain, "1 hour", {}, tenant=site.tenant)
        assert (refusal.value.quota, refusal.value.most, refusal.value.has) == ("schedules", 1, 1)
        replaced = await site.app.schedule("one", plain, "2 hours", {}, tenant=site.tenant)
        assert [schedule.key for schedule in await site.app.schedules.list(site.tenant)] == [replaced.key]


@needs("flow_control", "recurring")
async def test_a_fire_beyond_the_quota_is_missed_and_those_of_others_are_not(harness: RunnerHarness) -> None:
    plain = plain_handler()
    async with opened(harness, plain) as site, opened(harness, plain) as other:
        async with limited(site, waiting=0), site.working():
            before = await site.app.schedule("tick", plain, SECOND, {}, tenant=site.tenant)
            await other.app.schedule("tick", plain, SECOND, {}, tenant=other.tenant)
            await until_fired(other, 2)
            assert await none_fired(site)
            after = await site.app.schedules.get(site.tenant, "tick")
            assert after.last_fire is None
            assert before.next_fire is not None
            assert after.next_fire is not None
            assert after.next_fire > before.next_fire
        async with site.working():
            await until_fired(site, 1)
