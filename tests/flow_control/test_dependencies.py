"""Jobs that run after others have ended."""

from __future__ import annotations

from uuid import uuid4

import pytest

from flow_control.conftest import PATIENCE, Floor, Open, until
from jobcore import JobApp, JobContext, JobData, JobState, NonRetryableError, job
from jobcore.errors import InputError

A, B = uuid4(), uuid4()


class Data(JobData):
    n: int
    fail: bool = False


@pytest.fixture
async def app(opened: Open, floor: Floor) -> JobApp:
    @job("step")
    async def step(ctx: JobContext, data: Data) -> int:
        await floor.hold(data.n)
        if data.fail and ctx.attempt == 1:
            raise NonRetryableError("it broke")
        return data.n

    return await opened(step)


async def test_a_job_begins_when_all_its_parents_have_completed(app: JobApp, floor: Floor) -> None:
    one = await app.enqueue("step", Data(n=1), tenant=A)
    two = await app.enqueue("step", Data(n=2), tenant=A)
    child = await app.enqueue("step", Data(n=3), tenant=A, after=[one, two.job_id])
    grandchild = await app.enqueue("step", Data(n=4), tenant=A, after=[str(child.job_id)])
    floor.let_go(1, 3, 4)
    await one.result(timeout=PATIENCE)
    assert (await child.status()).status is JobState.PENDING

    floor.let_go(2)
    assert await grandchild.result(timeout=PATIENCE) == 4
    assert floor.began[2:] == [3, 4]


async def test_a_parent_that_has_ended_already_holds_nobody_up(app: JobApp, floor: Floor) -> None:
    floor.let_go(1, 2)
    one = await app.enqueue("step", Data(n=1), tenant=A)
    await one.result(timeout=PATIENCE)
    child = await app.enqueue("step", Data(n=2), tenant=A, after=[one])
    assert await child.result(timeout=PATIENCE) == 2


async def test_after_a_parents_failure_its_descendants_are_cancelled_with_the_reason(app: JobApp, floor: Floor) -> None:
    floor.let_go(1, 2, 3)
    one = await app.enqueue("step", Data(n=1, fail=True), tenant=A)
    child = await app.enqueue("step", Data(n=2), tenant=A, after=[one])
    grandchild = await app.enqueue("step", Data(n=3), tenant=A, after=[child])

    async def all_ended() -> bool:
        return (await grandchild.status()).status is JobState.CANCELLED

    await until(all_ended)
    status = await child.status()
    assert status.status is JobState.CANCELLED
    assert status.error == f"job {one.job_id}, after which it was to run, has failed"
    assert floor.began == [1]


async def test_a_job_that_runs_in_any_case_runs_after_a_failure_too(app: JobApp, floor: Floor) -> None:
    floor.let_go(1, 2)
    one = await app.enqueue("step", Data(n=1, fail=True), tenant=A)
    child = await app.enqueue("step", Data(n=2), tenant=A, after=[one], on_parent_failure="run")
    assert await child.result(timeout=PATIENCE) == 2


async def test_a_job_can_wait_until_an_operator_has_retried_its_parent(app: JobApp, floor: Floor) -> None:
    floor.let_go(1, 2)
    one = await app.enqueue("step", Data(n=1, fail=True), tenant=A)
    child = await app.enqueue("step", Data(n=2), tenant=A, after=[one], on_parent_failure="wait")

    async def failed() -> bool:
        return (await one.status()).status is JobState.FAILED

    await until(failed)
    assert (await child.status()).status is JobState.PENDING
    assert await app.retry(A, one.job_id)
    assert await child.result(timeout=PATIENCE) == 2


async def test_a_cancelled_parent_cancels_its_child(app: JobApp, floor: Floor) -> None:
    one = await app.enqueue("step", Data(n=1), tenant=A)
    child = await app.enqueue("step", Data(n=2), tenant=A, after=[one])
    await one.cancel("not needed")

    async def cancelled() -> bool:
        return (await child.status()).status is JobState.CANCELLED

    await until(cancelled)
    assert "was cancelled" in ((await child.status()).error or "")


async def test_a_cancelled_child_lets_go_of_its_parents(app: JobApp, floor: Floor) -> None:
    one = await app.enqueue("step", Data(n=1), tenant=A)
    child = await app.enqueue("step", Data(n=2), tenant=A, after=[one])
    assert await child.cancel()
    floor.let_go(1)
    assert await one.result(timeout=PATIENCE) == 1
    assert (await child.status()).status is JobState.CANCELLED


async def test_a_delay_counts_beside_the_parents(app: JobApp, floor: Floor) -> None:
    floor.let_go(1, 2, 3)
    one = await app.enqueue("step", Data(n=1), tenant=A)
    child = await app.enqueue("step", Data(n=2), tenant=A, after=[one], delay=0.5)
    await one.result(timeout=PATIENCE)
    other = await app.enqueue("step", Data(n=3), tenant=A)
    await other.result(timeout=PATIENCE)
    assert floor.began == [1, 3]
    await child.result(timeout=PATIENCE)


@pytest.mark.parametrize("tenant", [A, B])
async def test_a_parent_that_the_tenant_does_not_have_is_refused_and_nothing_is_stored(
    app: JobApp, tenant: object
) -> None:
    stranger = await app.enqueue("step", Data(n=1), tenant=B) if tenant == A else uuid4()
    with pytest.raises(InputError, match="'step' is to run after job .*, and its tenant has no such job"):
        await app.enqueue("step", Data(n=2), tenant=A, after=[stranger])
    assert await app.find_jobs(A) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"after": "x"}, "after takes a list of jobs"),
        ({"after": ["x"]}, "after must be a UUID"),
        ({"after": [None]}, "None is none"),
        ({"on_parent_failure": "run"}, "there is none"),
        ({"after": [uuid4()], "on_parent_failure": "ignore"}, "'cancel', 'run' or 'wait', not 'ignore'"),
    ],
)
async def test_options_that_cannot_be_meant_are_refused(app: JobApp, options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        await app.enqueue("step", Data(n=1), tenant=A, **options)  # pyright: ignore[reportArgumentType]
