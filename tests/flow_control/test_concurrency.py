"""At most so many jobs at once: of a handler, of a tenant, of a key."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from flow_control.conftest import PATIENCE, Floor, Open, until
from jobcore import Concurrency, JobContext, JobData, JobState, Retry, Snooze, job
from jobcore.errors import InputError, InvalidHandlerError
from jobcore.policies.limits import InvalidLimitError

A, B = uuid4(), uuid4()


class Data(JobData):
    n: int
    account: str = ""


async def test_no_more_than_the_limit_run_at_once(opened: Open, floor: Floor) -> None:
    @job("work", limits=[Concurrency(3)])
    async def work(ctx: JobContext, data: Data) -> None:
        async with floor.passing(data.n):
            await ctx.heartbeat()

    app = await opened(work)
    handles = await app.enqueue_many(work, [Data(n=n) for n in range(60)], tenant=A)
    for handle in handles:
        await handle.result(timeout=PATIENCE)

    assert floor.most <= 3
    assert sorted(floor.began) == list(range(60))


async def test_those_that_wait_are_pending_and_go_in_the_order_of_priority_and_age(opened: Open, floor: Floor) -> None:
    @job("work", limits=[Concurrency(1)])
    async def work(ctx: JobContext, data: Data) -> None:
        await floor.hold(data.n)

    app = await opened(work)
    first = await app.enqueue(work, Data(n=0), tenant=A)
    await until(lambda: floor.running == [0])
    late = [await app.enqueue(work, Data(n=n), tenant=A, priority=1 if n == 3 else 0) for n in (1, 2, 3)]

    assert [(await handle.status()).status for handle in late] == [JobState.PENDING] * 3
    floor.let_go(0, 1, 2, 3)
    for handle in [first, *late]:
        await handle.result(timeout=PATIENCE)
    assert floor.began == [0, 3, 1, 2]


async def test_a_limit_per_tenant_counts_each_tenant_apart(opened: Open, floor: Floor) -> None:
    @job("work", limits=[Concurrency(1, per="tenant")])
    async def work(ctx: JobContext, data: Data) -> None:
        await floor.hold((ctx.tenant_id, data.n))

    app = await opened(work)
    for tenant in (A, B):
        await app.enqueue_many(work, [Data(n=0), Data(n=1)], tenant=tenant)

    await until(lambda: set(floor.running) == {(A, 0), (B, 0)})
    floor.let_go((A, 0))
    await until(lambda: set(floor.running) == {(A, 1), (B, 0)})
    floor.let_go((A, 1), (B, 0), (B, 1))
    await until(lambda: len(floor.ended) == 4)


async def test_a_limit_by_key_counts_each_value_of_a_tenant_apart(opened: Open, floor: Floor) -> None:
    @job("sync", limits=[Concurrency(1, key="account")])
    async def sync(ctx: JobContext, data: Data) -> None:
        await floor.hold((ctx.tenant_id, data.account, data.n))

    app = await opened(sync)
    for tenant, account, n in ((A, "x", 0), (A, "x", 1), (A, "y", 0), (B, "x", 0)):
        await app.enqueue(sync, Data(n=n, account=account), tenant=tenant)

    await until(lambda: set(floor.running) == {(A, "x", 0), (A, "y", 0), (B, "x", 0)})
    floor.let_go((A, "x", 0), (A, "x", 1), (A, "y", 0), (B, "x", 0))
    await until(lambda: len(floor.ended) == 4)


async def test_a_tier_has_a_limit_of_its_own(opened: Open, floor: Floor) -> None:
    @job("work", limits=[Concurrency(1, per="tenant", tiers={"pro": 3})])
    async def work(ctx: JobContext, data: Data) -> None:
        await floor.hold(data.n)

    app = await opened(work)
    await app.enqueue_many(work, [Data(n=n) for n in range(5)], tenant=A, tier="pro")

    await until(lambda: len(floor.running) == 3)
    floor.let_go(*range(5))
    await until(lambda: len(floor.ended) == 5)
    assert floor.most == 3
    with pytest.raises(InputError, match="no tier 'gold'; it has 'pro'"):
        await app.enqueue(work, Data(n=9), tenant=A, tier="gold")


async def test_handlers_of_one_scope_are_counted_together(opened: Open, floor: Floor) -> None:
    @job("read", limits=[Concurrency(2, scope="database")])
    async def read(ctx: JobContext, data: Data) -> None:
        await floor.hold(("read", data.n))

    @job("write", limits=[Concurrency(2, scope="database")])
    async def write(ctx: JobContext, data: Data) -> None:
        await floor.hold(("write", data.n))

    app = await opened(read, write)
    await app.enqueue(read, Data(n=0), tenant=A)
    await app.enqueue(write, Data(n=0), tenant=A)
    await until(lambda: len(floor.running) == 2)
    third = await app.enqueue(read, Data(n=1), tenant=A)
    assert (await third.status()).status is JobState.PENDING
    floor.let_go(("write", 0), ("read", 1), ("read", 0))
    await third.result(timeout=PATIENCE)
    assert floor.most == 2


async def test_a_job_that_is_put_off_lets_others_pass(opened: Open, floor: Floor) -> None:
    @job("work", limits=[Concurrency(1)])
    async def work(ctx: JobContext, data: Data) -> int:
        async with floor.passing((data.n, ctx.attempt)):
            if data.n == 0 and len(floor.began) == 1:
                raise Snooze(timedelta(seconds=1))
            if data.n == 1 and ctx.attempt == 1:
                raise Retry("again", after=timedelta(seconds=0.3))
        return ctx.attempt

    app = await opened(work)
    handles = await app.enqueue_many(work, [Data(n=n) for n in range(3)], tenant=A)

    assert [await handle.result(timeout=PATIENCE) for handle in handles] == [1, 2, 1]
    assert floor.began == [(0, 1), (1, 1), (2, 1), (1, 2), (0, 1)]


async def test_a_cancelled_job_gives_its_place_up_and_one_that_waits_never_runs(opened: Open, floor: Floor) -> None:
    @job("work", limits=[Concurrency(1)])
    async def work(ctx: JobContext, data: Data) -> None:
        await floor.hold(data.n)

    app = await opened(work)
    running, waiting, last = await app.enqueue_many(work, [Data(n=n) for n in range(3)], tenant=A)
    await until(lambda: floor.running == [0])

    assert await waiting.cancel("not needed")
    assert await running.cancel()
    await until(lambda: floor.running == [2])
    floor.let_go(2)
    await last.result(timeout=PATIENCE)
    assert floor.began == [0, 2]
    assert (await waiting.status()).status is JobState.CANCELLED


async def test_an_operators_retry_waits_for_its_place_again(opened: Open, floor: Floor) -> None:
    @job("work", limits=[Concurrency(1)])
    async def work(ctx: JobContext, data: Data) -> None:
        await floor.hold(data.n)

    app = await opened(work)
    running, waiting = await app.enqueue_many(work, [Data(n=n) for n in range(2)], tenant=A)
    await until(lambda: floor.running == [0])
    assert await waiting.cancel()
    assert await app.retry(A, waiting.job_id)
    assert (await waiting.status()).status is JobState.PENDING

    floor.let_go(0, 1)
    await waiting.result(timeout=PATIENCE)
    await running.result(timeout=PATIENCE)
    assert floor.most == 1


async def test_a_delayed_job_takes_no_place_before_its_time(opened: Open, floor: Floor) -> None:
    @job("work", limits=[Concurrency(1)])
    async def work(ctx: JobContext, data: Data) -> None:
        async with floor.passing(data.n):
            pass

    app = await opened(work)
    later = await app.enqueue(work, Data(n=0), tenant=A, delay=0.5)
    now = await app.enqueue(work, Data(n=1), tenant=A)
    await now.result(timeout=PATIENCE)
    assert floor.began == [1]
    await later.result(timeout=PATIENCE)
    assert floor.began == [1, 0]


async def test_a_payload_without_the_key_is_refused_and_nothing_is_stored(opened: Open) -> None:
    @job("sync", limits=[Concurrency(1, key="customer.id")])
    async def sync(ctx: JobContext, data: Data) -> None: ...

    app = await opened(sync, workers=0)
    with pytest.raises(InputError, match="'sync': its payload says nothing at 'customer.id'"):
        await app.enqueue(sync, Data(n=0), tenant=A)
    assert await app.find_jobs(A) == []


@pytest.mark.parametrize("limit", [0, -1, 10_001, True, 1.5])
def test_a_limit_that_cannot_be_meant_is_refused(limit: int) -> None:
    with pytest.raises(InvalidLimitError, match="whole number from 1 to 10,000"):
        Concurrency(limit)


def test_what_is_no_limit_is_refused_where_the_handler_is_defined() -> None:
    with pytest.raises(InvalidHandlerError, match="a limit is a Concurrency, a RateLimit or a FairShare, not 3"):

        @job("work", limits=[3])  # pyright: ignore[reportArgumentType]
        async def work(ctx: JobContext, data: Data) -> None: ...
