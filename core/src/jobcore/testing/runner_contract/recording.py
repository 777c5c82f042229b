"""What is recorded of errors and attempts."""

from __future__ import annotations

from jobcore.policies.retry import RetryPolicy
from jobcore.ports.context import JobContext
from jobcore.states import JobState
from jobcore.testing.runner_contract.harness import RunnerHarness
from jobcore.testing.runner_contract.site import Anything, Stumble, handler, working

ONCE = RetryPolicy(max_attempts=1)


async def test_an_error_is_recorded_with_its_type_message_and_traceback(harness: RunnerHarness) -> None:
    @handler(retry=ONCE)
    async def fails(ctx: JobContext, data: Anything) -> None:
        raise Stumble("over a stone")

    async with working(harness, fails) as site:
        record = await site.ended(await site.enqueue(fails), JobState.FAILED)
    assert record.error is not None
    assert record.error["type"].endswith("Stumble")
    assert record.error["message"] == "over a stone"
    assert "recording.py" in record.error["traceback"]
    assert record.as_status.error == "over a stone"
    assert record.result is None


async def test_secrets_in_an_error_are_not_recorded(harness: RunnerHarness) -> None:
    @handler(retry=ONCE)
    async def fails(ctx: JobContext, data: Anything) -> None:
        raise Stumble("cannot reach postgresql://app:hunter2@db/main, password=hunter2")

    async with working(harness, fails) as site:
        job = await site.enqueue(fails)
        record = await site.ended(job, JobState.FAILED)
        assert "hunter2" not in str(record.error)
        assert "hunter2" not in str(await site.details(job))


async def test_an_error_of_any_length_and_any_letters_is_recorded(harness: RunnerHarness) -> None:
    @handler(retry=ONCE)
    async def fails(ctx: JobContext, data: Anything) -> None:
        raise Stumble("\x00 \ud800 " + "x" * 3_000_000)

    async with working(harness, fails) as site:
        record = await site.ended(await site.enqueue(fails), JobState.FAILED)
    assert record.error is not None
    assert len(str(record.error)) < 200_000
    assert record.error["message"].startswith("\ufffd \ufffd xxx")


async def test_every_failed_attempt_leaves_a_row_with_its_error(harness: RunnerHarness) -> None:
    @handler()
    async def stumbles(ctx: JobContext, data: Anything) -> None:
        if ctx.attempt < 3:
            raise Stumble(f"fall {ctx.attempt}")

    async with working(harness, stumbles) as site:
        job = await site.enqueue(stumbles)
        await site.ended(job)
        rows = await site.attempts(job)
    assert [(row.step_name, row.status, row.retry_count) for row in rows] == [
        ("attempt 1", "failed", 0),
        ("attempt 2", "failed", 1),
    ]
    assert [row.result["message"] for row in rows] == ["fall 1", "fall 2"]
    assert all(row.processed_at is not None for row in rows)


async def test_the_last_attempt_of_a_failed_job_leaves_a_row_too(harness: RunnerHarness) -> None:
    @handler()
    async def fails(ctx: JobContext, data: Anything) -> None:
        raise Stumble(f"fall {ctx.attempt}")

    async with working(harness, fails) as site:
        job = await site.enqueue(fails, max_attempts=2)
        await site.ended(job, JobState.FAILED)
        assert [row.result["message"] for row in await site.attempts(job)] == ["fall 1", "fall 2"]


async def test_a_failed_attempt_tells_how_long_it_took(harness: RunnerHarness) -> None:
    @handler(retry=ONCE)
    async def fails(ctx: JobContext, data: Anything) -> None:
        raise Stumble

    async with working(harness, fails) as site:
        job = await site.enqueue(fails)
        await site.ended(job, JobState.FAILED)
        [row] = await site.attempts(job)
        assert row.metadata is not None
        assert 0 <= row.metadata["duration_ms"] < 1000 * harness.patience


async def test_a_job_that_succeeds_at_once_leaves_no_other_row(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> int:
        return 1

    async with working(harness, plain) as site:
        job = await site.enqueue(plain)
        await site.ended(job)
        assert await site.details(job) == []


async def test_a_handler_that_ends_in_a_base_exception_fails_its_attempt_and_harms_no_other(
    harness: RunnerHarness,
) -> None:
    @handler(retry=ONCE)
    async def exits(ctx: JobContext, data: Anything) -> None:
        if data["exits"]:
            raise SystemExit(3)

    async with working(harness, exits) as site:
        bad, good = await site.enqueue(exits, {"exits": True}), await site.enqueue(exits, {"exits": False})
        record = await site.ended(bad, JobState.FAILED)
        assert record.error is not None
        assert record.error["type"] == "SystemExit"
        await site.ended(good)
