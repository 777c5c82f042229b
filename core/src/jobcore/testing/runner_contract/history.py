"""What holds for all jobs together."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

from jobcore.errors import NonRetryableError
from jobcore.execution import Cancel, Snooze
from jobcore.models import Claim, JobFilter, Outcome, Settlement
from jobcore.ports.context import JobContext
from jobcore.ports.observer import Observer
from jobcore.states import JobState, is_legal
from jobcore.testing.runner_contract.harness import RunnerHarness
from jobcore.testing.runner_contract.site import Anything, Handle, Site, Stumble, handler, working

ENDS = {Outcome.COMPLETED, Outcome.FAILED, Outcome.CANCELLED}
KINDS = ("plain", "stumbles", "fails", "refuses", "snoozes", "gives up")


class Historian(Observer):
    """Counts starts and ends by job."""

    def __init__(self) -> None:
        self.starts: Counter[object] = Counter()
        self.ends: Counter[object] = Counter()

    def job_started(self, claim: Claim) -> None:
        self.starts[claim.job_id] += 1

    def job_settled(self, settlement: Settlement, applied: bool) -> None:
        if applied and settlement.outcome in ENDS:
            self.ends[settlement.claim.job_id] += 1


@handler()
async def various(ctx: JobContext, data: Anything) -> str:
    """Do as the payload says."""
    match data["kind"]:
        case "stumbles" if ctx.attempt < 3:
            raise Stumble
        case "fails":
            raise Stumble
        case "refuses":
            raise NonRetryableError("no")
        case "snoozes" if await ctx.once("slept"):
            raise Snooze(timedelta(milliseconds=20))
        case "gives up":
            raise Cancel("not needed")
        case _:
            return data["kind"]


async def _mixed_load(site: Site, count: int) -> list[Handle]:
    payloads = [{"kind": KINDS[number % len(KINDS)]} for number in range(count)]
    return list(await site.app.enqueue_many(various, payloads, tenant=site.tenant))


async def _all_terminal(site: Site, count: int) -> bool:
    records = await site.app.find_jobs(site.tenant, JobFilter(limit=1000))
    return sum(record.status.is_terminal for record in records) == count


async def test_every_accepted_job_ends_once_and_as_it_should(harness: RunnerHarness) -> None:
    historian = Historian()
    async with working(harness, various, observers=[historian], concurrency=5) as site:
        jobs = await _mixed_load(site, 60)
        await site.until(lambda: _all_terminal(site, 60), "all jobs have ended")
        await site.until(lambda: sum(historian.ends.values()) >= 60, "all ends were told")
        found = {record.job_id: record for record in await site.app.find_jobs(site.tenant, JobFilter(limit=1000))}
    wanted = [JobState.COMPLETED, JobState.COMPLETED, JobState.FAILED, JobState.FAILED, JobState.COMPLETED]
    wanted.append(JobState.CANCELLED)
    assert [found[job.job_id].status for job in jobs] == wanted * 10
    assert set(historian.ends.values()) == {1}
    assert set(historian.ends) == set(historian.starts) == {job.job_id for job in jobs}


async def test_a_job_starts_no_oftener_than_its_attempts_allow(harness: RunnerHarness) -> None:
    historian = Historian()
    async with working(harness, various, observers=[historian]) as site:
        jobs = await _mixed_load(site, 30)
        await site.until(lambda: _all_terminal(site, 30), "all jobs have ended")
    starts = {"plain": 1, "stumbles": 3, "fails": 3, "refuses": 1, "snoozes": 2, "gives up": 1}
    assert [historian.starts[job.job_id] for job in jobs] == [starts[kind] for kind in KINDS] * 5


async def test_an_ended_job_holds_neither_lease_nor_time(harness: RunnerHarness) -> None:
    async with working(harness, various) as site:
        await _mixed_load(site, 12)
        await site.until(lambda: _all_terminal(site, 12), "all jobs have ended")
        for record in await site.app.find_jobs(site.tenant):
            assert record.completed_at is not None
            assert record.started_at is not None
            assert record.completed_at >= record.started_at
            assert record.rescues == 0
        assert (await site.app.queue_sizes([various.queue]))[various.queue] == 0


async def test_only_legal_moves_are_seen(harness: RunnerHarness) -> None:
    seen: dict[object, list[JobState]] = {}

    async with working(harness, various, concurrency=3) as site:
        jobs = await _mixed_load(site, 24)

        async def watch() -> None:
            while True:
                for record in await site.app.find_jobs(site.tenant, JobFilter(limit=100)):
                    states = seen.setdefault(record.job_id, [])
                    if not states or states[-1] is not record.status:
                        states.append(record.status)
                await asyncio.sleep(0.002)

        watching = asyncio.create_task(watch())
        await site.until(lambda: _all_terminal(site, 24), "all jobs have ended")
        watching.cancel()
        await asyncio.wait([watching])
    assert set(seen) == {job.job_id for job in jobs}
    for states in seen.values():
        for index, state in enumerate(states[:-1]):
            assert _reachable(state, states[index + 1]), states


def _reachable(state: JobState, target: JobState) -> bool:
    """Return whether legal moves lead from one state to the other: a look may miss those in between."""
    reached = {state}
    while True:
        further = {there for there in JobState if any(is_legal(here, there) for here in reached)} | reached
        further -= {there for there in further if there.is_terminal and there is not target}
        if target in further:
            return True
        if further == reached:
            return False
        reached = further
