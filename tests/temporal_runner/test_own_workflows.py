"""A handler may bring a workflow of its own: it is recorded in the same tables (X01, X02)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from contract.temporal_harness import TemporalHarness
from jobcore import JobContext, JobData, job
from jobcore.app import JobApp
from jobcore.errors import InputError, InvalidHandlerError
from jobcore.states import JobState
from jobcore.testing.runner_contract.waiting import eventually
from jobcore_devkit.temporal import TemporalServer
from jobcore_temporal.own_code import own_code

HERE = "temporal_runner.onboarding"
OWN = {
    "workflow": "Onboarding",
    "code": [f"{HERE}:Onboarding", f"{HERE}:make_account", f"{HERE}:send_welcome"],
}


class Newcomer(JobData):
    name: str
    waits: bool = False


@job("onboard", engines={"temporal": OWN})
async def onboard(ctx: JobContext, data: Newcomer) -> dict[str, str]:
    return {"account": f"account of {data.name}, without Temporal"}


@pytest.fixture
async def app(database_dsn: str, jobcore_temporal: TemporalServer) -> AsyncGenerator[JobApp]:
    async with TemporalHarness(database_dsn, jobcore_temporal.address).application(handlers=[onboard]) as app:
        worker = app.worker()
        await worker.start()
        yield app
        await worker.stop()


async def test_it_runs_instead_of_the_handler_and_its_activities_are_steps(app: JobApp) -> None:
    tenant = uuid4()
    handle = await app.enqueue(onboard, Newcomer(name="Ada"), tenant=tenant)
    assert await handle.result(timeout=20) == {"account": "account of Ada"}
    record = await app.get_job(tenant, handle.job_id)
    assert (record.status, record.attempt, record.external_id) == (
        JobState.COMPLETED,
        1,
        f"{handle.job_id}.0@{tenant}",
    )
    steps = [(detail.step_name.partition("#")[0], detail.status) for detail in await app.details(tenant, handle.job_id)]
    assert steps == [("make_account", "completed"), ("send_welcome", "completed")]


async def test_its_failure_fails_the_job_with_the_reason(app: JobApp) -> None:
    tenant = uuid4()
    handle = await app.enqueue(onboard, Newcomer(name="nobody"), tenant=tenant)
    record = await _ended(app, tenant, handle.job_id)
    assert record.status is JobState.FAILED
    details = await app.details(tenant, handle.job_id)
    assert ["there is no such address" in str(detail.metadata) for detail in details if detail.status == "failed"] == [
        True
    ] + [False] * (len([detail for detail in details if detail.status == "failed"]) - 1)


async def test_a_cancellation_reaches_it_with_its_reason(app: JobApp, jobcore_temporal: TemporalServer) -> None:
    tenant = uuid4()
    handle = await app.enqueue(onboard, Newcomer(name="Ada", waits=True), tenant=tenant)

    async def waits() -> bool:
        return len(await app.details(tenant, handle.job_id)) == 1

    await eventually(waits, "the account is made", 20)
    assert await app.cancel(tenant, handle.job_id, reason="changed her mind", cancelled_by="ada")
    record = await _ended(app, tenant, handle.job_id)
    assert record.status is JobState.CANCELLED
    assert record.error is not None
    assert (record.error["reason"], record.error["cancelled_by"]) == ("changed her mind", "ada")
    client = await Client.connect(jobcore_temporal.address)
    workflow = client.get_workflow_handle(f"{handle.job_id}.0@{tenant}")

    async def is_cancelled() -> bool:
        status = (await workflow.describe()).status
        return status is WorkflowExecutionStatus.CANCELED

    await eventually(is_cancelled, "the workflow is cancelled too", 20)


async def test_its_own_signals_reach_it(app: JobApp, jobcore_temporal: TemporalServer) -> None:
    tenant = uuid4()
    handle = await app.enqueue(onboard, Newcomer(name="Ada", waits=True), tenant=tenant)
    client = await Client.connect(jobcore_temporal.address)

    async def waits() -> bool:
        return len(await app.details(tenant, handle.job_id)) == 1

    await eventually(waits, "the account is made", 20)
    await client.get_workflow_handle(f"{handle.job_id}.0@{tenant}").signal("go_on")
    assert await handle.result(timeout=20) == {"account": "account of Ada"}


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ({"workflow": "Onboarding"}, "needs both"),
        ({"mode": "fast"}, "mode"),
        ({"mode": "activity", **OWN}, "cannot run in the mode"),
        ({"tempo": 1}, "tempo"),
    ],
    ids=["no-code", "unknown-mode", "both", "unknown-key"],
)
async def test_what_cannot_be_meant_is_refused_at_the_enqueue(
    database_dsn: str, jobcore_temporal: TemporalServer, told: dict[str, Any], problem: str
) -> None:
    @job("wrong", engines={"temporal": told})
    async def wrong(ctx: JobContext, data: Newcomer) -> None: ...

    async with TemporalHarness(database_dsn, jobcore_temporal.address).application(handlers=[wrong]) as app:
        with pytest.raises(InputError, match=problem):
            await app.enqueue(wrong, Newcomer(name="Ada"), tenant=uuid4())


@pytest.mark.parametrize("target", ["nowhere.at_all:Thing", f"{HERE}:ONCE"], ids=["missing", "neither"])
def test_code_that_cannot_be_used_stops_the_worker_with_the_reason(target: str) -> None:
    with pytest.raises(InvalidHandlerError, match="onboard"):
        own_code({"onboard": {"temporal": {"workflow": "Onboarding", "code": [target]}}})


async def _ended(app: JobApp, tenant: Any, job_id: Any) -> Any:
    async def terminal() -> Any:
        record = await app.get_job(tenant, job_id)
        return record if record.status.is_terminal else None

    return await eventually(terminal, "the job ends", 30)
