"""Pauses of queues, handlers and tenants."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from jobcore.ports.context import JobContext
from jobcore.states import JobState
from jobcore.testing.runner_contract.behaviour import needs
from jobcore.testing.runner_contract.harness import RunnerHarness
from jobcore.testing.runner_contract.limiting import Doors, pending, waiting_at
from jobcore.testing.runner_contract.site import SOON, Anything, Handler, Site, Stumble, handler, working


@asynccontextmanager
async def paused(site: Site, **what: Any) -> AsyncGenerator[None]:
    """Pause something within the block."""
    assert await site.app.pause(**what, reason="the provider is down", paused_by="Ada")
    try:
        yield
    finally:
        await site.app.resume(**what)


def plain_handler(**options: Any) -> Handler:
    @handler(**options)
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    return plain


async def _begins_no_job(site: Site, one: Handler, other: Handler, what: dict[str, Any], **elsewhere: Any) -> None:
    """Assert that a pause holds a job of `one` up, and none that `elsewhere` says or that comes before and after."""
    await site.ended(await site.enqueue(one))
    async with paused(site, **what):
        held = await site.enqueue(one)
        await site.ended(await site.enqueue(other, **elsewhere))
        assert await pending(site, held)
        assert site.runs_of(held) == []
    await site.ended(held)


@needs("flow_control")
async def test_a_paused_handler_begins_no_job_and_goes_on_after_it_is_resumed(harness: RunnerHarness) -> None:
    one, other = plain_handler(), plain_handler()
    async with working(harness, one, other) as site:
        await _begins_no_job(site, one, other, {"handler": one})


@needs("flow_control")
async def test_a_paused_queue_begins_no_job_of_any_of_its_handlers(harness: RunnerHarness) -> None:
    queue = f"shared-{uuid4().hex[:10]}"
    one, twin, other = plain_handler(queue=queue), plain_handler(queue=queue), plain_handler()
    async with working(harness, one, twin, other) as site:
        await _begins_no_job(site, one, other, {"queue": queue})
        await _begins_no_job(site, twin, other, {"queue": queue})


@needs("flow_control")
async def test_a_paused_tenant_begins_no_job_while_others_do(harness: RunnerHarness) -> None:
    one = plain_handler()
    async with working(harness, one) as site:
        await _begins_no_job(site, one, one, {"tenant": site.tenant}, tenant=uuid4())


@needs("flow_control")
async def test_what_waited_before_a_pause_is_held_back_and_what_runs_goes_on(harness: RunnerHarness) -> None:
    doors = Doors()
    waits = waiting_at(doors)
    async with working(harness, waits, concurrency=1) as site:
        running = await site.enqueue(waits, {"n": 0})
        await site.started(running)
        before = await site.enqueue(waits, {"n": 1})
        async with paused(site, handler=waits):
            doors.open(0, 1)
            await site.ended(running)
            await site.until(lambda: pending(site, before), "the job that waited is held back")
            assert site.runs_of(before) == []
        await site.ended(before)


@needs("flow_control")
async def test_a_job_that_a_pause_holds_up_is_cancelled_like_any_that_waits(harness: RunnerHarness) -> None:
    one = plain_handler()
    async with working(harness, one) as site:
        async with paused(site, handler=one):
            held = await site.enqueue(one)
            assert await held.cancel("not needed")
            assert (await site.record(held)).status is JobState.CANCELLED
        await site.ended(await site.enqueue(one))
        assert site.runs_of(held) == []


@needs("flow_control")
async def test_a_job_keeps_its_attempts_through_a_pause(harness: RunnerHarness) -> None:
    doors = Doors()

    @handler(retry=SOON)
    async def flaky(ctx: JobContext, data: Anything) -> int:
        await doors.wait(ctx.attempt)
        if ctx.attempt < 3:
            raise Stumble
        return ctx.attempt

    async with working(harness, flaky) as site:
        job = await site.enqueue(flaky)
        await site.started(job)
        async with paused(site, handler=flaky):
            doors.open(1)
            await site.until(lambda: pending(site, job), "the retry is held up")
        doors.open(2, 3)
        assert await site.result_of(job) == 3


@needs("flow_control")
async def test_two_pauses_hold_until_both_are_lifted(harness: RunnerHarness) -> None:
    one, other = plain_handler(), plain_handler()
    async with working(harness, one, other) as site:
        async with paused(site, handler=one):
            async with paused(site, tenant=site.tenant):
                held = await site.enqueue(one)
            await site.ended(await site.enqueue(other))
            assert await pending(site, held)
        await site.ended(held)


@needs("flow_control")
async def test_a_pause_says_once_that_it_began_and_once_that_it_ended(harness: RunnerHarness) -> None:
    one = plain_handler()
    async with working(harness, one) as site:
        answers = [
            await site.app.pause(handler=one, reason="a migration", paused_by="Ada"),
            await site.app.pause(handler=one),
        ]
        [pause] = [pause for pause in await site.app.pauses() if pause.name == one.name]
        answers += [await site.app.resume(handler=one), await site.app.resume(handler=one)]
        assert answers == [True, False, True, False]
        assert (pause.kind, pause.reason, pause.paused_by) == ("handler", "a migration", "Ada")
        assert all(pause.name != one.name for pause in await site.app.pauses())
