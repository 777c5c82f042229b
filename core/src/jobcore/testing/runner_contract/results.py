"""Results."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jobcore.errors import JobCancelledError, JobFailedError, NonRetryableError, ResultTimeoutError
from jobcore.ports.context import JobContext
from jobcore.testing.runner_contract.harness import RunnerHarness
from jobcore.testing.runner_contract.payloads import Order
from jobcore.testing.runner_contract.site import Anything, handler, opened, working


async def test_what_a_handler_returns_is_the_jobs_result(harness: RunnerHarness) -> None:
    @handler()
    async def returns(ctx: JobContext, data: Anything) -> Anything:
        return {"total": 12.5, "lines": [{"id": 1}, None], "name": "Ünïcode"}

    async with working(harness, returns) as site:
        job = await site.enqueue(returns)
        assert await site.result_of(job) == {
            "total": 12.5,
            "lines": [{"id": 1}, None],
            "name": "Ünïcode",
        }


async def test_a_handler_that_returns_nothing_has_no_result(harness: RunnerHarness) -> None:
    @handler()
    async def returns(ctx: JobContext, data: Anything) -> None: ...

    async with working(harness, returns) as site:
        job = await site.enqueue(returns)
        assert await site.result_of(job) is None
        assert (await site.record(job)).result is None


async def test_a_model_that_a_handler_returns_comes_back_as_the_model(harness: RunnerHarness) -> None:
    @handler()
    async def returns(ctx: JobContext, data: Anything) -> Order:
        return Order(amount=4, customer_name="Ada", tenant_id=ctx.tenant_id)

    async with working(harness, returns) as site:
        job = await site.enqueue(returns)
        assert await site.result_of(job) == Order(amount=4, customer_name="Ada", tenant_id=site.tenant)


async def test_a_result_that_is_too_large_or_is_no_json_is_replaced_by_the_reason(harness: RunnerHarness) -> None:
    @handler()
    async def returns(ctx: JobContext, data: Anything) -> object:
        return {"large": "x" * 100_000, "strange": object(), "nul": "\x00"}[data["what"]]

    async with working(harness, returns) as site:
        for what in ("large", "strange", "nul"):
            record = await site.ended(await site.enqueue(returns, {"what": what}))
            assert record.result["jobcore"].startswith("not stored: ")
            assert len(site.runs) == 1 + ("large", "strange", "nul").index(what)


async def test_a_large_result_within_the_limit_is_stored(harness: RunnerHarness) -> None:
    @handler()
    async def returns(ctx: JobContext, data: Anything) -> str:
        return "x" * 60_000

    async with working(harness, returns) as site:
        assert (await site.ended(await site.enqueue(returns))).result == "x" * 60_000


async def test_who_waits_for_a_result_hears_of_a_failure_with_its_error(harness: RunnerHarness) -> None:
    @handler()
    async def fails(ctx: JobContext, data: Anything) -> None:
        raise NonRetryableError("the printer is on fire")

    async with working(harness, fails) as site:
        job = await site.enqueue(fails)
        with pytest.raises(JobFailedError, match="the printer is on fire"):
            await site.result_of(job)


async def test_who_waits_for_a_result_hears_of_a_cancellation_with_its_reason(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        job = await site.enqueue(plain)
        await job.cancel("changed our minds")
        with pytest.raises(JobCancelledError, match="changed our minds"):
            await site.result_of(job)


async def test_who_waits_for_a_result_waits_no_longer_than_agreed(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        job = await site.enqueue(plain)
        with pytest.raises(ResultTimeoutError, match="it goes on"):
            await job.result(timeout=timedelta(milliseconds=50))
