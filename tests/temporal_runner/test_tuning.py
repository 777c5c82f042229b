"""How a worker asks Temporal for jobs, and how many it takes at a time, where the settings leave that to the SDK."""

from __future__ import annotations

import asyncio
import logging
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling

from contract.temporal_harness import TemporalHarness
from jobcore import JobContext, JobData, job
from jobcore.errors import ConfigurationError
from jobcore.testing.apps import quiet_settings
from jobcore_devkit.temporal import TemporalServer
from jobcore_temporal.places import Places
from jobcore_temporal.sdk_workers import Code, make_worker
from jobcore_temporal.settings import TemporalRunnerSettings
from jobcore_temporal.workflow import GenericJobWorkflow


class Crowd:
    """How many jobs run at a time."""

    def __init__(self) -> None:
        self.now = 0
        self.most = 0

    def comes(self) -> None:
        self.now += 1
        self.most = max(self.most, self.now)

    def goes(self) -> None:
        self.now -= 1


class Order(JobData):
    number: int


async def run_all(dsn: str, address: str, count: int, **temporal: Any) -> int:
    """Run jobs on a worker that is told to run one at a time; return how many ran at a time."""
    crowd = Crowd()

    @job("packs")
    async def packs(ctx: JobContext, data: Order) -> int:
        crowd.comes()
        await asyncio.sleep(0.3)
        crowd.goes()
        return data.number

    async with TemporalHarness(dsn, address).application(temporal=temporal, handlers=[packs]) as app:
        worker = app.worker(concurrency=1)
        await worker.start()
        tenant = uuid4()
        jobs = [await app.enqueue(packs, Order(number=number), tenant=tenant) for number in range(count)]
        assert [await one.result(timeout=30) for one in jobs] == list(range(count))
        worker.resize(2)
        await worker.stop()
    return crowd.most


async def test_the_machines_load_decides_within_bounds_instead_of_the_concurrency(
    database_dsn: str, jobcore_temporal: TemporalServer, caplog: pytest.LogCaptureFixture
) -> None:
    tuner = {"target_cpu": 1, "target_memory": 1, "minimum_slots": 3, "maximum_slots": 3}
    assert await run_all(database_dsn, jobcore_temporal.address, 12, tuner=tuner) == 3
    assert "worker.concurrency is 2 now, and counts for nothing on Temporal" in caplog.text


async def test_a_machine_without_room_runs_as_many_as_it_is_to_run_in_any_case(
    database_dsn: str, jobcore_temporal: TemporalServer
) -> None:
    tuner = {"target_cpu": 1, "target_memory": 0.0001, "minimum_slots": 2, "maximum_slots": 50}
    assert await run_all(database_dsn, jobcore_temporal.address, 6, tuner=tuner) == 2


async def test_jobs_run_with_pollers_that_the_server_advises(
    database_dsn: str, jobcore_temporal: TemporalServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "jobcore")
    assert await run_all(database_dsn, jobcore_temporal.address, 4, pollers={"maximum": 4}) == 1
    assert "counts for nothing" not in caplog.text


async def test_the_sdk_is_told_the_bounds_of_its_pollers(jobcore_temporal: TemporalServer) -> None:
    client = await Client.connect(jobcore_temporal.address)
    code = Code(workflows=[GenericJobWorkflow], activities=[], interceptors=[])
    settings = TemporalRunnerSettings.model_validate({"pollers": {"minimum": 2, "maximum": 4}})
    told = make_worker(client, "bounds", code, Places(1).open(), settings).config()
    assert (told.get("workflow_task_poller_behavior"), told.get("activity_task_poller_behavior")) == (
        PollerBehaviorAutoscaling(2, 4, 4),
        PollerBehaviorAutoscaling(2, 4, 4),
    )


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ({"pollers": {"minimum": 5, "maximum": 4}}, r"'maximum' \(4\) is below 'minimum' \(5\)"),
        ({"pollers": {"minimum": 5}}, "set 'maximum' too, which switches it on"),
        ({"pollers": {"maximum": 4, "initial": 7}}, r"'initial' \(7\) is not between 1 and 4"),
        ({"tuner": {"target_cpu": 0.8}}, "Set both 'target_cpu' and 'target_memory', or neither"),
        ({"tuner": {"maximum_slots": 5}}, "which switch the tuner on"),
        (
            {"tuner": {"target_cpu": 0.8, "target_memory": 0.8, "minimum_slots": 9, "maximum_slots": 8}},
            r"'maximum_slots' \(8\) is below 'minimum_slots' \(9\)",
        ),
    ],
    ids=["pollers", "not-autoscaling", "initial", "one-target", "no-target", "slots"],
)
def test_what_cannot_be_meant_is_refused_with_the_reason(told: dict[str, Any], problem: str) -> None:
    settings = quiet_settings(temporal=told)
    with pytest.raises(ConfigurationError, match=problem):
        settings.section("temporal", TemporalRunnerSettings)
