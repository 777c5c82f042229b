"""Limits and shares."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from jobcore.errors import InputError
from jobcore.execution import Retry, Snooze
from jobcore.policies.limits import Concurrency, FairShare, RateLimit
from jobcore.ports.context import JobContext
from jobcore.states import JobState
from jobcore.testing.runner_contract.behaviour import needs
from jobcore.testing.runner_contract.harness import RunnerHarness
from jobcore.testing.runner_contract.site import Anything, Handle, Handler, Site, handler, opened, working

LATE_TOKEN = 1.5
"""Jobs by which a machine's clocks may differ about a rate."""


class Doors:
    """Handlers wait here until the test opens their door."""

    def __init__(self) -> None:
        self.inside: list[int] = []
        self.most = 0
        self._doors: dict[int, asyncio.Event] = {}

    async def wait(self, number: int) -> None:
        self.inside.append(number)
        self.most = max(self.most, len(self.inside))
        try:
            await self._doors.setdefault(number, asyncio.Event()).wait()
        finally:
            self.inside.remove(number)

    def open(self, *numbers: int) -> None:
        for number in numbers:
            self._doors.setdefault(number, asyncio.Event()).set()


def waiting_at(doors: Doors, **options: object) -> Handler:
    """Return a handler that waits at the door of its payload's `n`."""

    @handler(**options)
    async def waits(ctx: JobContext, data: Anything) -> None:
        await doors.wait(data["n"])

    return waits


async def pending(site: Site, *jobs: Handle) -> bool:
    return all([(await site.record(job)).status is JobState.PENDING for job in jobs])


@needs("flow_control")
async def test_no_more_jobs_run_at_once_than_their_limit(harness: RunnerHarness) -> None:
    @handler(limits=[Concurrency(2)])
    async def limited(ctx: JobContext, data: Anything) -> None:
        await asyncio.sleep(0.02)

    async with working(harness, limited) as site:
        jobs = [await site.enqueue(limited) for _ in range(12)]
        await site.all_ended(jobs)
        moments = sorted([(run.began, 1) for run in site.runs] + [(run.ended or 0.0, -1) for run in site.runs])
        inside = most = 0
        for _, step in moments:
            inside += step
            most = max(most, inside)
        assert most <= 2
        assert len(site.runs) == 12


@needs("flow_control")
async def test_a_job_beyond_the_limit_is_pending_until_a_place_is_free(harness: RunnerHarness) -> None:
    doors = Doors()
    limited = waiting_at(doors, limits=[Concurrency(1)])
    async with working(harness, limited) as site:
        first = await site.enqueue(limited, {"n": 1})
        await site.started(first)
        second = await site.enqueue(limited, {"n": 2})
        assert await pending(site, second)
        doors.open(1, 2)
        await site.all_ended([first, second])
        assert doors.most == 1


@needs("flow_control", "priority")
async def test_waiting_jobs_get_places_by_priority_and_then_by_age(harness: RunnerHarness) -> None:
    doors = Doors()
    limited = waiting_at(doors, limits=[Concurrency(1)])
    async with working(harness, limited) as site:
        first = await site.enqueue(limited, {"n": 0})
        await site.started(first)
        later = [await site.enqueue(limited, {"n": n}, priority=int(n == 3)) for n in (1, 2, 3)]
        doors.open(0, 1, 2, 3)
        await site.all_ended([first, *later])
        order = [run.job_id for run in site.runs]
        assert order == [first.job_id, later[2].job_id, later[0].job_id, later[1].job_id]


@needs("flow_control")
async def test_a_limit_per_tenant_counts_each_tenant_apart(harness: RunnerHarness) -> None:
    doors = Doors()
    limited = waiting_at(doors, limits=[Concurrency(1, per="tenant")])
    async with working(harness, limited) as site:
        own = [await site.enqueue(limited, {"n": n}) for n in (0, 1)]
        other = await site.enqueue(limited, {"n": 2}, tenant=uuid4())
        await site.until(lambda: sorted(doors.inside) == [0, 2], "one of each tenant runs")
        assert await pending(site, own[1])
        doors.open(0, 1, 2)
        await site.all_ended([*own, other])


@needs("flow_control")
async def test_a_limit_by_key_counts_each_value_of_a_tenant_apart(harness: RunnerHarness) -> None:
    doors = Doors()
    limited = waiting_at(doors, limits=[Concurrency(1, key="account.id")])
    async with working(harness, limited) as site:
        plans = [("x", 0, site.tenant), ("x", 1, site.tenant), ("y", 2, site.tenant), ("x", 3, uuid4())]
        jobs = [
            await site.enqueue(limited, {"n": n, "account": {"id": key}}, tenant=tenant) for key, n, tenant in plans
        ]
        await site.until(lambda: sorted(doors.inside) == [0, 2, 3], "one of each key of each tenant runs")
        assert await pending(site, jobs[1])
        doors.open(0, 1, 2, 3)
        await site.all_ended(jobs)


@needs("flow_control")
async def test_a_tier_has_a_limit_of_its_own(harness: RunnerHarness) -> None:
    doors = Doors()
    limited = waiting_at(doors, limits=[Concurrency(1, tiers={"pro": 3})])
    async with working(harness, limited) as site:
        jobs = [await site.enqueue(limited, {"n": n}, tier="pro") for n in range(4)]
        await site.until(lambda: len(doors.inside) == 3, "three run at once")
        assert await pending(site, jobs[3])
        doors.open(0, 1, 2, 3)
        await site.all_ended(jobs)


@needs("flow_control")
async def test_handlers_of_one_scope_are_counted_together(harness: RunnerHarness) -> None:
    doors, scope = Doors(), f"scope-{uuid4().hex}"
    one = waiting_at(doors, limits=[Concurrency(1, scope=scope)])
    other = waiting_at(doors, limits=[Concurrency(1, scope=scope)])
    apart = waiting_at(doors, limits=[Concurrency(1)])
    async with working(harness, one, other, apart) as site:
        first = await site.enqueue(one, {"n": 0})
        await site.started(first)
        second = await site.enqueue(other, {"n": 1})
        doors.open(2)
        await site.ended(await site.enqueue(apart, {"n": 2}))
        assert await pending(site, second)
        doors.open(0, 1)
        await site.all_ended([first, second])


@needs("flow_control")
async def test_a_job_that_is_put_off_lets_others_have_its_place(harness: RunnerHarness) -> None:
    order: list[tuple[int, int]] = []

    @handler(limits=[Concurrency(1)])
    async def limited(ctx: JobContext, data: Anything) -> None:
        order.append((data["n"], ctx.attempt))
        if order == [(0, 1)]:
            raise Snooze(timedelta(seconds=1))
        if order[-1] == (1, 1):
            raise Retry("again", after=timedelta(seconds=0.3))

    async with working(harness, limited) as site:
        jobs = [await site.enqueue(limited, {"n": n}) for n in range(3)]
        await site.all_ended(jobs)
    assert order == [(0, 1), (1, 1), (2, 1), (1, 2), (0, 1)]


@needs("flow_control")
async def test_a_cancelled_job_gives_its_place_up_and_one_that_waits_never_runs(harness: RunnerHarness) -> None:
    doors = Doors()
    limited = waiting_at(doors, limits=[Concurrency(1)])
    async with working(harness, limited) as site:
        running, waiting, last = [await site.enqueue(limited, {"n": n}) for n in range(3)]
        await site.started(running)
        assert await waiting.cancel("not needed")
        assert (await site.record(waiting)).status is JobState.CANCELLED
        assert await running.cancel()
        await site.started(last)
        doors.open(2)
        await site.ended(last)
        assert site.runs_of(waiting) == []


@needs("flow_control")
async def test_an_operators_retry_waits_for_a_place_again(harness: RunnerHarness) -> None:
    doors = Doors()
    limited = waiting_at(doors, limits=[Concurrency(1)])
    async with working(harness, limited) as site:
        running, waiting = [await site.enqueue(limited, {"n": n}) for n in range(2)]
        await site.started(running)
        assert await waiting.cancel()
        assert await site.app.retry(waiting.tenant, waiting.job_id)
        assert await pending(site, waiting)
        doors.open(0, 1)
        await site.all_ended([running, waiting])
        assert doors.most == 1


@needs("flow_control", "delayed")
async def test_a_delayed_job_takes_no_place_before_its_time(harness: RunnerHarness) -> None:
    @handler(limits=[Concurrency(1)])
    async def limited(ctx: JobContext, data: Anything) -> None: ...

    async with working(harness, limited) as site:
        later = await site.enqueue(limited, delay=0.5)
        now = await site.enqueue(limited)
        await site.all_ended([now, later])
        assert [run.job_id for run in site.runs] == [now.job_id, later.job_id]


@needs("flow_control")
async def test_a_payload_without_the_key_of_a_limit_is_refused(harness: RunnerHarness) -> None:
    @handler(limits=[Concurrency(1, key="account")])
    async def limited(ctx: JobContext, data: Anything) -> None: ...

    async with opened(harness, limited) as site:
        with pytest.raises(InputError, match="says nothing at 'account'"):
            await site.enqueue(limited, {"n": 1})
        assert await site.app.find_jobs(site.tenant) == []


@needs("flow_control")
async def test_jobs_begin_at_their_rate_after_a_burst(harness: RunnerHarness) -> None:
    @handler(limits=[RateLimit(10, every=timedelta(seconds=1), burst=3)])
    async def limited(ctx: JobContext, data: Anything) -> None: ...

    async with working(harness, limited) as site:
        jobs = [await site.enqueue(limited) for _ in range(9)]
        await site.all_ended(jobs)
        began = [run.began - site.runs[0].began for run in site.runs]
        assert all(position + 1 <= 3 + 10 * at + LATE_TOKEN for position, at in enumerate(began)), began
        assert began[-1] >= 0.4


@needs("flow_control")
async def test_a_rate_by_key_has_a_bucket_for_each_value(harness: RunnerHarness) -> None:
    @handler(limits=[RateLimit(1, every=timedelta(hours=1), key="host")])
    async def limited(ctx: JobContext, data: Anything) -> None: ...

    async with working(harness, limited) as site:
        await site.all_ended([await site.enqueue(limited, {"host": host}) for host in ("x", "y")])
        waiting = await site.enqueue(limited, {"host": "x"})
        await site.ended(await site.enqueue(limited, {"host": "z"}))
        assert await pending(site, waiting)
        assert await waiting.cancel()


@needs("flow_control")
async def test_a_tenants_few_jobs_do_not_wait_behind_the_crowd_of_another(harness: RunnerHarness) -> None:
    order: list[UUID] = []

    @handler(limits=[FairShare()])
    async def shared(ctx: JobContext, data: Anything) -> None:
        order.append(ctx.tenant_id)

    async with opened(harness, shared) as site:
        crowd = await site.app.enqueue_many(shared, [{"n": n} for n in range(500)], tenant=uuid4())
        few = [await site.enqueue(shared, {"n": n}) for n in range(20)]
        async with site.working(concurrency=10):
            await site.all_ended(few)
        last = max(position for position, tenant in enumerate(order) if tenant == site.tenant)
        assert last < 40 + 20, f"the last of twenty was the {last}th of {len(crowd) + 20} to run"


@needs("flow_control")
async def test_tenants_share_the_workers_by_their_weights(harness: RunnerHarness) -> None:
    order: list[UUID] = []
    heavy, light = uuid4(), uuid4()

    @handler(limits=[FairShare(weights={heavy: 3})])
    async def shared(ctx: JobContext, data: Anything) -> None:
        order.append(ctx.tenant_id)

    async with opened(harness, shared) as site:
        jobs = [
            job
            for tenant in (light, heavy)
            for job in await site.app.enqueue_many(shared, [{"n": n} for n in range(150)], tenant=tenant)
        ]
        async with site.working(concurrency=10):
            await site.all_ended(jobs)
    assert 55 <= Counter(order[:100])[heavy] <= 95
