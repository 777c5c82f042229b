"""Enqueueing within the caller's own transaction."""

from __future__ import annotations

import pytest

from jobcore.errors import InputError, JobNotFoundError
from jobcore.ids import uuid7
from jobcore.ports.context import JobContext
from jobcore.testing.runner_contract.behaviour import needs
from jobcore.testing.runner_contract.harness import RunnerHarness
from jobcore.testing.runner_contract.site import Anything, handler, opened, working


@needs("transactional_enqueue")
async def test_a_job_is_not_there_before_its_transaction_commits(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with working(harness, plain) as site:
        async with harness.transaction(site.app) as connection:
            job = await site.enqueue(plain, connection=connection)
            with pytest.raises(JobNotFoundError):
                await site.record(job)
            await site.ended(await site.enqueue(plain))  # a worker that saw the first one would have taken it by now
            assert site.runs_of(job) == []
        await site.ended(job)


@needs("transactional_enqueue")
async def test_a_committed_enqueue_runs_once(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> int:
        return data["number"]

    async with working(harness, plain) as site:
        async with harness.transaction(site.app) as connection:
            jobs = [await site.enqueue(plain, {"number": number}, connection=connection) for number in range(5)]
        assert [record.result for record in await site.all_ended(jobs)] == list(range(5))
        assert len(site.runs) == 5


@needs("transactional_enqueue")
async def test_a_rollback_leaves_no_job(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with working(harness, plain) as site:
        async with site.rolled_back() as connection:
            job = await site.enqueue(plain, connection=connection)
        with pytest.raises(JobNotFoundError):
            await site.record(job)
        await site.ended(await site.enqueue(plain))
        assert site.runs_of(job) == []
        assert (await site.app.queue_sizes([plain.queue]))[plain.queue] == 0


@needs("transactional_enqueue")
async def test_many_jobs_commit_or_roll_back_together(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        payloads = [{"number": number} for number in range(10)]
        async with site.rolled_back() as connection:
            await site.app.enqueue_many(plain, payloads, tenant=site.tenant, connection=connection)
        assert await site.app.find_jobs(site.tenant) == []
        async with harness.transaction(site.app) as connection:
            await site.app.enqueue_many(plain, payloads, tenant=site.tenant, connection=connection)
        assert len(await site.app.find_jobs(site.tenant)) == 10


@needs("transactional_enqueue")
async def test_an_id_rolled_back_can_be_used_again(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with working(harness, plain) as site:
        wanted = uuid7()
        async with site.rolled_back() as connection:
            await site.enqueue(plain, job_id=wanted, connection=connection)
        again = await site.enqueue(plain, job_id=wanted)
        assert not again.deduplicated
        await site.ended(again)


@needs("transactional_enqueue")
async def test_what_is_no_connection_of_this_storage_is_refused(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        with pytest.raises(InputError):
            await site.enqueue(plain, connection=object())
        assert await site.app.find_jobs(site.tenant) == []
