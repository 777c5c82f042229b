"""Which task queues a worker polls (T08), and that the handlers are there before it does (T09)."""

from __future__ import annotations

import logging
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client

from contract.temporal_harness import TemporalHarness
from jobcore import JobContext, JobData, job
from jobcore.limits import InvalidNameError
from jobcore_devkit.temporal import TemporalServer

PLANNED = ("tenant-workflows", "portal-domain-workflows", "email-domain-workflows")


class Domain(JobData):
    name: str = ""


async def test_a_handler_with_a_queue_of_its_own_has_it_in_temporal_too(
    database_dsn: str, jobcore_temporal: TemporalServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The names of the plan are queues of handlers; all others share the one of the settings."""
    marker = uuid4().hex[:8]

    def made(queue: str) -> object:
        @job(f"in-{queue}", queue=f"{queue}-{marker}")
        async def handler(ctx: JobContext, data: Domain) -> str:
            return queue

        return handler

    @job("in-the-common-one")
    async def common(ctx: JobContext, data: Domain) -> str:
        return "common"

    handlers = [*(made(queue) for queue in PLANNED), common]
    harness = TemporalHarness(database_dsn, jobcore_temporal.address)
    caplog.set_level(logging.INFO, "jobcore")
    async with harness.application(handlers=handlers) as app:
        tenant = uuid4()
        jobs = [await app.enqueue(handler, Domain(), tenant=tenant) for handler in handlers]  # before any worker
        worker = app.worker()
        await worker.start()
        assert [await one.result(timeout=20) for one in jobs] == [*PLANNED, "common"]
        client = await Client.connect(jobcore_temporal.address)
        queues = [(await client.get_workflow_handle(f"{one.job_id}.0@{tenant}").describe()).task_queue for one in jobs]
        assert queues == [*(f"{queue}-{marker}" for queue in PLANNED), harness.task_queue]
        await worker.stop()
    told = next(record.getMessage() for record in caplog.records if "polls" in record.getMessage())
    assert all(f"{queue}-{marker}" in told for queue in PLANNED)


@pytest.mark.parametrize(
    ("queue", "temporal", "problem"),
    [
        ("/_sys/mine", {}, "The handler's queue '/_sys/mine' begins with '/_sys/', which Temporal keeps for itself"),
        (None, {"task_queue": "q" * 1001}, r"The setting temporal.task_queue 'q{40}' has 1,001 bytes"),
    ],
    ids=["reserved", "over-long"],
)
async def test_a_name_that_temporal_does_not_take_is_refused_before_any_handover(
    database_dsn: str, queue: str | None, temporal: dict[str, Any], problem: str
) -> None:
    @job("misplaced", queue=queue)
    async def misplaced(ctx: JobContext, data: Domain) -> None: ...

    harness = TemporalHarness(database_dsn, "127.0.0.1:9")
    async with harness.application(handlers=[misplaced], temporal=temporal) as app:
        with pytest.raises(InvalidNameError, match=problem):
            await app.worker().start()
        with pytest.raises(InvalidNameError, match=problem):
            await app.enqueue(misplaced, Domain(), tenant=uuid4())
