"""Dedupe keys."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from jobcore.errors import NonRetryableError
from jobcore.ports.context import JobContext
from jobcore.states import JobState
from jobcore.testing.runner_contract.behaviour import needs
from jobcore.testing.runner_contract.harness import RunnerHarness
from jobcore.testing.runner_contract.site import LONG, Anything, Stumble, handler, opened, working
from jobcore.testing.runner_contract.waiting import always


async def test_a_held_dedupe_key_answers_with_the_job_that_holds_it(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        first, second = [await site.enqueue(plain, dedupe_key="one") for _ in range(2)]
        assert (first.deduplicated, second.deduplicated) == (False, True)
        assert second.job_id == first.job_id
        assert (await site.record(first)).dedupe_key == "one"
        assert len(await site.app.find_jobs(site.tenant)) == 1


async def test_a_dedupe_key_of_many_callers_at_once_makes_one_job(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        jobs = await asyncio.gather(*(site.enqueue(plain, dedupe_key="one") for _ in range(20)))
        assert len({job.job_id for job in jobs}) == 1
        assert [job.deduplicated for job in jobs].count(False) == 1


async def test_a_dedupe_key_is_free_again_when_its_job_has_completed(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with working(harness, plain) as site:
        first = await site.enqueue(plain, dedupe_key="one")
        await site.ended(first)
        second = await site.enqueue(plain, dedupe_key="one")
        assert second.job_id != first.job_id
        await site.ended(second)


async def test_a_dedupe_key_is_free_again_when_its_job_has_failed(harness: RunnerHarness) -> None:
    @handler()
    async def fails(ctx: JobContext, data: Anything) -> None:
        raise NonRetryableError("no")

    async with working(harness, fails) as site:
        first = await site.enqueue(fails, dedupe_key="one")
        await site.ended(first, JobState.FAILED)
        assert not (await site.enqueue(fails, dedupe_key="one")).deduplicated


async def test_a_dedupe_key_is_free_again_when_its_job_was_cancelled(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        first = await site.enqueue(plain, dedupe_key="one")
        assert await first.cancel()
        assert not (await site.enqueue(plain, dedupe_key="one")).deduplicated


async def test_a_job_that_waits_for_its_retry_still_holds_its_dedupe_key(harness: RunnerHarness) -> None:
    @handler(retry=LONG)
    async def stumbles(ctx: JobContext, data: Anything) -> None:
        raise Stumble

    async with working(harness, stumbles) as site:
        first = await site.enqueue(stumbles, dedupe_key="one")
        await site.put_off(first)
        again = await site.enqueue(stumbles, dedupe_key="one")
        assert (again.job_id, again.deduplicated) == (first.job_id, True)


async def test_a_dedupe_key_is_of_one_tenant_and_one_handler(harness: RunnerHarness) -> None:
    @handler()
    async def one(ctx: JobContext, data: Anything) -> None: ...

    @handler()
    async def two(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, one, two) as site:
        jobs = [
            await site.enqueue(one, dedupe_key="one"),
            await site.enqueue(two, dedupe_key="one"),
            await site.enqueue(one, dedupe_key="one", tenant=uuid4()),
            await site.enqueue(one, dedupe_key="two"),
        ]
        assert [job.deduplicated for job in jobs] == [False] * 4
        assert len({job.job_id for job in jobs}) == 4


@needs("transactional_enqueue")
async def test_a_rollback_gives_up_the_dedupe_key(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        async with site.rolled_back() as connection:
            await site.enqueue(plain, dedupe_key="one", connection=connection)
        assert not (await site.enqueue(plain, dedupe_key="one")).deduplicated


@needs("transactional_enqueue")
async def test_who_finds_a_key_in_an_open_transaction_waits_for_its_end(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        async with harness.transaction(site.app) as connection:
            first = await site.enqueue(plain, dedupe_key="one", connection=connection)
            other = asyncio.ensure_future(site.enqueue(plain, dedupe_key="one"))
            await always(lambda: not other.done(), "the other call waits", 0.2)
        second = await other
        assert (second.job_id, second.deduplicated) == (first.job_id, True)
        async with site.rolled_back() as connection:
            await site.enqueue(plain, dedupe_key="two", connection=connection)
            other = asyncio.ensure_future(site.enqueue(plain, dedupe_key="two"))
            await always(lambda: not other.done(), "the other call waits", 0.2)
        assert not (await other).deduplicated


async def test_a_revived_job_leaves_its_dedupe_key_to_a_newer_one(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        first = await site.enqueue(plain, dedupe_key="one")
        await first.cancel()
        second = await site.enqueue(plain, dedupe_key="one")
        assert await site.app.retry(first.tenant, first.job_id)
        third = await site.enqueue(plain, dedupe_key="one")
        assert (third.job_id, third.deduplicated) == (second.job_id, True)
        async with site.working():
            await site.all_ended([first, second])


async def test_a_revived_job_holds_its_dedupe_key_again(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, plain) as site:
        first = await site.enqueue(plain, dedupe_key="one")
        await first.cancel()
        assert await site.app.retry(first.tenant, first.job_id)
        again = await site.enqueue(plain, dedupe_key="one")
        assert (again.job_id, again.deduplicated) == (first.job_id, True)
