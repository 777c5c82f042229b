"""Items that a handler reports."""

from __future__ import annotations

import pytest

from jobcore.errors import PayloadLimitError
from jobcore.ports.context import JobContext
from jobcore.testing.runner_contract.behaviour import needs
from jobcore.testing.runner_contract.harness import RunnerHarness
from jobcore.testing.runner_contract.site import Anything, Stumble, handler, working


async def test_reported_items_stand_in_their_order(harness: RunnerHarness) -> None:
    @handler()
    async def reports(ctx: JobContext, data: Anything) -> None:
        for number in range(3):
            await ctx.detail(f"item {number}", "done", result={"n": number}, metadata={"size": number * 10})

    async with working(harness, reports) as site:
        job = await site.enqueue(reports)
        await site.ended(job)
        details = await site.details(job)
    assert [(row.step_name, row.status) for row in details] == [(f"item {n}", "done") for n in range(3)]
    assert [row.result for row in details] == [{"n": n} for n in range(3)]
    assert [row.metadata for row in details] == [{"size": n * 10} for n in range(3)]
    assert {(row.tenant, row.job_id) for row in details} == {(site.tenant, job.job_id)}


async def test_an_item_reported_again_is_updated(harness: RunnerHarness) -> None:
    ids: list[object] = []

    @handler()
    async def reports(ctx: JobContext, data: Anything) -> None:
        ids.append(await ctx.detail("item", "processing"))
        ids.append(await ctx.detail("item", "done", result=7))

    async with working(harness, reports) as site:
        job = await site.enqueue(reports)
        await site.ended(job)
        [row] = await site.details(job)
    assert (row.status, row.result) == ("done", 7)
    assert ids == [row.detail_id] * 2


async def test_an_item_is_seen_while_its_job_runs(harness: RunnerHarness) -> None:
    @handler()
    async def reports(ctx: JobContext, data: Anything) -> None:
        await ctx.detail("item", "processing")
        await ctx.signal.wait()

    async with working(harness, reports) as site:
        job = await site.enqueue(reports)

        async def seen() -> bool:
            return [row.step_name for row in await site.details(job)] == ["item"]

        await site.until(seen, "the item is seen")


async def test_items_of_a_failed_attempt_stay(harness: RunnerHarness) -> None:
    @handler()
    async def reports(ctx: JobContext, data: Anything) -> None:
        await ctx.detail(f"item of {ctx.attempt}", "done")
        if ctx.attempt == 1:
            raise Stumble

    async with working(harness, reports) as site:
        job = await site.enqueue(reports)
        await site.ended(job)
        names = {row.step_name for row in await site.details(job)}
        assert names == {"item of 1", "attempt 1", "item of 2"}


async def test_an_item_that_cannot_be_stored_is_refused_in_the_handler(harness: RunnerHarness) -> None:
    @handler()
    async def reports(ctx: JobContext, data: Anything) -> str:
        with pytest.raises(PayloadLimitError):
            await ctx.detail("item", "done", result={"text": "\x00"})
        return "refused"

    async with working(harness, reports) as site:
        job = await site.enqueue(reports)
        assert (await site.ended(job)).result == "refused"
        assert await site.details(job) == []


@needs("thread")
async def test_a_handler_in_a_thread_reports_items(harness: RunnerHarness) -> None:
    @handler()
    def reports(ctx: JobContext, data: Anything) -> None:
        ctx.blocking.detail("item", "done", result=[1])

    async with working(harness, reports) as site:
        job = await site.enqueue(reports)
        await site.ended(job)
        [row] = await site.details(job)
        assert (row.step_name, row.result) == ("item", [1])
