"""Failed attempts and their retries."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from jobcore.errors import NonRetryableError
from jobcore.execution import Retry
from jobcore.policies.retry import RetryPolicy
from jobcore.ports.context import JobContext
from jobcore.states import JobState
from jobcore.testing.runner_contract.behaviour import needs
from jobcore.testing.runner_contract.harness import RunnerHarness
from jobcore.testing.runner_contract.site import (
    LONG,
    SLACK,
    Anything,
    Handle,
    Site,
    Stumble,
    handler,
    working,
)


def _pauses(site: Site, job: Handle) -> list[float]:
    """Return how long each retry came after the attempt before it."""
    runs = site.runs_of(job)
    return [later.began - (sooner.ended or sooner.began) for sooner, later in pairwise(runs)]


def _assert_about(site: Site, pauses: list[float], wanted: list[float]) -> None:
    assert len(pauses) == len(wanted)
    for pause, least in zip(pauses, wanted, strict=True):
        assert least - SLACK <= pause <= least + site.harness.lateness, (pauses, wanted)


async def test_a_failed_attempt_is_tried_again(harness: RunnerHarness) -> None:
    seen: list[tuple[int, int]] = []

    @handler()
    async def stumbles(ctx: JobContext, data: Anything) -> int:
        seen.append((ctx.attempt, ctx.max_attempts))
        if ctx.attempt < 3:
            raise Stumble
        return ctx.attempt

    async with working(harness, stumbles) as site:
        record = await site.ended(await site.enqueue(stumbles))
        assert (record.attempt, record.result, record.error) == (3, 3, None)
        assert seen == [(1, 3), (2, 3), (3, 3)]


async def test_a_failed_attempt_is_retried_after_its_backoff(harness: RunnerHarness) -> None:
    @handler(retry=RetryPolicy(initial_interval=timedelta(milliseconds=400)))
    async def stumbles(ctx: JobContext, data: Anything) -> None:
        if ctx.attempt == 1:
            raise Stumble

    async with working(harness, stumbles) as site:
        job = await site.enqueue(stumbles)
        await site.ended(job)
        _assert_about(site, _pauses(site, job), [0.4])


@needs("recurring")
async def test_a_job_that_is_triggered_by_hand_backs_off_as_its_schedule_says(harness: RunnerHarness) -> None:
    @handler()
    async def stumbles(ctx: JobContext, data: Anything) -> None:
        if ctx.attempt == 1:
            raise Stumble

    async with working(harness, stumbles) as site:
        await site.app.schedule("tick", stumbles, "24 hours", {}, tenant=site.tenant, backoff=0.4)
        job = await site.app.trigger_schedule(site.tenant, "tick")
        await site.ended(job)
        _assert_about(site, _pauses(site, job), [0.4])


async def test_the_backoff_grows_up_to_its_bound(harness: RunnerHarness) -> None:
    policy = RetryPolicy(
        max_attempts=4,
        initial_interval=timedelta(milliseconds=100),
        backoff_coefficient=4.0,
        max_interval=timedelta(milliseconds=600),
    )

    @handler(retry=policy)
    async def stumbles(ctx: JobContext, data: Anything) -> None:
        if ctx.attempt < 4:
            raise Stumble

    async with working(harness, stumbles) as site:
        job = await site.enqueue(stumbles)
        await site.ended(job)
        _assert_about(site, _pauses(site, job), [0.1, 0.4, 0.6])


async def test_a_job_without_attempts_left_fails_for_good(harness: RunnerHarness) -> None:
    @handler()
    async def fails(ctx: JobContext, data: Anything) -> None:
        raise Stumble(f"attempt {ctx.attempt}")

    async with working(harness, fails) as site:
        job = await site.enqueue(fails)
        record = await site.ended(job, JobState.FAILED)
        assert (record.attempt, record.max_attempts) == (3, 3)
        assert record.error is not None
        assert record.error["message"] == "attempt 3"
        assert record.completed_at is not None
        assert len(site.runs_of(job)) == 3


async def test_the_enqueue_may_say_how_many_attempts_there_are(harness: RunnerHarness) -> None:
    @handler()
    async def fails(ctx: JobContext, data: Anything) -> None:
        raise Stumble

    async with working(harness, fails) as site:
        once, five = await site.enqueue(fails, max_attempts=1), await site.enqueue(fails, max_attempts=5)
        await site.all_ended([once, five], JobState.FAILED)
        assert (len(site.runs_of(once)), len(site.runs_of(five))) == (1, 5)


async def test_a_handler_may_say_when_it_is_tried_again(harness: RunnerHarness) -> None:
    @handler(retry=LONG)
    async def asks(ctx: JobContext, data: Anything) -> None:
        if ctx.attempt == 1:
            raise Retry("not yet", after=timedelta(milliseconds=300))

    async with working(harness, asks) as site:
        job = await site.enqueue(asks)
        assert (await site.ended(job)).attempt == 2
        _assert_about(site, _pauses(site, job), [0.3])


async def test_a_retry_that_is_asked_for_costs_an_attempt(harness: RunnerHarness) -> None:
    @handler()
    async def asks(ctx: JobContext, data: Anything) -> None:
        raise Retry("not yet", after=timedelta())

    async with working(harness, asks) as site:
        job = await site.enqueue(asks, max_attempts=2)
        record = await site.ended(job, JobState.FAILED)
        assert record.error is not None
        assert record.error["message"] == "not yet"
        assert len(site.runs_of(job)) == 2


async def test_an_error_that_cannot_be_retried_fails_the_job_at_once(harness: RunnerHarness) -> None:
    @handler()
    async def fails(ctx: JobContext, data: Anything) -> None:
        raise NonRetryableError("this will never work")

    async with working(harness, fails) as site:
        job = await site.enqueue(fails)
        record = await site.ended(job, JobState.FAILED)
        assert record.error is not None
        assert record.error["message"] == "this will never work"
        assert len(site.runs_of(job)) == 1


async def test_an_error_that_the_policy_names_fails_the_job_at_once(harness: RunnerHarness) -> None:
    @handler(retry=RetryPolicy(initial_interval=timedelta(milliseconds=50), non_retryable_errors=(LookupError,)))
    async def fails(ctx: JobContext, data: Anything) -> None:
        raise LookupError("gone") if data["gone"] else Stumble

    async with working(harness, fails) as site:
        gone, here = await site.enqueue(fails, {"gone": True}), await site.enqueue(fails, {"gone": False})
        await site.all_ended([gone, here], JobState.FAILED)
        assert (len(site.runs_of(gone)), len(site.runs_of(here))) == (1, 3)


async def test_between_two_attempts_a_job_is_queued_and_its_row_tells_the_error(harness: RunnerHarness) -> None:
    @handler(retry=LONG)
    async def stumbles(ctx: JobContext, data: Anything) -> None:
        raise Stumble("over a stone")

    async with working(harness, stumbles) as site:
        job = await site.enqueue(stumbles)
        record = await site.put_off(job)
        assert (record.attempt, record.completed_at) == (1, None)
        assert record.error is not None
        assert record.error["message"] == "over a stone"
        assert record.run_at - record.created_at > timedelta(minutes=4)


async def test_a_failing_job_holds_up_no_others(harness: RunnerHarness) -> None:
    @handler(retry=LONG)
    async def stumbles(ctx: JobContext, data: Anything) -> None:
        if data["falls"]:
            raise Stumble

    async with working(harness, stumbles, concurrency=1) as site:
        await site.enqueue(stumbles, {"falls": True})
        await site.ended(await site.enqueue(stumbles, {"falls": False}))
