"""A paused queue, handler or tenant takes jobs in and begins none."""

from __future__ import annotations

from uuid import uuid4

import pytest

from flow_control.conftest import PATIENCE, Floor, Open, until
from jobcore import JobApp, JobContext, JobData, JobState, RetryPolicy, job
from jobcore.errors import InputError

A, B = uuid4(), uuid4()


class Data(JobData):
    n: int


@pytest.fixture
async def app(opened: Open, floor: Floor) -> JobApp:
    @job("work")
    async def work(ctx: JobContext, data: Data) -> None:
        await floor.hold((ctx.tenant_id, data.n))

    @job("quick", queue="shared")
    async def quick(ctx: JobContext, data: Data) -> None: ...

    @job("other", queue="shared")
    async def other(ctx: JobContext, data: Data) -> None: ...

    return await opened(work, quick, other, concurrency=2)


@pytest.mark.parametrize("what", [{"queue": "work"}, {"handler": "work"}, {"tenant": A}])
async def test_what_is_paused_begins_no_job_and_runs_on_after_it_is_resumed(
    app: JobApp, floor: Floor, what: dict[str, object]
) -> None:
    running = await app.enqueue("work", Data(n=0), tenant=A)
    before = [await app.enqueue("work", Data(n=n), tenant=A) for n in (1, 2, 3)]
    await until(lambda: len(floor.running) == 2)

    assert await app.pause(**what, reason="the provider is down", paused_by="ada")
    assert not await app.pause(**what)
    after = await app.enqueue("work", Data(n=4), tenant=A)
    floor.let_go(*((A, n) for n in range(5)))
    await running.result(timeout=PATIENCE)
    # Whatever came before and was not begun waits too; what is not paused goes on.
    quick = await app.enqueue("quick", Data(n=0), tenant=B)
    await quick.result(timeout=PATIENCE)
    assert (await after.status()).status is JobState.PENDING
    assert (A, 3) not in floor.began
    assert (A, 4) not in floor.began

    assert await app.resume(**what)
    assert not await app.resume(**what)
    for handle in (*before, after):
        await handle.result(timeout=PATIENCE)
    assert sorted(floor.began) == sorted({*floor.began})


async def test_what_waited_before_the_pause_is_held_back_when_its_turn_comes(app: JobApp, floor: Floor) -> None:
    for n in (0, 1):
        await app.enqueue("work", Data(n=n), tenant=A)
    await until(lambda: len(floor.running) == 2)
    waiting = [await app.enqueue("work", Data(n=n), tenant=tenant) for n in (2, 3) for tenant in (A, B)]

    await app.pause(tenant=A)
    floor.let_go((A, 0), (A, 1), (B, 2), (B, 3))
    for handle in waiting:
        if handle.tenant == B:
            await handle.result(timeout=PATIENCE)
    held = [handle for handle in waiting if handle.tenant == A]

    async def all_held() -> bool:
        return all([(await handle.status()).status is JobState.PENDING for handle in held])

    await until(all_held)
    assert await app.cancel(A, held[0].job_id)
    await app.resume(tenant=A)
    floor.let_go((A, 2), (A, 3))
    await held[1].result(timeout=PATIENCE)
    assert floor.began.count((A, 3)) == 1
    assert (A, 2) not in floor.began


async def test_handlers_of_one_queue_are_paused_apart(app: JobApp) -> None:
    await app.pause(handler="other")
    waiting = await app.enqueue("other", Data(n=0), tenant=A)
    passing = await app.enqueue("quick", Data(n=0), tenant=A)
    await passing.result(timeout=PATIENCE)
    assert (await waiting.status()).status is JobState.PENDING
    await app.resume(handler="other")
    await waiting.result(timeout=PATIENCE)


async def test_two_pauses_hold_until_both_are_lifted(app: JobApp) -> None:
    await app.pause(queue="shared")
    await app.pause(tenant=A)
    waiting = await app.enqueue("quick", Data(n=0), tenant=A)
    await app.resume(queue="shared")
    other = await app.enqueue("quick", Data(n=1), tenant=B)
    await other.result(timeout=PATIENCE)
    assert (await waiting.status()).status is JobState.PENDING
    await app.resume(tenant=A)
    await waiting.result(timeout=PATIENCE)


async def test_pauses_are_listed_with_who_and_why(app: JobApp) -> None:
    await app.pause(queue="shared", reason="a migration", paused_by="ada")
    await app.pause(tenant="system")
    shown = [(pause.kind.value, pause.name, pause.reason, pause.paused_by) for pause in await app.pauses()]
    assert shown == [
        ("queue", "shared", "a migration", "ada"),
        ("tenant", "00000000-0000-0000-0000-000000000000", None, None),
    ]


async def test_a_job_that_waits_through_a_pause_keeps_its_attempts(opened: Open, floor: Floor) -> None:
    @job("flaky", retry=RetryPolicy(max_attempts=3))
    async def flaky(ctx: JobContext, data: Data) -> int:
        await floor.hold(ctx.attempt)
        if ctx.attempt < 3:
            raise RuntimeError("not yet")
        return ctx.attempt

    app = await opened(flaky)
    handle = await app.enqueue(flaky, Data(n=0), tenant=A)
    await until(lambda: floor.running == [1])
    await app.pause(handler="flaky")
    floor.let_go(1)

    async def held() -> bool:
        return (await handle.status()).status is JobState.PENDING

    await until(held)
    await app.resume(handler="flaky")
    floor.let_go(2, 3)
    assert await handle.result(timeout=PATIENCE) == 3


@pytest.mark.parametrize("what", [{}, {"queue": "a", "handler": "b"}])
async def test_exactly_one_thing_is_paused_at_a_time(app: JobApp, what: dict[str, str]) -> None:
    with pytest.raises(InputError, match="Name one of queue=, handler= and tenant="):
        await app.pause(**what)
