"""Two builds of one worker side by side: jobs go to the current one, and a pinned job ends where it began."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from contract.temporal_harness import TemporalHarness
from jobcore import JobApp, JobContext, JobData, RetryPolicy, job
from jobcore.app import AppJobHandle
from jobcore.errors import ConfigurationError, ResultTimeoutError
from jobcore.testing.apps import quiet_settings
from jobcore.testing.runner_contract.waiting import eventually
from jobcore_devkit.temporal import TemporalServer
from jobcore_temporal.checks import check_server
from jobcore_temporal.deployments import make_current
from jobcore_temporal.settings import TemporalRunnerSettings

SOON = RetryPolicy(initial_interval=timedelta(milliseconds=10))


class Nothing(JobData): ...


@dataclass
class Build:
    """One build: its application, whose relay may hand over any job, and its worker."""

    app: JobApp
    settings: TemporalRunnerSettings
    ran: list[int]
    """The attempts that began here."""
    lets_go: asyncio.Event

    async def is_current(self) -> None:
        """Let jobs go to it, once Temporal has heard of its worker."""
        await make_current(self.settings, self.settings.deployment.build_id or "", 20)


@dataclass
class Shop:
    """A deployment; its builds share the database and the task queue."""

    harness: TemporalHarness
    versioning: str = "auto-upgrade"
    name: str = field(default_factory=lambda: f"shop-{uuid4().hex[:8]}")
    tenant: Any = field(default_factory=uuid4)

    @asynccontextmanager
    async def build(self, build_id: str) -> AsyncGenerator[Build]:
        """Have a worker of this build."""
        ran: list[int] = []
        lets_go = asyncio.Event()

        @job("says-who")
        async def says_who(ctx: JobContext, data: Nothing) -> str:
            return build_id

        @job("says-who-alone", engines={"temporal": {"mode": "activity"}})
        async def says_who_alone(ctx: JobContext, data: Nothing) -> str:
            return build_id

        @job("fails-once", retry=SOON)
        async def fails_once(ctx: JobContext, data: Nothing) -> str:
            ran.append(ctx.attempt)
            if ctx.attempt == 1:
                await lets_go.wait()
                raise RuntimeError("the first attempt fails")
            return build_id

        temporal = {"deployment": {"name": self.name, "build_id": build_id, "versioning": self.versioning}}
        handlers = [says_who, says_who_alone, fails_once]
        async with self.harness.application(temporal=temporal, handlers=handlers) as app:
            worker = app.worker()
            await worker.start()
            yield Build(app, app.settings.section("temporal", TemporalRunnerSettings), ran, lets_go)
            await worker.stop()

    async def enqueue(self, build: Build, name: str) -> AppJobHandle:
        return await build.app.enqueue(name, {}, tenant=self.tenant)


@pytest.fixture
def harness(database_dsn: str, jobcore_temporal: TemporalServer) -> TemporalHarness:
    return TemporalHarness(database_dsn, jobcore_temporal.address)


@pytest.mark.parametrize("name", ["says-who", "says-who-alone"])
async def test_jobs_wait_for_a_current_build_and_then_go_to_it_only(harness: TemporalHarness, name: str) -> None:
    shop = Shop(harness)
    async with shop.build("1") as one:
        waits = await shop.enqueue(one, name)
        with pytest.raises(ResultTimeoutError):
            await waits.result(timeout=1)
        await one.is_current()
        assert await waits.result(timeout=20) == "1"
        async with shop.build("2") as two:
            assert await answers(shop, name, one, two) == {"1"}
            await two.is_current()
            assert await answers(shop, name, one, two) == {"2"}


async def answers(shop: Shop, name: str, *builds: Build) -> set[str]:
    """Which builds run jobs that are enqueued, and handed over, from either."""
    jobs = [await shop.enqueue(build, name) for _ in range(5) for build in builds]
    return {await one.result(timeout=20) for one in jobs}


@pytest.mark.parametrize(("versioning", "where"), [("pinned", "1"), ("auto-upgrade", "2")])
async def test_a_job_that_has_begun_ends_as_its_build_was_told(
    harness: TemporalHarness, versioning: str, where: str
) -> None:
    shop = Shop(harness, versioning)
    async with shop.build("1") as one, shop.build("2") as two:
        await one.is_current()
        begun = await shop.enqueue(one, "fails-once")

        async def runs() -> bool:
            return one.ran == [1]

        await eventually(runs, "it has begun on the first build", 20)
        await two.is_current()
        one.lets_go.set()
        assert await begun.result(timeout=20) == where
        assert one.ran + two.ran == [1, 2]
        assert await (await shop.enqueue(one, "says-who")).result(timeout=20) == "2"


async def test_the_doctor_says_which_build_jobs_go_to(harness: TemporalHarness) -> None:
    shop = Shop(harness)
    async with shop.build("1") as one, shop.build("2") as two:
        told = await check_server(one.settings)
        assert not told.ok
        assert f"no build of deployment '{shop.name}' is the current one" in told.message
        assert "jobcore temporal set-current" in told.remedy
        await two.is_current()
        told = await check_server(one.settings)
        assert told.ok
        assert f"jobs go to build '2' of deployment '{shop.name}'; this one is '1'" in told.message


async def test_a_build_that_nobody_works_does_not_become_the_current_one(harness: TemporalHarness) -> None:
    settings = quiet_settings(temporal={"address": harness.address, "deployment": {"name": "a", "build_id": "1"}})
    with pytest.raises(
        ConfigurationError, match="Build '1' of deployment 'a' is not the current one in 0.5 s: a worker of it"
    ):
        await make_current(settings.section("temporal", TemporalRunnerSettings), "1", 0.5)


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ({"build_id": "1"}, "'build_id' is of a deployment: set its 'name' too"),
        ({"name": "shop"}, "needs its 'build_id'"),
        ({"versioning": "pinned"}, "'versioning' needs 'name' and 'build_id'"),
        ({"name": "shop", "build_id": "1", "versioning": "sometimes"}, "auto-upgrade"),
        ({"name": "shop.jobs", "build_id": "1"}, "name"),
    ],
    ids=["no-name", "no-build", "nothing", "unknown", "dots"],
)
def test_what_cannot_be_meant_is_refused_with_the_reason(told: dict[str, Any], problem: str) -> None:
    settings = quiet_settings(temporal={"deployment": told})
    with pytest.raises(ConfigurationError, match=problem):
        settings.section("temporal", TemporalRunnerSettings)
