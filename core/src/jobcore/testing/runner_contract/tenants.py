"""Tenants."""

from __future__ import annotations

from contextlib import suppress
from uuid import uuid4

import pytest

from jobcore.errors import InvalidTenantError, JobcoreError, JobNotFoundError, NonRetryableError, TenantRequiredError
from jobcore.ids import SYSTEM_TENANT
from jobcore.ports.context import JobContext
from jobcore.states import JobState
from jobcore.testing.runner_contract.harness import RunnerHarness
from jobcore.testing.runner_contract.site import Anything, handler, opened, working


async def test_a_handler_gets_the_tenant_of_its_job(harness: RunnerHarness) -> None:
    @handler()
    async def tells(ctx: JobContext, data: Anything) -> list[str]:
        return [str(ctx.tenant_id), data["tenantId"]]

    async with working(harness, tells) as site:
        tenants = [uuid4(), uuid4()]
        jobs = [await site.enqueue(tells, tenant=tenant) for tenant in tenants]
        records = await site.all_ended(jobs)
        assert [record.result for record in records] == [[str(tenant)] * 2 for tenant in tenants]
        assert [record.tenant for record in records] == tenants


async def test_the_payload_may_name_the_tenant(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        named = uuid4()
        job = await site.app.enqueue(plain, {"tenantId": str(named)})
        assert (await site.record(job)).tenant == named


async def test_a_job_without_a_tenant_is_refused(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        with pytest.raises(TenantRequiredError, match="tenantId is required in job data"):
            await site.enqueue(plain, {"x": 1}, tenant=None)
        with pytest.raises(InvalidTenantError):
            await site.enqueue(plain, {"x": 1}, tenant="acme")


async def test_the_system_is_a_tenant_too(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> str:
        return str(ctx.tenant_id)

    async with working(harness, plain) as site:
        job = await site.enqueue(plain, tenant="system")
        assert (await site.ended(job)).result == str(SYSTEM_TENANT)


async def test_another_tenants_job_is_not_there(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None:
        await ctx.detail("item", "done")

    async with working(harness, plain) as site:
        job = await site.enqueue(plain)
        await site.ended(job)
        other = uuid4()
        with pytest.raises(JobNotFoundError):
            await site.app.get_job(other, job.job_id)
        with pytest.raises(JobNotFoundError):
            await site.app.details(other, job.job_id)


async def test_a_listing_shows_one_tenants_jobs(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        mine = {(await site.enqueue(plain)).job_id for _ in range(3)}
        theirs = await site.enqueue(plain, tenant=uuid4())
        assert {record.job_id for record in await site.app.find_jobs(site.tenant)} == mine
        assert [record.job_id for record in await site.app.find_jobs(theirs.tenant)] == [theirs.job_id]
        everybody = {record.job_id for record in await site.app.find_jobs(None)}
        assert {*mine, theirs.job_id} <= everybody


async def test_another_tenants_job_is_neither_cancelled_nor_retried(harness: RunnerHarness) -> None:
    @handler()
    async def fails(ctx: JobContext, data: Anything) -> None:
        raise NonRetryableError("no")

    async with opened(harness, fails) as site:
        runner = await site.app.runner()
        waiting, failed = await site.enqueue(fails), await site.enqueue(fails)
        other = uuid4()
        assert not await runner.cancel(other, waiting.job_id)
        assert not await site.app.cancel(other, waiting.job_id)
        assert (await site.record(waiting)).status is JobState.QUEUED
        async with site.working():
            await site.ended(failed, JobState.FAILED)
        assert not await runner.retry(other, failed.job_id)
        assert not await site.app.retry(other, failed.job_id)
        assert (await site.record(failed)).status is JobState.FAILED


async def test_an_id_of_another_tenants_job_neither_shows_nor_harms_that_job(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> str:
        return str(ctx.tenant_id)

    async with opened(harness, plain) as site:
        job = await site.enqueue(plain)
        jobs = [job]
        with suppress(JobcoreError):  # an engine whose queue knows an id only once may refuse it
            jobs.append(await site.enqueue(plain, job_id=job.job_id, tenant=uuid4()))
        assert [other.deduplicated for other in jobs] == [False] * len(jobs)
        async with site.working():
            records = await site.all_ended(jobs)
        assert [record.result for record in records] == [str(other.tenant) for other in jobs]
