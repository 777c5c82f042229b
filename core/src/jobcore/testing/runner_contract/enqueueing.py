"""Enqueueing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest

from jobcore.errors import PayloadInvalidError
from jobcore.ids import uuid7
from jobcore.ports.context import JobContext
from jobcore.states import JobState
from jobcore.testing.runner_contract.harness import RunnerHarness
from jobcore.testing.runner_contract.payloads import Order
from jobcore.testing.runner_contract.site import Anything, handler, opened, working


async def test_an_enqueued_job_runs_once_and_its_row_says_so(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with working(harness, plain) as site:
        job = await site.enqueue(plain)
        record = await site.ended(job)
        assert len(site.runs_of(job)) == 1
    assert (record.attempt, record.progress, record.error) == (1, 100, None)
    assert record.completed_at is not None
    assert record.started_at is not None
    assert record.created_at <= record.started_at <= record.completed_at


async def test_every_job_gets_an_id_of_its_own_that_sorts_by_time(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        ids = [(await site.enqueue(plain)).job_id for _ in range(20)]
    assert len(set(ids)) == 20
    assert {job_id.version for job_id in ids} == {7}


async def test_the_callers_own_id_is_the_jobs_id(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> str:
        return str(ctx.job_id)

    async with working(harness, plain) as site:
        wanted = uuid7()
        job = await site.enqueue(plain, job_id=wanted)
        assert (job.job_id, job.deduplicated) == (wanted, False)
        assert (await site.ended(job)).result == str(wanted)


async def test_an_enqueue_repeated_with_its_id_makes_one_job(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with working(harness, plain) as site:
        wanted = uuid7()
        first, second = [await site.enqueue(plain, job_id=wanted) for _ in range(2)]
        await site.ended(first)
        third = await site.enqueue(plain, job_id=wanted)
        assert [job.deduplicated for job in (first, second, third)] == [False, True, True]
        last = await site.enqueue(plain)
        await site.ended(last)
        assert len(site.runs_of(first)) == 1


async def test_many_jobs_are_enqueued_in_one_call_and_all_run_once(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> int:
        return data["number"]

    async with working(harness, plain) as site:
        jobs = await site.app.enqueue_many(plain, [{"number": number} for number in range(60)], tenant=site.tenant)
        records = await site.all_ended(jobs)
        assert [record.result for record in records] == list(range(60))
        assert len(site.runs) == 60


async def test_many_jobs_of_which_one_cannot_be_accepted_are_all_refused(harness: RunnerHarness) -> None:
    @handler()
    async def orders(ctx: JobContext, data: Order) -> None: ...

    async with opened(harness, orders) as site:
        with pytest.raises(PayloadInvalidError, match="amount"):
            await site.app.enqueue_many(orders, [{"amount": 1}, {"amount": "many"}], tenant=site.tenant)
        assert await site.app.find_jobs(site.tenant) == []


async def test_jobs_of_many_callers_at_once_all_run_once(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> int:
        return data["number"]

    async with working(harness, plain) as site:
        jobs = await asyncio.gather(*(site.enqueue(plain, {"number": number}) for number in range(50)))
        assert [record.result for record in await site.all_ended(jobs)] == list(range(50))
        assert len(site.runs) == 50


async def test_without_a_worker_a_job_waits_in_its_queue(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        job = await site.enqueue(plain)
        record = await site.record(job)
        assert (record.status, record.attempt, record.started_at) == (JobState.QUEUED, 0, None)
        async with site.working():
            await site.ended(job)


async def test_the_row_tells_what_was_asked_for(harness: RunnerHarness) -> None:
    @handler(queue=f"shared-{uuid4().hex[:10]}")
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        user, parent = uuid4(), uuid7()
        job = await site.enqueue(
            plain,
            {"colour": "blue"},
            user_id=user,
            metadata={"source": "contract", "deep": {"er": [1, None]}},
            max_attempts=7,
            parent_job_id=parent,
        )
        record = await site.record(job)
    assert (record.tenant, record.type, record.queue) == (site.tenant, plain.name, plain.queue)
    assert record.payload == {"colour": "blue", "tenantId": str(site.tenant)}
    assert (record.user_id, record.max_attempts, record.parent_job_id) == (user, 7, parent)
    assert record.metadata == {"source": "contract", "deep": {"er": [1, None]}}
    assert record.runner_type == site.app.default_runner


async def test_handlers_that_share_a_queue_each_get_their_own_jobs(harness: RunnerHarness) -> None:
    queue = f"shared-{uuid4().hex[:10]}"

    @handler(queue=queue)
    async def first(ctx: JobContext, data: Anything) -> str:
        return "first"

    @handler(queue=queue)
    async def second(ctx: JobContext, data: Anything) -> str:
        return "second"

    async with working(harness, first, second) as site:
        jobs = [await site.enqueue(job) for job in (first, second, first)]
        assert [record.result for record in await site.all_ended(jobs)] == ["first", "second", "first"]


async def test_a_handler_can_be_named_by_a_text(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> str:
        return ctx.job_name

    async with working(harness, plain) as site:
        job = await site.enqueue(plain.name, {"x": 1})
        assert (await site.ended(job)).result == plain.name


async def test_a_job_may_have_the_longest_name_of_all_letters_that_are_allowed(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> str:
        return ctx.job_name

    name = f"Team/{uuid4().hex}.Job_of-{'x' * 200}"[:200]
    named = replace(plain, name=name, queue=name)
    async with working(harness, named) as site:
        assert (await site.ended(await site.enqueue(named))).result == name
