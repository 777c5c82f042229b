"""At most so many jobs at once: of a handler, of a tenant, of a key."""

from __future__ import annotations

from uuid import uuid4

import pytest

from flow_control.conftest import Floor, Open, until
from jobcore import Concurrency, JobContext, JobData, job
from jobcore.errors import InputError, InvalidHandlerError
from jobcore.policies.limits import InvalidLimitError

A, B = uuid4(), uuid4()


class Data(JobData):
    n: int
    account: str = ""


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


@pytest.mark.parametrize("limit", [0, -1, 10_001, True, 1.5])
def test_a_limit_that_cannot_be_meant_is_refused(limit: int) -> None:
    with pytest.raises(InvalidLimitError, match="whole number from 1 to 10,000"):
        Concurrency(limit)


def test_what_is_no_limit_is_refused_where_the_handler_is_defined() -> None:
    with pytest.raises(InvalidHandlerError, match="a limit is a Concurrency, a RateLimit or a FairShare, not 3"):

        @job("work", limits=[3])  # pyright: ignore[reportArgumentType]
        async def work(ctx: JobContext, data: Data) -> None: ...


async def test_a_tier_where_there_are_none_is_refused(opened: Open) -> None:
    @job("work", limits=[Concurrency(1)])
    async def work(ctx: JobContext, data: Data) -> None: ...

    app = await opened(work, workers=0)
    with pytest.raises(InputError, match="'work' has no tiers: tier='pro' would change nothing"):
        await app.enqueue(work, Data(n=0), tenant=A, tier="pro")
