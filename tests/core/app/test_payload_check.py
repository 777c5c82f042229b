"""Looking at the waiting payloads without running anything."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import orjson
import pytest
from pydantic import field_validator

from jobcore import JobContext, JobData, JobState, job
from jobcore.app import payload_check
from jobcore.app.payload_check import check_payloads
from jobcore.testing import memory_app

TENANT = uuid4()


class Amount(JobData):
    amount: int

    @field_validator("amount")
    @classmethod
    def check(cls, amount: int) -> int:
        if amount == 13:
            raise SystemExit("password=hunter2")
        return amount


@job("pay")
async def pay(ctx: JobContext, data: Amount) -> None: ...


async def test_it_tells_how_far_it_is_and_holds_one_page_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload_check, "PAGE", 2)
    async with memory_app(handlers=[pay]) as app:
        await app.enqueue_many(pay, [Amount(amount=n) for n in range(5)], tenant=TENANT)
        told: list[int] = []
        found = await check_payloads(app, told.append)
        assert told == [2, 4, 5]
        assert (found.handlers, found.jobs, found.failed) == (1, 5, False)
        assert (await app.metrics()).by_state[JobState.QUEUED] == 5


async def test_each_kind_of_failure_is_told_once_with_its_count_and_no_secret() -> None:
    async with memory_app(handlers=[pay]) as app:
        for payload in ({"amount": "many"}, {"amount": 13}, {"amount": 13}, {}, {"payloadVersion": "x", "amount": 1}):
            await app.store.create_job(_stored(app, payload))
        found = await check_payloads(app)
        assert sorted((one.version or 0, one.count) for one in found.failures) == [(0, 1), (1, 2), (1, 2)]
        assert found.failed
        assert "hunter2" not in str(found.failures)


async def test_what_others_run_is_not_looked_at() -> None:
    async with memory_app(handlers=[pay]) as app:
        await app.enqueue("elsewhere", {"amount": "many"}, tenant=TENANT, remote=True)
        found = await check_payloads(app)
        assert (found.jobs, found.failed) == (0, False)


def _stored(app: Any, payload: dict[str, Any]) -> Any:
    """Return the plan of a job whose payload this build would refuse."""
    plan = app.planner.plan(pay, Amount(amount=1), {"tenant": TENANT})
    return replace(plan, payload=orjson.dumps(payload))
