"""So many jobs a second, by a token bucket that all workers share."""

from __future__ import annotations

import time
from datetime import timedelta
from uuid import uuid4

import pytest

from flow_control.conftest import PATIENCE, Open
from jobcore import JobContext, JobData, RateLimit, job
from jobcore.policies.limits import InvalidLimitError

A, B = uuid4(), uuid4()


class Data(JobData):
    n: int
    host: str = ""


async def test_jobs_begin_at_their_rate_after_a_burst(opened: Open) -> None:
    began: list[float] = []

    @job("call", limits=[RateLimit(10, every=timedelta(seconds=1), burst=5)])
    async def call(ctx: JobContext, data: Data) -> None:
        began.append(time.monotonic())

    app = await opened(call, workers=2)
    handles = await app.enqueue_many(call, [Data(n=n) for n in range(15)], tenant=A)
    for handle in handles:
        await handle.result(timeout=PATIENCE)

    # Five at once, and then one each tenth of a second: never more than burst + rate x time since the first.
    for position, instant in enumerate(began):
        assert position + 1 <= 5 + 10 * (instant - began[0]) + 1.5
    assert began[-1] - began[0] >= 0.9


@pytest.mark.parametrize("wrong", [{"jobs": 0}, {"jobs": float("nan")}, {"jobs": 1, "burst": 0}])
def test_a_rate_that_cannot_be_meant_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidLimitError, match="RateLimit"):
        RateLimit(**wrong)  # pyright: ignore[reportArgumentType]


def test_a_time_that_cannot_be_meant_is_refused() -> None:
    with pytest.raises(InvalidLimitError, match="every must be"):
        RateLimit(1, every=timedelta())
