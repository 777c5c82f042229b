"""Handlers in processes of their own."""

from __future__ import annotations

import os
import time
from datetime import timedelta

from jobcore.policies.retry import RetryPolicy
from jobcore.ports.context import JobContext
from jobcore.states import JobState
from jobcore.testing.runner_contract.behaviour import needs
from jobcore.testing.runner_contract.harness import RunnerHarness
from jobcore.testing.runner_contract.site import Anything, Stumble, handler, working

ONCE = RetryPolicy(max_attempts=1)
SPAWN = timedelta(seconds=1.5)
"""A time-out that leaves a process the time to begin."""


def process_id(ctx: JobContext, data: Anything) -> list[int]:
    return [os.getpid(), data["number"]]


def spins(ctx: JobContext, data: Anything) -> None:
    ctx.blocking.progress(1, str(os.getpid()))
    while True:
        time.sleep(0.01)


def dies(ctx: JobContext, data: Anything) -> str:
    if ctx.attempt == 1:
        os._exit(3)
    return "lived"


def reports(ctx: JobContext, data: Anything) -> list[object]:
    ctx.blocking.detail("item", "done", result=data["item"])
    paid, first = ctx.blocking.step("pay", lambda: ctx.attempt), ctx.blocking.once("mail")
    if ctx.attempt == 1:
        raise Stumble("in the process")
    return [paid, first]


@needs("process")
async def test_a_handler_runs_in_a_process_of_its_own(harness: RunnerHarness) -> None:
    job = handler(execution="process")(process_id)
    async with working(harness, job) as site:
        pid, number = (await site.ended(await site.enqueue(job, {"number": 7}))).result
        assert pid != os.getpid()
        assert number == 7


@needs("process")
async def test_a_handler_in_a_process_reports_steps_items_and_errors(harness: RunnerHarness) -> None:
    definition = handler(execution="process")(reports)
    async with working(harness, definition) as site:
        job = await site.enqueue(definition, {"item": [1, 2]})
        assert (await site.ended(job)).result == [1, False]
        [attempt] = await site.attempts(job)
        assert attempt.result["message"] == "in the process"
        assert {row.step_name: row.result for row in await site.details(job)}["item"] == [1, 2]


@needs("process")
async def test_a_process_that_dies_has_failed_its_attempt(harness: RunnerHarness) -> None:
    definition = handler(execution="process")(dies)
    async with working(harness, definition) as site:
        record = await site.ended(await site.enqueue(definition))
        assert (record.attempt, record.result) == (2, "lived")


@needs("process")
async def test_a_process_that_runs_past_its_time_out_is_killed(harness: RunnerHarness) -> None:
    definition = handler(execution="process", timeout=SPAWN, retry=ONCE)(spins)
    async with working(harness, definition) as site:
        record = await site.ended(await site.enqueue(definition), JobState.FAILED)
        assert record.error is not None
        assert record.error["type"].endswith("JobTimeoutError")
        await site.until(lambda: not _lives(record.progress_message), "the process is gone")


@needs("process", "cancel_running", "progress")
async def test_a_process_is_killed_when_its_job_is_cancelled(harness: RunnerHarness) -> None:
    definition = handler(execution="process")(spins)
    async with working(harness, definition) as site:
        job = await site.enqueue(definition)

        async def told() -> str | None:
            return (await site.record(job)).progress_message

        pid = await site.until(told, "the handler tells its process")
        assert _lives(pid)
        assert await job.cancel("not wanted")
        record = await site.ended(job, JobState.CANCELLED)
        assert record.error is not None
        assert record.error["reason"] == "not wanted"
        await site.until(lambda: not _lives(pid), "the process is gone")


def _lives(pid: str | None) -> bool:
    if pid is None:
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    return True
