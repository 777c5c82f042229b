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


async def test_an_operators_retry_of_one_that_waited_waits_for_nobody(app: JobApp, floor: Floor) -> None:
    floor.let_go(1, 2)
    one = await app.enqueue("step", Data(n=1, fail=True), tenant=A)
    child = await app.enqueue("step", Data(n=2), tenant=A, after=[one])

    async def cancelled() -> bool:
        return (await child.status()).status is JobState.CANCELLED

    await until(cancelled)
    assert await app.retry(A, child.job_id)
    assert await child.result(timeout=PATIENCE) == 2
