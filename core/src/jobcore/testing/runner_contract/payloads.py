"""Payloads and unknown handlers."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from pydantic import field_validator

from jobcore.errors import HandlerNotFoundError, PayloadInvalidError, PayloadLimitError
from jobcore.handlers.payload import JobData
from jobcore.ports.context import JobContext
from jobcore.states import JobState
from jobcore.testing.runner_contract.harness import RunnerHarness
from jobcore.testing.runner_contract.site import Anything, Site, handler, opened, working


class Order(JobData):
    """A payload with a model."""

    amount: int = 1
    customer_name: str = ""


class Strict(JobData):
    """What `Order` might become in a later release."""

    amount: int = 1
    address: str

    @field_validator("address")
    @classmethod
    def _is_not_empty(cls, value: str) -> str:
        if not value:
            raise ValueError("an address is needed")
        return value


async def test_a_payload_comes_through_unchanged(harness: RunnerHarness) -> None:
    payload: Anything = {
        "text": 'Grüße, 世界 🎉 "quoted" \\ /\n\t',
        "numbers": [0, -1, 2**53, 1.5, 1e-9],
        "nested": {"empty": {}, "list": [], "null": None, "flags": [True, False]},
    }

    @handler()
    async def echo(ctx: JobContext, data: Anything) -> Anything:
        return data

    async with working(harness, echo) as site:
        record = await site.ended(await site.enqueue(echo, payload))
        assert record.result == record.payload == {**payload, "tenantId": str(site.tenant)}


async def test_a_model_is_written_in_camel_case_and_read_as_the_model(harness: RunnerHarness) -> None:
    @handler()
    async def orders(ctx: JobContext, data: Order) -> str:
        return f"{data.amount} for {data.customer_name} of {data.tenant_id}"

    async with working(harness, orders) as site:
        record = await site.ended(await site.enqueue(orders, Order(amount=3, customer_name="Ada")))
        assert record.payload["customerName"] == "Ada"
        assert record.result == f"3 for Ada of {site.tenant}"


async def test_a_payload_that_does_not_fit_is_refused_field_by_field(harness: RunnerHarness) -> None:
    @handler()
    async def orders(ctx: JobContext, data: Order) -> None: ...

    async with opened(harness, orders) as site:
        with pytest.raises(PayloadInvalidError) as refused:
            await site.enqueue(orders, {"amount": "many"})
        assert [problem.path for problem in refused.value.problems] == ["amount"]
        assert await site.app.find_jobs(site.tenant) == []


async def test_a_payload_that_cannot_be_stored_is_refused(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    deep: Anything = {}
    for _ in range(60):
        deep = {"deeper": deep}
    async with opened(harness, plain) as site:
        for wrong in ({"text": "x" * 2_000_000}, deep, {"text": "\x00"}, {"number": float("nan")}, {"number": 2**70}):
            with pytest.raises(PayloadLimitError):
                await site.enqueue(plain, wrong)
        assert await site.app.find_jobs(site.tenant) == []


async def test_a_large_payload_comes_through(harness: RunnerHarness) -> None:
    @handler()
    async def measures(ctx: JobContext, data: Anything) -> int:
        return len(data["text"])

    async with working(harness, measures) as site:
        assert (await site.ended(await site.enqueue(measures, {"text": "x" * 500_000}))).result == 500_000


async def test_a_payload_that_no_longer_parses_fails_its_job_and_harms_no_other(harness: RunnerHarness) -> None:
    async with opened(harness) as sender:
        name = f"reorders-{uuid4().hex[:10]}"
        broken = await sender.enqueue(name, {"amount": 1}, remote=True)

        @handler()
        async def reorders(ctx: JobContext, data: Strict) -> str:
            return data.address

        renamed = replace(reorders, name=name, queue=name)
        async with working(harness, renamed) as site:
            record = await site.ended(broken, JobState.FAILED)
            assert record.error is not None
            assert "address" in record.error["message"]
            assert site.runs == ()
            assert (await site.ended(await site.enqueue(renamed, {"address": "here"}))).result == "here"


async def test_a_handler_that_nobody_has_is_refused_with_near_names(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        with pytest.raises(HandlerNotFoundError, match=f"No handler registered for job: .*{plain.name}"):
            await site.enqueue(plain.name + "x")
        assert await site.app.find_jobs(site.tenant) == []


async def test_a_handler_that_the_worker_does_not_have_costs_attempts(harness: RunnerHarness) -> None:
    queue = f"shared-{uuid4().hex[:10]}"

    @handler(queue=queue)
    async def known(ctx: JobContext, data: Anything) -> None: ...

    @handler(queue=queue)
    async def unknown(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, unknown) as sender, working(harness, known) as site:
        job = await sender.enqueue(unknown, max_attempts=1)
        record = await site.ended(job, JobState.FAILED)
        assert record.error is not None
        assert f"No handler registered for job: {unknown.name}" in record.error["message"]
        retried = await sender.enqueue(unknown)
        assert len(await _until_attempted(site, retried.tenant, retried.job_id)) == 1
        await site.ended(await site.enqueue(known))


async def _until_attempted(site: Site, tenant: UUID, job_id: UUID) -> list[str]:
    async def attempted() -> list[str]:
        return [detail.step_name for detail in await site.app.details(tenant, job_id)]

    return await site.until(attempted, "an attempt is on record")
