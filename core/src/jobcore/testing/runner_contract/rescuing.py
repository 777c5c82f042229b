"""Workers that fall silent."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import replace

from jobcore.errors import StaleClaimError
from jobcore.models import Settlement
from jobcore.ports.context import JobContext
from jobcore.ports.observer import Observer
from jobcore.states import JobState
from jobcore.testing.runner_contract.behaviour import needs
from jobcore.testing.runner_contract.elsewhere import Elsewhere
from jobcore.testing.runner_contract.harness import RunnerHarness
from jobcore.testing.runner_contract.site import Anything, Handle, Site, handler, opened


class Recorder(Observer):
    """Remembers rescues, and settlements with whether they were written."""

    def __init__(self) -> None:
        self.rescued: list[str] = []
        self.settled: list[bool] = []

    def jobs_rescued(self, runner_type: str, job_ids: Sequence[str]) -> None:
        self.rescued.extend(job_ids)

    def job_settled(self, settlement: Settlement, applied: bool) -> None:
        self.settled.append(applied)


async def _caught(site: Site, elsewhere: Elsewhere, job: Handle) -> None:
    """Wait until the job runs elsewhere, and freeze the worker there."""
    await site.becomes(job, JobState.PROCESSING)
    await site.until(lambda: elsewhere.site.runs_of(job), "the job runs elsewhere")
    await elsewhere.freeze()


@needs("rescue")
async def test_the_jobs_of_a_worker_that_fell_silent_go_to_another(harness: RunnerHarness) -> None:
    @handler()
    async def holds(ctx: JobContext, data: Anything) -> str:
        await ctx.signal.wait()
        return "elsewhere"

    async def finish(ctx: JobContext, data: Anything) -> str:
        return "here"

    recorder = Recorder()
    async with opened(harness, replace(holds, function=finish), observers=[recorder]) as site:
        jobs = [await site.enqueue(holds) for _ in range(3)]
        async with Elsewhere(harness, holds) as elsewhere:
            for job in jobs[:-1]:
                await site.until(lambda job=job: elsewhere.site.runs_of(job), "the job runs elsewhere")
            await _caught(site, elsewhere, jobs[-1])
            async with site.working():
                records = await site.all_ended(jobs)
        assert [record.result for record in records] == ["here"] * 3
        assert {str(job.job_id) for job in jobs} <= set(recorder.rescued)


@needs("rescue")
async def test_a_worker_that_lives_keeps_its_jobs_however_long_they_run(harness: RunnerHarness) -> None:
    @handler()
    async def long(ctx: JobContext, data: Anything) -> str:
        assert harness.lease is not None
        await asyncio.sleep(harness.lease.total_seconds() * 1.5)
        return "at last"

    async with opened(harness, long) as site, site.working(), site.working():
        job = await site.enqueue(long)
        assert (await site.ended(job)).result == "at last"
        assert len(site.runs_of(job)) == 1


@needs("rescue")
async def test_a_rescue_does_not_use_up_the_only_attempt(harness: RunnerHarness) -> None:
    @handler()
    async def holds(ctx: JobContext, data: Anything) -> None:
        await ctx.signal.wait()

    async def finish(ctx: JobContext, data: Anything) -> str:
        return "here"

    async with opened(harness, replace(holds, function=finish)) as site:
        job = await site.enqueue(holds, max_attempts=1)
        async with Elsewhere(harness, holds) as elsewhere:
            await _caught(site, elsewhere, job)
            async with site.working():
                assert (await site.ended(job)).result == "here"


@needs("rescue")
async def test_a_worker_that_wakes_up_cannot_complete_a_job_that_it_lost(harness: RunnerHarness) -> None:
    wake = threading.Event()

    @handler()
    async def holds(ctx: JobContext, data: Anything) -> str:
        while not wake.is_set():
            await asyncio.sleep(0.01)
        return "by a zombie"

    async def finish(ctx: JobContext, data: Anything) -> str:
        return "by its owner"

    recorder = Recorder()
    async with opened(harness, replace(holds, function=finish)) as site:
        job = await site.enqueue(holds)
        async with Elsewhere(harness, holds, observers=[recorder]) as elsewhere:
            await _caught(site, elsewhere, job)
            async with site.working():
                await site.ended(job)
            wake.set()
            elsewhere.thaw()
            await site.until(lambda: recorder.settled, "the zombie's handler ends")
            assert recorder.settled == [False]
        record = await site.record(job)
        assert (record.status, record.result) == (JobState.COMPLETED, "by its owner")


@needs("rescue")
async def test_a_worker_that_wakes_up_writes_nothing_for_a_job_that_it_lost(harness: RunnerHarness) -> None:
    wake = threading.Event()
    refused: list[str] = []

    @handler()
    async def holds(ctx: JobContext, data: Anything) -> None:
        while not wake.is_set():
            await asyncio.sleep(0.01)
        for write in (
            lambda: ctx.step("pay", lambda: 1),
            lambda: ctx.detail("item", "done"),
            lambda: ctx.progress(50, "by a zombie"),
        ):
            try:
                await write()
            except StaleClaimError as error:
                refused.append(str(error))

    async def finish(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, replace(holds, function=finish)) as site:
        job = await site.enqueue(holds)
        async with Elsewhere(harness, holds) as elsewhere:
            await _caught(site, elsewhere, job)
            async with site.working():
                await site.ended(job)
            wake.set()
            elsewhere.thaw()
            await site.until(lambda: len(refused) == 3, "three writes are refused")
        written = [row for row in await site.details(job) if not row.step_name.startswith("attempt ")]
        assert written == []
        assert (await site.record(job)).progress_message is None
