"""Jobs that run after others."""

from __future__ import annotations

from uuid import uuid4

import pytest

from jobcore.app.flows import Flow, FlowCycleError
from jobcore.errors import InputError, NonRetryableError
from jobcore.ports.context import JobContext
from jobcore.states import JobState
from jobcore.testing.runner_contract.behaviour import needs
from jobcore.testing.runner_contract.harness import RunnerHarness
from jobcore.testing.runner_contract.limiting import Doors, pending, waiting_at
from jobcore.testing.runner_contract.site import Anything, Handler, handler, opened, working


def failing_once() -> Handler:
    """Return a handler whose job fails for good, unless an operator had it tried again."""

    @handler()
    async def fails(ctx: JobContext, data: Anything) -> None:
        if data.get("fails") and ctx.attempt == 1:
            raise NonRetryableError("no")

    return fails


@needs("flow_control")
async def test_a_job_begins_when_all_its_parents_have_completed(harness: RunnerHarness) -> None:
    doors = Doors()
    waits = waiting_at(doors)
    async with working(harness, waits) as site:
        parents = [await site.enqueue(waits, {"n": n}) for n in (0, 1)]
        child = await site.enqueue(waits, {"n": 2}, after=parents)
        grandchild = await site.enqueue(waits, {"n": 3}, after=[child.job_id])
        doors.open(0, 2, 3)
        await site.ended(parents[0])
        assert await pending(site, child, grandchild)
        doors.open(1)
        await site.all_ended([parents[1], child, grandchild])
        assert [run.job_id for run in site.runs][2:] == [child.job_id, grandchild.job_id]


@needs("flow_control")
async def test_a_parent_that_has_ended_holds_nobody_up(harness: RunnerHarness) -> None:
    plain = failing_once()
    async with working(harness, plain) as site:
        parent = await site.enqueue(plain)
        await site.ended(parent)
        await site.ended(await site.enqueue(plain, after=[parent]))


@needs("flow_control")
async def test_after_a_parents_failure_its_descendants_are_cancelled_with_the_reason(harness: RunnerHarness) -> None:
    plain = failing_once()
    async with working(harness, plain) as site:
        parent = await site.enqueue(plain, {"fails": True})
        child = await site.enqueue(plain, after=[parent])
        grandchild = await site.enqueue(plain, after=[child])
        await site.ended(grandchild, JobState.CANCELLED)
        record = await site.ended(child, JobState.CANCELLED)
        assert record.error is not None
        assert record.error["reason"] == f"job {parent.job_id}, after which it was to run, has failed"
        assert site.runs_of(child, grandchild) == []


@needs("flow_control")
async def test_a_job_that_runs_in_any_case_runs_after_a_failure_too(harness: RunnerHarness) -> None:
    plain = failing_once()
    async with working(harness, plain) as site:
        parent = await site.enqueue(plain, {"fails": True})
        await site.ended(await site.enqueue(plain, after=[parent], on_parent_failure="run"))
        await site.ended(parent, JobState.FAILED)


@needs("flow_control")
async def test_a_job_can_wait_until_an_operators_retry_lets_its_parent_complete(harness: RunnerHarness) -> None:
    plain = failing_once()
    async with working(harness, plain) as site:
        parent = await site.enqueue(plain, {"fails": True})
        child = await site.enqueue(plain, after=[parent], on_parent_failure="wait")
        await site.ended(parent, JobState.FAILED)
        await site.ended(await site.enqueue(plain))
        assert await pending(site, child)
        assert await site.app.retry(parent.tenant, parent.job_id)
        await site.all_ended([parent, child])


@needs("flow_control")
async def test_a_cancelled_parent_cancels_its_child(harness: RunnerHarness) -> None:
    doors = Doors()
    waits = waiting_at(doors)
    async with working(harness, waits) as site:
        parent = await site.enqueue(waits, {"n": 0})
        child = await site.enqueue(waits, {"n": 1}, after=[parent])
        assert await parent.cancel()
        await site.ended(child, JobState.CANCELLED)


@needs("flow_control")
async def test_a_cancelled_child_leaves_its_parent_alone(harness: RunnerHarness) -> None:
    doors = Doors()
    waits = waiting_at(doors)
    async with working(harness, waits) as site:
        parent = await site.enqueue(waits, {"n": 0})
        child = await site.enqueue(waits, {"n": 1}, after=[parent])
        assert await child.cancel()
        doors.open(0)
        await site.ended(parent)
        assert site.runs_of(child) == []


@needs("flow_control", "delayed")
async def test_a_delay_counts_beside_the_parents(harness: RunnerHarness) -> None:
    plain = failing_once()
    async with working(harness, plain) as site:
        parent = await site.enqueue(plain)
        child = await site.enqueue(plain, after=[parent], delay=0.5)
        await site.ended(parent)
        other = await site.enqueue(plain)
        await site.all_ended([other, child])
        assert [run.job_id for run in site.runs] == [parent.job_id, other.job_id, child.job_id]


@needs("flow_control")
async def test_a_parent_that_the_tenant_does_not_have_is_refused(harness: RunnerHarness) -> None:
    plain = failing_once()
    async with opened(harness, plain) as site:
        stranger = await site.enqueue(plain, tenant=uuid4())
        for parent in (stranger, uuid4()):
            with pytest.raises(InputError, match="its tenant has no such job"):
                await site.enqueue(plain, after=[parent])
        assert await site.app.find_jobs(site.tenant) == []


@needs("flow_control")
async def test_a_flow_runs_from_its_top_to_its_bottom(harness: RunnerHarness) -> None:
    plain = failing_once()
    async with working(harness, plain) as site:
        flow = Flow()
        top = flow.add(plain, {})
        sides = [flow.add(plain, {}, after=[top]) for _ in range(2)]
        bottom = flow.add(plain, {}, after=sides)
        await site.all_ended(await site.app.enqueue_flow(flow, tenant=site.tenant))
        order = [run.job_id for run in site.runs]
        assert (order[0], order[-1]) == (top.job_id, bottom.job_id)


@needs("flow_control")
async def test_of_a_flow_with_one_wrong_job_nothing_is_stored(harness: RunnerHarness) -> None:
    plain = failing_once()
    async with opened(harness, plain) as site:
        flow = Flow()
        flow.chain((plain, {}), (plain, {}))
        flow.add(plain, {}, after=[uuid4()])
        with pytest.raises(InputError, match="its tenant has no such job"):
            await site.app.enqueue_flow(flow, tenant=site.tenant)
        assert await site.app.find_jobs(site.tenant) == []


@needs("flow_control")
async def test_a_flow_that_goes_in_a_circle_is_refused(harness: RunnerHarness) -> None:
    plain = failing_once()
    async with opened(harness, plain) as site:
        one, two = uuid4(), uuid4()
        flow = Flow()
        flow.add(plain, {}, job_id=one, after=[two])
        flow.add(plain, {}, job_id=two, after=[one])
        with pytest.raises(FlowCycleError, match="in a circle"):
            await site.app.enqueue_flow(flow, tenant=site.tenant)
        assert await site.app.find_jobs(site.tenant) == []


@needs("flow_control", "transactional_enqueue")
async def test_a_flow_commits_with_the_callers_transaction_or_not_at_all(harness: RunnerHarness) -> None:
    plain = failing_once()
    async with working(harness, plain) as site:
        flow = Flow()
        flow.chain((plain, {}), (plain, {}))
        async with site.rolled_back() as connection:
            await site.app.enqueue_flow(flow, tenant=site.tenant, connection=connection)
        assert await site.app.find_jobs(site.tenant) == []
        async with harness.transaction(site.app) as connection:
            jobs = await site.app.enqueue_flow(flow, tenant=site.tenant, connection=connection)
        await site.all_ended(jobs)


@needs("flow_control")
async def test_the_jobs_of_a_flow_are_found_from_each_of_them(harness: RunnerHarness) -> None:
    plain = failing_once()
    async with working(harness, plain) as site:
        flow = Flow()
        top, middle = flow.add(plain, {}), flow.add(plain, {})
        bottom = flow.add(plain, {}, after=[top, middle])
        await site.all_ended(await site.app.enqueue_flow(flow, tenant=site.tenant))
        stranger = await site.enqueue(plain)
        for added in flow.jobs:
            relatives = await site.app.relatives(site.tenant, added.job_id)
            assert relatives[0].job.job_id == added.job_id
            assert {relative.job.job_id: set(relative.after) for relative in relatives} == {
                top.job_id: set(),
                middle.job_id: set(),
                bottom.job_id: {top.job_id, middle.job_id},
            }
        assert len(await site.app.relatives(site.tenant, stranger.job_id)) == 1
