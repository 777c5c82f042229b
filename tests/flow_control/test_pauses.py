"""A paused queue, handler or tenant takes jobs in and begins none."""

from __future__ import annotations

from uuid import uuid4

import pytest

from flow_control.conftest import PATIENCE, Floor, Open, until
from jobcore import JobApp, JobContext, JobData, JobState, job
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


async def test_pauses_are_listed_with_who_and_why(app: JobApp) -> None:
    await app.pause(queue="shared", reason="a migration", paused_by="ada")
    await app.pause(tenant="system")
    shown = [(pause.kind.value, pause.name, pause.reason, pause.paused_by) for pause in await app.pauses()]
    assert shown == [
        ("queue", "shared", "a migration", "ada"),
        ("tenant", "00000000-0000-0000-0000-000000000000", None, None),
    ]


@pytest.mark.parametrize("what", [{}, {"queue": "a", "handler": "b"}])
async def test_exactly_one_thing_is_paused_at_a_time(app: JobApp, what: dict[str, str]) -> None:
    with pytest.raises(InputError, match="Name one of queue=, handler= and tenant="):
        await app.pause(**what)
