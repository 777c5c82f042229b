"""Completing a job within the handler's own transaction."""

from __future__ import annotations

import pytest

from jobcore.errors import InputError, JobcoreError, StaleClaimError
from jobcore.models import JobFilter
from jobcore.ports.context import JobContext
from jobcore.states import JobState
from jobcore.testing.runner_contract.behaviour import needs
from jobcore.testing.runner_contract.harness import RunnerHarness
from jobcore.testing.runner_contract.site import Anything, Handle, Site, Stumble, handler, working


async def _children(site: Site, job: Handle) -> int:
    return len(await site.app.find_jobs(site.tenant, JobFilter(parent_job_id=job.job_id)))


@needs("complete_in")
async def test_a_job_completes_within_its_handlers_transaction(harness: RunnerHarness) -> None:
    @handler()
    async def bills(ctx: JobContext, data: Anything) -> str:
        async with ctx.complete_in(ctx.db, result={"billed": 3}):
            pass
        return "not this"

    async with working(harness, bills) as site:
        job = await site.enqueue(bills)
        record = await site.ended(job)
        assert (record.result, record.attempt, record.progress) == ({"billed": 3}, 1, 100)
        assert len(site.runs_of(job)) == 1


@needs("complete_in")
async def test_an_error_in_the_transaction_completes_nothing(harness: RunnerHarness) -> None:
    states: list[JobState] = []

    @handler()
    async def bills(ctx: JobContext, data: Anything) -> None:
        async with ctx.complete_in(ctx.db, result=ctx.attempt):
            if ctx.attempt == 1:
                raise Stumble
        states.append((await site.app.get_job(ctx.tenant_id, ctx.job_id)).status)

    async with working(harness, bills) as site:
        record = await site.ended(await site.enqueue(bills))
        assert (record.result, record.attempt) == (2, 2)
    assert states == [JobState.COMPLETED]


@needs("complete_in")
async def test_a_completion_rolls_back_with_the_transaction_that_it_joined(harness: RunnerHarness) -> None:
    @handler()
    async def bills(ctx: JobContext, data: Anything) -> None:
        async with ctx.db.transaction() as connection:
            async with ctx.complete_in(connection, result=ctx.attempt):
                pass
            if ctx.attempt == 1:
                raise Stumble

    async with working(harness, bills) as site:
        record = await site.ended(await site.enqueue(bills))
        assert (record.result, record.attempt) == (2, 2)


@needs("complete_in")
async def test_after_its_commit_nothing_changes_the_outcome(harness: RunnerHarness) -> None:
    @handler()
    async def bills(ctx: JobContext, data: Anything) -> None:
        async with ctx.complete_in(ctx.db, result="billed"):
            pass
        raise Stumble

    async with working(harness, bills) as site:
        job = await site.enqueue(bills)
        assert (await site.ended(job)).result == "billed"
        await site.ended(await site.enqueue(bills))
        record = await site.record(job)
        assert (record.status, record.result, record.error) == (JobState.COMPLETED, "billed", None)
        assert len(site.runs_of(job)) == 1


@needs("complete_in")
async def test_a_follow_up_job_commits_with_the_completion(harness: RunnerHarness) -> None:
    @handler()
    async def follows(ctx: JobContext, data: Anything) -> None: ...

    @handler()
    async def bills(ctx: JobContext, data: Anything) -> None:
        async with ctx.complete_in(ctx.db) as connection:
            await ctx.enqueue(follows, data, connection=connection)

    async with working(harness, bills, follows) as site:
        job = await site.enqueue(bills)
        await site.ended(job)
        [child] = await site.app.find_jobs(site.tenant, JobFilter(parent_job_id=job.job_id))
        await site.ended(site.app.handle(site.tenant, child.job_id))


@needs("complete_in")
async def test_a_rollback_leaves_neither_completion_nor_follow_up_job(harness: RunnerHarness) -> None:
    @handler()
    async def follows(ctx: JobContext, data: Anything) -> None: ...

    @handler()
    async def bills(ctx: JobContext, data: Anything) -> None:
        async with ctx.complete_in(ctx.db) as connection:
            await ctx.enqueue(follows, data, connection=connection)
            raise Stumble

    async with working(harness, bills, follows) as site:
        job = await site.enqueue(bills, max_attempts=2)
        await site.ended(job, JobState.FAILED)
        assert await _children(site, job) == 0


@needs("complete_in")
async def test_a_job_that_was_ended_by_somebody_else_cannot_be_completed(harness: RunnerHarness) -> None:
    seen: list[type[BaseException]] = []

    @handler()
    async def follows(ctx: JobContext, data: Anything) -> None: ...

    @handler()
    async def bills(ctx: JobContext, data: Anything) -> None:
        await ctx.progress(1)
        await site.app.store.update_job_status(ctx.tenant_id, ctx.job_id, JobState.FAILED, error="by an operator")
        try:
            async with ctx.complete_in(ctx.db) as connection:
                await ctx.enqueue(follows, data, connection=connection)
        except StaleClaimError as error:
            seen.append(type(error))
            raise

    async with working(harness, bills, follows) as site:
        job = await site.enqueue(bills)
        await site.until(lambda: seen, "the completion is refused")
        await site.ended(await site.enqueue(follows))
        record = await site.record(job)
        assert (record.status, record.as_status.error) == (JobState.FAILED, "by an operator")
        assert await _children(site, job) == 0


@needs("complete_in")
async def test_a_connection_to_something_else_is_refused(harness: RunnerHarness) -> None:
    @handler()
    async def bills(ctx: JobContext, data: Anything) -> str:
        with pytest.raises((InputError, AttributeError)):
            async with ctx.complete_in(object()):
                pass
        return "refused"

    async with working(harness, bills) as site:
        assert (await site.ended(await site.enqueue(bills))).result == "refused"


@needs("complete_in")
async def test_a_job_completes_once(harness: RunnerHarness) -> None:
    refused: list[str] = []

    @handler()
    async def bills(ctx: JobContext, data: Anything) -> None:
        async with ctx.complete_in(ctx.db, result=1):
            pass
        try:
            async with ctx.complete_in(ctx.db, result=2):
                pass
        except JobcoreError as error:
            refused.append(str(error))

    async with working(harness, bills) as site:
        assert (await site.ended(await site.enqueue(bills))).result == 1
        await site.until(lambda: refused, "the second completion is refused")
