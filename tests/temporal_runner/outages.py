"""An application whose Temporal goes away in many ways, and what it tells meanwhile."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from jobcore import JobContext
from jobcore.models import Claim
from jobcore.ports.observer import Observer
from jobcore.testing.runner_contract.site import Anything, Handle, Site, handler, opened
from jobcore_devkit.lane import Lane
from jobcore_devkit.temporal import TemporalServer
from support.checker import assert_clean
from support.fleet import eventually
from support.history import ClientCall, Effect, install_event_log, read_history
from temporal_runner.harness import FALLBACK, PLUGINS, Stage


@handler()
async def works(ctx: JobContext, data: Anything) -> str:
    await asyncio.sleep(data.get("seconds", 0))
    return "done"


class Reporter(Observer):
    """Remembers when the engine was lost and found, and which engine began what."""

    def __init__(self) -> None:
        self.told: list[tuple[str, float]] = []
        self.effects: list[Effect] = []
        self.engines: dict[UUID, set[str]] = {}

    def runner_degraded(self, runner_type: str, reason: str) -> None:
        self.told.append(("degraded", time.monotonic()))

    def runner_recovered(self, runner_type: str) -> None:
        self.told.append(("recovered", time.monotonic()))

    def job_started(self, claim: Claim) -> None:
        self.effects.append(Effect(datetime.now(UTC), claim.job_id, claim.attempt, os.getpid(), "start"))
        self.engines.setdefault(claim.job_id, set()).add(claim.runner_type)

    @property
    def is_degraded(self) -> bool:
        return bool(self.told) and self.told[-1][0] == "degraded"


@dataclass
class Outage:
    """An application at work, and the faults of its Temporal, which it reaches through a lane."""

    server: TemporalServer
    lane: Lane
    site: Site
    reporter: Reporter
    slowest: float = 0.0
    """Seconds that the slowest enqueue took."""
    jobs: list[Handle] = field(default_factory=list)

    async def enqueue(self, count: int = 1, *, seconds: float = 0, **options: Any) -> list[Handle]:
        """Enqueue jobs of so many seconds, one by one, as an application does; each call is timed."""
        made: list[Handle] = []
        for _ in range(count):
            began = time.monotonic()
            made.append(await self.site.enqueue(works, {"seconds": seconds}, **options))
            self.slowest = max(self.slowest, time.monotonic() - began)
        self.jobs += made
        return made

    async def begins(self, fault: str) -> float:
        """Let it happen; return how many seconds it took until somebody noticed."""
        began = time.monotonic()
        await asyncio.to_thread(FAULTS[fault][0], self)
        return await self.noticed() - began

    async def noticed(self) -> float:
        """Wait until the outage is told; return when it was."""

        async def degraded() -> bool:
            return self.reporter.is_degraded

        await eventually(degraded, "the outage is noticed", patience=15)
        return self.reporter.told[-1][1]

    async def ends(self, fault: str) -> None:
        """Heal it, and wait until that is noticed."""
        await asyncio.to_thread(FAULTS[fault][1], self)

        async def well() -> bool:
            return not self.reporter.is_degraded

        await eventually(well, "the end of the outage is noticed", patience=15)

    async def assert_each_ended_once(self) -> None:
        """Wait until all jobs have completed: each has run on one engine only, and moved as jobs may."""
        await self.site.all_ended(self.jobs)
        assert {job_id: names for job_id, names in self.reporter.engines.items() if len(names) > 1} == {}
        assert isinstance(self.site.harness, Stage)
        calls = [ClientCall(job.job_id, "ok") for job in self.jobs]
        facts = {"calls": calls, "effects": self.reporter.effects}
        assert_clean(read_history(self.site.harness.dsn, log=None, ledger=None, **facts))

    async def fired(self) -> list[tuple[datetime, str]]:
        """The fires of schedules, in their order, and on which engine each ran or is to run."""
        async with self.site.harness.transaction(self.site.app) as connection:
            cursor = await connection.execute(
                "select fire_time, runner_type from jobs where fire_time is not null order by fire_time"
            )
            return await cursor.fetchall()

    async def fires(self, engine: str, times: int) -> bool:
        """Whether so many fires are an engine's."""
        return [runner_type for _, runner_type in await self.fired()].count(engine) >= times


WITH_FALLBACK = {"fallback_to_pgboss": True, "plugins": {"allow": [*PLUGINS, FALLBACK]}}
Step = Callable[[Outage], None]
FAULTS: dict[str, tuple[Step, Step]] = {
    "killed": (lambda outage: outage.server.kill(), lambda outage: outage.server.start()),
    "frozen": (lambda outage: outage.server.freeze(), lambda outage: outage.server.thaw()),
    "black hole": (lambda outage: outage.lane.black_hole(), lambda outage: outage.lane.heal()),
    "refused": (lambda outage: outage.lane.refuse(), lambda outage: outage.lane.heal()),
}
"""How each begins, and how it ends. All of these block."""


@asynccontextmanager
async def reachable(dsn: str, server: TemporalServer, lane: Lane, **settings: Any) -> AsyncGenerator[Outage]:
    """Open the application; there is no worker yet."""
    install_event_log(dsn)
    reporter = Reporter()
    async with opened(Stage(dsn, lane.address, **settings), works, observers=[reporter]) as site:
        yield Outage(server, lane, site, reporter)


@asynccontextmanager
async def at_work(dsn: str, server: TemporalServer, lane: Lane, **settings: Any) -> AsyncGenerator[Outage]:
    """Have a worker that has worked on Temporal already."""
    async with reachable(dsn, server, lane, **settings) as outage, outage.site.working(queues=[works.queue]):
        await outage.site.all_ended(await outage.enqueue())
        yield outage
