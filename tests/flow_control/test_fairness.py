"""The tenants whose jobs wait share the workers."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from flow_control.conftest import PATIENCE, Open
from jobcore import FairShare, JobContext, JobData, job
from jobcore.policies.limits import InvalidLimitError

A, B = uuid4(), uuid4()


class Data(JobData):
    n: int


async def test_a_tenants_few_jobs_do_not_wait_behind_the_crowd_of_another(opened: Open, runner_type: str) -> None:
    crowd = 2_000 if runner_type == "memory" else 5_000
    order: list[UUID] = []

    @job("work", limits=[FairShare()])
    async def work(ctx: JobContext, data: Data) -> None:
        order.append(ctx.tenant_id)

    app = await opened(work, workers=0)
    await app.enqueue_many(work, [Data(n=n) for n in range(crowd)], tenant=A)
    few = await app.enqueue_many(work, [Data(n=n) for n in range(20)], tenant=B)
    worker = app.worker(concurrency=10)
    await worker.start()
    for handle in few:
        await handle.result(timeout=PATIENCE)
    await worker.stop()

    last = max(position for position, tenant in enumerate(order) if tenant == B)
    assert last < 40 + 15, f"the last of B's twenty was the {last}th to run"


@pytest.mark.parametrize("weight", [0, -1, float("inf")])
def test_a_weight_that_cannot_be_meant_is_refused(weight: float) -> None:
    with pytest.raises(InvalidLimitError, match="a weight must be a number above 0"):
        FairShare(weights={A: weight})
