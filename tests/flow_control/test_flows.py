"""Flows: whole graphs of jobs, enqueued as one."""

from __future__ import annotations

from uuid import uuid4

import pytest

from flow_control.conftest import PATIENCE, Floor, Open, until
from jobcore import Flow, JobApp, JobContext, JobData, JobState, NonRetryableError, job
from jobcore.cli.jobs.tree import tree_lines
from jobcore.errors import InputError, PayloadInvalidError

A, B = uuid4(), uuid4()


class Data(JobData):
    n: int
    fail: bool = False


@pytest.fixture
async def app(opened: Open, floor: Floor) -> JobApp:
    @job("step")
    async def step(ctx: JobContext, data: Data) -> int:
        async with floor.passing(data.n):
            if data.fail:
                raise NonRetryableError("it broke")
        return data.n

    @job("other")
    async def other(ctx: JobContext, data: Data) -> int:
        await ctx.enqueue("step", {"n": data.n + 100})
        return data.n

    return await opened(step, other)


async def test_a_chain_runs_one_after_the_other(app: JobApp, floor: Floor) -> None:
    flow = Flow()
    last = flow.chain(*(("step", Data(n=n)) for n in range(5)))
    handles = await app.enqueue_flow(flow, tenant=A)
    assert last.job_id == handles[-1].job_id
    await handles[-1].result(timeout=PATIENCE)
    assert floor.began == [0, 1, 2, 3, 4]


async def test_a_group_has_a_callback_when_all_are_done(app: JobApp, floor: Floor) -> None:
    flow = Flow()
    flow.group((("step", Data(n=n)) for n in range(20)), then=("step", Data(n=99)))
    handles = await app.enqueue_flow(flow, tenant=A)
    assert await handles[-1].result(timeout=PATIENCE) == 99
    assert set(floor.began[:20]) == set(range(20))


@pytest.mark.parametrize(("policy", "ended"), [("run", JobState.COMPLETED), ("cancel", JobState.CANCELLED)])
async def test_a_groups_callback_after_a_failure_does_as_it_is_told(app: JobApp, policy: str, ended: JobState) -> None:
    flow = Flow()
    members = (("step", Data(n=0, fail=True)), ("step", Data(n=1)))
    flow.group(members, then=("step", Data(n=2)), if_one_fails=policy)
    handles = await app.enqueue_flow(flow, tenant=A)

    async def has_ended() -> bool:
        return (await handles[-1].status()).status is ended

    await until(has_ended)


async def test_jobs_may_stand_in_any_order_and_wait_for_jobs_outside(app: JobApp, floor: Floor) -> None:
    before = await app.enqueue("step", Data(n=0), tenant=A)
    first, last = uuid4(), uuid4()
    flow = Flow()
    flow.add("step", Data(n=2), job_id=last, after=[first])
    flow.add("step", Data(n=1), job_id=first, after=[before])
    handles = await app.enqueue_flow(flow, tenant=A)
    assert [handle.job_id for handle in handles] == [last, first]
    await handles[0].result(timeout=PATIENCE)
    assert floor.began == [0, 1, 2]


async def test_of_a_flow_with_one_wrong_job_nothing_is_stored(app: JobApp) -> None:
    flow = Flow()
    top = flow.add("step", Data(n=0))
    flow.add("step", {"n": "no number"}, after=[top])
    with pytest.raises(PayloadInvalidError):
        await app.enqueue_flow(flow, tenant=A)
    unknown = Flow()
    unknown.add("step", Data(n=0))
    unknown.add("step", Data(n=1), after=[uuid4()])
    with pytest.raises(InputError, match="its tenant has no such job"):
        await app.enqueue_flow(unknown, tenant=A)
    assert await app.find_jobs(A) == []


async def test_relatives_are_the_whole_flow_and_what_its_jobs_enqueued(app: JobApp) -> None:
    flow = Flow()
    top = flow.add("other", Data(n=0))
    side = flow.add("step", Data(n=1), after=[top])
    flow.add("step", Data(n=2), after=[top, side])
    handles = await app.enqueue_flow(flow, tenant=A)
    for handle in handles:
        await handle.result(timeout=PATIENCE)
    stranger = await app.enqueue("step", Data(n=50), tenant=A)
    await stranger.result(timeout=PATIENCE)

    relatives = await app.relatives(A, side.job_id)
    found = {relative.job.job_id: set(relative.after) for relative in relatives}
    assert relatives[0].job.job_id == side.job_id
    [enqueued] = [relative.job for relative in relatives if relative.job.parent_job_id == top.job_id]
    assert found == {
        top.job_id: set(),
        side.job_id: {top.job_id},
        flow.jobs[2].job_id: {top.job_id, side.job_id},
        enqueued.job_id: set(),
    }
    lines = list(tree_lines(relatives))
    assert lines[0] == f"other {top.job_id} completed"
    assert f"├─ step {side.job_id} completed <- this one" in lines
    assert f"│  └─ step {flow.jobs[2].job_id} completed" in lines
    assert sum("(above)" in line for line in lines) == 1


@pytest.mark.parametrize("options", [{"dedupe_key": "k"}, {"connection": object()}])
def test_options_that_do_not_fit_a_flow_are_refused_at_once(options: dict[str, object]) -> None:
    with pytest.raises(InputError, match="A job of a flow takes no"):
        Flow().add("step", {"n": 1}, **options)  # pyright: ignore[reportArgumentType]


def test_an_empty_chain_and_an_empty_group_are_refused() -> None:
    with pytest.raises(InputError, match="at least one step"):
        Flow().chain()
    with pytest.raises(InputError, match="at least one member"):
        Flow().group([], then=("step", {}))
