"""Jobs that take the places of others."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import uuid4

from jobcore.ports.context import JobContext
from jobcore.states import JobState
from jobcore.testing.runner_contract.behaviour import needs
from jobcore.testing.runner_contract.harness import RunnerHarness
from jobcore.testing.runner_contract.site import Anything, Handle, Handler, Site, handler, opened, working

PATIENT = 3600
HEARD_WITHIN = 0.5
"""Seconds in which a superseded handler sees its signal."""


def listening() -> Handler:
    """Return a handler that runs until it is told to stop, or for no time if its payload says so."""

    @handler()
    async def listens(ctx: JobContext, data: Anything) -> None:
        if not data.get("quick"):
            await ctx.signal.wait()
            ctx.signal.raise_if_aborted()

    return listens


async def _enqueue(site: Site, job: Handler, rule: str, **options: Any) -> Handle:
    return await site.enqueue(job, {"quick": True}, **{"dedupe_key": "one", "on_conflict": rule, **options})


async def _assert_displaced(site: Site, job: Handle, by: Handle, word: str) -> None:
    record = await site.ended(job, JobState.CANCELLED)
    assert record.error is not None
    assert record.error["reason"] == f"{word} by job {by.job_id}"


@needs("flow_control", "delayed")
async def test_a_superseding_job_cancels_one_that_waits(harness: RunnerHarness) -> None:
    listens = listening()
    async with working(harness, listens) as site:
        older = await _enqueue(site, listens, "supersede", delay=PATIENT)
        newer = await _enqueue(site, listens, "supersede")
        await site.ended(newer)
        await _assert_displaced(site, older, newer, "superseded")
        assert site.runs_of(older) == []


@needs("flow_control", "cancel_running")
async def test_a_superseding_job_stops_the_one_that_runs(harness: RunnerHarness) -> None:
    heard: list[float] = []

    @handler()
    async def listens(ctx: JobContext, data: Anything) -> None:
        if not data.get("quick"):
            await ctx.signal.wait()
            heard.append(time.monotonic())
            ctx.signal.raise_if_aborted()

    async with working(harness, listens) as site:
        older = await site.enqueue(listens, dedupe_key="one")
        await site.started(older)
        asked = time.monotonic()
        newer = await _enqueue(site, listens, "supersede")
        await _assert_displaced(site, older, newer, "superseded")
        await site.ended(newer)
    assert heard[0] - asked <= HEARD_WITHIN + max(0.0, harness.capabilities.cancel_latency.total_seconds() - 1)


@needs("flow_control", "cancel_running")
async def test_a_superseding_job_stops_all_that_run_with_its_key(harness: RunnerHarness) -> None:
    listens = listening()
    async with working(harness, listens) as site:
        first = await site.enqueue(listens, dedupe_key="one")
        await site.started(first)
        second = await site.enqueue(listens, dedupe_key="one", on_conflict="replace")
        await site.started(second)
        newer = await _enqueue(site, listens, "supersede")
        for older in (first, second):
            await _assert_displaced(site, older, newer, "superseded")
        await site.ended(newer)


@needs("flow_control")
async def test_of_many_superseding_calls_at_once_each_makes_a_job_and_one_stands(harness: RunnerHarness) -> None:
    listens = listening()
    async with opened(harness, listens) as site:
        jobs = await asyncio.gather(*(_enqueue(site, listens, "supersede") for _ in range(10)))
        assert len({job.job_id for job in jobs}) == 10
        states = [(await site.record(job)).status for job in jobs]
        assert sorted(states).count(JobState.CANCELLED) == 9


@needs("flow_control", "delayed")
async def test_a_replacing_job_takes_the_place_of_one_that_waits(harness: RunnerHarness) -> None:
    listens = listening()
    async with working(harness, listens) as site:
        waiting = await _enqueue(site, listens, "replace", delay=PATIENT)
        newer = await _enqueue(site, listens, "replace")
        await site.ended(newer)
        await _assert_displaced(site, waiting, newer, "replaced")


@needs("flow_control", "cancel_running")
async def test_a_replacing_job_leaves_one_that_runs_alone(harness: RunnerHarness) -> None:
    finish = asyncio.Event()

    @handler()
    async def finishes(ctx: JobContext, data: Anything) -> None:
        if not data.get("quick"):
            await finish.wait()

    async with working(harness, finishes) as site:
        running = await site.enqueue(finishes, dedupe_key="one")
        await site.started(running)
        newer = await _enqueue(site, finishes, "replace")
        assert newer.job_id != running.job_id
        await site.ended(newer)
        assert (await site.record(running)).cancel_requested is None
        finish.set()
        await site.ended(running)


@needs("flow_control", "delayed")
async def test_a_debounced_job_waits_until_no_other_came_for_its_window(harness: RunnerHarness) -> None:
    listens = listening()
    async with working(harness, listens) as site:
        jobs = [await _enqueue(site, listens, "debounce", window=0.5) for _ in range(3)]
        await site.ended(jobs[-1])
        for job in jobs[:-1]:
            await site.ended(job, JobState.CANCELLED)
        assert [run.job_id for run in site.runs] == [jobs[-1].job_id]


@needs("flow_control")
async def test_a_throttled_job_is_made_once_in_its_window_though_the_first_has_ended(harness: RunnerHarness) -> None:
    listens = listening()
    async with working(harness, listens) as site:
        first = await _enqueue(site, listens, "throttle", window=PATIENT)
        await site.ended(first)
        again = await _enqueue(site, listens, "throttle", window=PATIENT)
        assert (again.job_id, again.deduplicated) == (first.job_id, True)
        short = await _enqueue(site, listens, "throttle", window=0.001)
        assert short.job_id != first.job_id
        await site.ended(short)


@needs("flow_control")
async def test_queued_jobs_of_a_key_run_one_after_the_other(harness: RunnerHarness) -> None:
    listens = listening()
    async with working(harness, listens) as site:
        jobs = [await _enqueue(site, listens, "queue") for _ in range(5)]
        await site.all_ended(jobs)
        assert [run.job_id for run in site.runs] == [job.job_id for job in jobs]
        for before, after in zip(site.runs, site.runs[1:], strict=False):
            assert before.ended is not None
            assert before.ended <= after.began


@needs("flow_control", "delayed")
async def test_keys_of_other_tenants_are_displaced_by_nobody(harness: RunnerHarness) -> None:
    listens = listening()
    async with working(harness, listens) as site:
        older = await _enqueue(site, listens, "supersede", delay=PATIENT, tenant=uuid4())
        await site.ended(await _enqueue(site, listens, "supersede"))
        assert (await site.record(older)).status is JobState.QUEUED
        assert await older.cancel()


@needs("flow_control", "delayed")
async def test_a_superseding_call_is_safe_to_repeat_with_its_id(harness: RunnerHarness) -> None:
    listens = listening()
    async with opened(harness, listens) as site:
        job_id = uuid4()
        first = await _enqueue(site, listens, "supersede", job_id=job_id, delay=PATIENT)
        again = await _enqueue(site, listens, "supersede", job_id=job_id, delay=PATIENT)
        assert first.job_id == again.job_id == job_id
        assert (await site.record(again)).status is JobState.QUEUED
