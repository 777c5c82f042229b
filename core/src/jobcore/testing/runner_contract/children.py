"""Jobs that a handler enqueues."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jobcore.errors import HandlerNotFoundError
from jobcore.models import JobFilter
from jobcore.ports.context import JobContext
from jobcore.testing.runner_contract.behaviour import needs
from jobcore.testing.runner_contract.harness import RunnerHarness
from jobcore.testing.runner_contract.site import Anything, handler, working


async def test_a_follow_up_job_is_of_the_same_tenant_and_knows_its_parent(harness: RunnerHarness) -> None:
    @handler()
    async def child(ctx: JobContext, data: Anything) -> str:
        return f"{ctx.tenant_id} got {data['from']}"

    @handler()
    async def parent(ctx: JobContext, data: Anything) -> str:
        return str((await ctx.enqueue(child, {"from": "parent"})).job_id)

    async with working(harness, parent, child) as site:
        job = await site.enqueue(parent)
        follow_up = site.app.handle(site.tenant, (await site.ended(job)).result)
        record = await site.ended(follow_up)
        assert (record.tenant, record.parent_job_id) == (site.tenant, job.job_id)
        assert record.result == f"{site.tenant} got parent"


async def test_follow_up_jobs_are_found_by_their_parent(harness: RunnerHarness) -> None:
    @handler()
    async def child(ctx: JobContext, data: Anything) -> None: ...

    @handler()
    async def parent(ctx: JobContext, data: Anything) -> list[str]:
        return [str((await ctx.enqueue(child, {"n": n})).job_id) for n in range(5)]

    async with working(harness, parent, child) as site:
        job = await site.enqueue(parent)
        await site.ended(await site.enqueue(parent))
        wanted = (await site.ended(job)).result
        found = await site.app.find_jobs(site.tenant, JobFilter(parent_job_id=job.job_id))
        assert [str(record.job_id) for record in reversed(found)] == wanted


@needs("delayed", "priority")
async def test_a_follow_up_job_may_be_delayed_and_have_a_priority(harness: RunnerHarness) -> None:
    @handler()
    async def child(ctx: JobContext, data: Anything) -> None: ...

    @handler()
    async def parent(ctx: JobContext, data: Anything) -> str:
        return str((await ctx.enqueue(child.name, {}, delay=timedelta(hours=1), priority=3)).job_id)

    async with working(harness, parent, child) as site:
        record = await site.ended(await site.enqueue(parent))
        follow_up = await site.app.get_job(site.tenant, record.result)
        assert follow_up.run_at - follow_up.created_at == timedelta(hours=1)
        assert follow_up.priority == 3


async def test_a_follow_up_job_that_nobody_can_run_is_refused_in_the_handler(harness: RunnerHarness) -> None:
    @handler()
    async def parent(ctx: JobContext, data: Anything) -> str:
        with pytest.raises(HandlerNotFoundError):
            await ctx.enqueue("nobody-has-this", {})
        return "refused"

    async with working(harness, parent) as site:
        assert (await site.ended(await site.enqueue(parent))).result == "refused"
