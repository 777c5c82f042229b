"""Three worker processes over outages of Temporal, for all of them or for one: every job ends once, on one engine."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import re
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from temporalio.client import Client

from jobcore.app import JobApp
from jobcore.ids import SYSTEM_TENANT, uuid7
from jobcore.models import MissedFires
from jobcore.settings import Settings
from jobcore_devkit.lane import Lane
from jobcore_devkit.temporal import TemporalServer
from support.chaos_jobs import LEDGER_VARIABLE, Marked
from support.checker import assert_clean
from support.fleet import Fleet, eventually
from support.history import ClientLog, EffectLedger, History, install_event_log, read_history
from support.workflows import ended_workflows
from temporal_runner.harness import FALLBACK, PLUGINS, Stage
from temporal_runner.telling import FAILS, LASTS, plain, without_a_workflow

SCHEDULES = ("tick", "tock")
ENDED = "'completed', 'failed', 'cancelled'"
WAITING = f"select count(*) from jobs where status not in ({ENDED})"
LEFT = "select count(*) from jobcore.outbox"
ENDED_ON = f"select count(*) from jobs where runner_type = %s and created_at > %s and status in ({ENDED})"
FIRES = "select schedule_id, fire_time from jobs where fire_time is not null order by fire_time"
TOLD = re.compile(r"Temporal at \S+ (is away|answers again)")
HEARTBEAT = 5
"""Seconds: on a busy machine a worker that is late is not to count as dead."""
PATIENCE = 120
SOME = 5
"""Jobs that have ended on an engine, to show that it works."""


@dataclass(frozen=True)
class Size:
    """How often Temporal goes away in each way, and for how many seconds more than it takes to be noticed."""

    rounds: int
    longest: float
    pause: float
    """Seconds between two enqueues."""


SHORT = Size(rounds=1, longest=0, pause=0.1)
LONG = Size(rounds=int(os.environ.get("JOBCORE_SOAK_OUTAGES", "30")), longest=8, pause=0.05)


@dataclass
class Site:
    """The workers, of which the first reaches Temporal through a lane, and an application that enqueues."""

    dsn: str
    server: TemporalServer
    lane: Lane
    app: JobApp
    log: ClientLog
    fleets: list[Fleet]
    """Of one worker each."""

    async def enqueue(self, number: int) -> None:
        handler = without_a_workflow if number % 3 == 0 else plain
        options: dict[str, Any] = {"delay": timedelta(seconds=1)} if number % 5 == 0 else {}
        data = Marked(number=number, key=FAILS if number % 7 == 0 else LASTS if number % 11 == 0 else None)
        job_id = uuid7()
        with self.log.call(job_id):
            await self.app.enqueue(handler, data, tenant=SYSTEM_TENANT, job_id=job_id, **options)

    async def rows(self, query: str, *parameters: Any) -> list[Any]:
        async with await psycopg.AsyncConnection.connect(self.dsn) as connection:
            return await (await connection.execute(query, parameters)).fetchall()

    async def count(self, query: str, *parameters: Any) -> int:
        [(count,)] = await self.rows(query, *parameters)
        return count

    def cut(self) -> list[bool]:
        """Of each worker whether it says that Temporal is away."""
        logs = [fleet.log_of(process) for fleet in self.fleets for process in fleet.processes]
        return [TOLD.findall(log)[-1:] == ["is away"] for log in logs]

    async def become(self, *cut: bool) -> None:
        """Wait until the workers say so."""

        async def so() -> bool:
            return self.cut() == list(cut)

        await eventually(so, f"the workers have lost Temporal: {cut}")

    async def engines_work(self, *engines: str) -> None:
        """Wait until some of the jobs that are enqueued from now on have ended on each of these engines."""
        [(now,)] = await self.rows("select clock_timestamp()")

        async def work() -> bool:
            return all([await self.count(ENDED_ON, engine, now) >= SOME for engine in engines])

        await eventually(work, f"new jobs end on {' and '.join(engines)}", every=0.1)

    async def is_quiet(self) -> bool:
        return await self.count(WAITING) == await self.count(LEFT) == 0


@pytest.fixture
def environment(database_dsn: str, server: TemporalServer, ledger: EffectLedger) -> dict[str, str]:
    install_event_log(database_dsn)
    return {
        **Stage(database_dsn, server.address, temporal={"heartbeat_timeout_seconds": HEARTBEAT}).environment(),
        "JOB_RUNNER_FALLBACK_TO_PGBOSS": "true",
        "JOBCORE_PLUGINS__ALLOW": ",".join([*PLUGINS, FALLBACK]),
        "JOBCORE_LOG__FINISHED_JOBS": "false",
        LEDGER_VARIABLE: ledger.dsn,
    }


@pytest.fixture
def fleets(environment: dict[str, str], lane: Lane, tmp_path: Path) -> Iterator[list[Fleet]]:
    with ExitStack() as stack:
        made: list[Fleet] = []
        for address in (lane.address, *[environment["TEMPORAL_ADDRESS"]] * 2):
            folder = tmp_path / f"fleet-{len(made)}"
            folder.mkdir()
            its = {**environment, "TEMPORAL_ADDRESS": address}
            made.append(stack.enter_context(Fleet(folder, its, "--app", "temporal_runner.telling:app")))
        yield made


@pytest.fixture
async def site(
    environment: dict[str, str], server: TemporalServer, lane: Lane, fleets: list[Fleet], tmp_path: Path
) -> AsyncIterator[Site]:
    async with JobApp(Settings.load(env=environment), handlers=[plain, without_a_workflow]) as app:
        await asyncio.gather(*(fleet.start(1, app) for fleet in fleets))
        yield Site(environment["DATABASE_URL"], server, lane, app, ClientLog(tmp_path / "client.log"), fleets)


async def killed(site: Site, seconds: float) -> None:
    await asyncio.to_thread(site.server.kill)
    await site.become(True, True, True)
    await site.engines_work("pgboss")
    await asyncio.sleep(seconds)
    await asyncio.to_thread(site.server.start)


async def frozen(site: Site, seconds: float) -> None:
    site.server.freeze()
    await site.become(True, True, True)
    await site.engines_work("pgboss")
    await asyncio.sleep(seconds)
    site.server.thaw()


async def black_hole_for_one(site: Site, seconds: float) -> None:
    """The workers disagree: one gives jobs to the fallback, and the others give them to Temporal."""
    site.lane.black_hole()
    await disagree(site, seconds)


async def mute_for_one(site: Site, seconds: float) -> None:
    """As above, and what that one has started runs with the others, though it hears no answer."""
    site.lane.mute()
    await disagree(site, seconds)


async def disagree(site: Site, seconds: float) -> None:
    await site.become(True, False, False)
    await site.engines_work("pgboss", "temporal")
    assert site.cut() == [True, False, False]
    await asyncio.sleep(seconds)
    site.lane.heal()


FAULTS: tuple[Callable[[Site, float], Awaitable[None]], ...] = (killed, frozen, black_hole_for_one, mute_for_one)


@pytest.mark.parametrize("size", [SHORT, pytest.param(LONG, marks=pytest.mark.soak)], ids=["short", "long"])
async def test_no_job_is_lost_or_runs_on_two_engines_over_outages_for_all_workers_and_for_one(
    site: Site, ledger: EffectLedger, size: Size
) -> None:
    for key in SCHEDULES:
        await site.app.schedule(key, plain, "1 second", Marked(), tenant=SYSTEM_TENANT, missed=MissedFires.ALL)
    async with arriving(site, size.pause):
        await site.engines_work("temporal")
        for _ in range(size.rounds):
            for fault in random.sample(FAULTS, len(FAULTS)):
                await fault(site, random.uniform(0, size.longest))
                await site.become(False, False, False)
                await site.engines_work("temporal")
    for key in SCHEDULES:
        await site.app.schedules.pause(SYSTEM_TENANT, key)
    await eventually(site.is_quiet, "every job ends, and leaves the outbox", patience=PATIENCE, every=0.2)
    await eventually(
        lambda: nothing_runs(site), "every workflow and activity ends in Temporal", patience=PATIENCE, every=0.2
    )
    workflows = await ended_workflows(site.server.address, site.server.namespace)
    history = read_history(site.dsn, log=site.log, ledger=ledger, workflows=workflows)
    assert_clean(history)
    assert {job.status for job in history.jobs} == {"completed"}
    assert {effect.engine for effect in history.effects if effect.kind == "start"} == {"pgboss", "temporal"}
    assert on_two_engines(history) == {}
    assert_fired_every_second(await site.rows(FIRES))


@asynccontextmanager
async def arriving(site: Site, pause: float) -> AsyncGenerator[None]:
    """Enqueue one job after the other, for the length of the block."""

    async def enqueue() -> None:
        for number in itertools.count(1):
            await site.enqueue(number)
            await asyncio.sleep(pause)

    task = asyncio.create_task(enqueue())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled(), task.exception()


async def nothing_runs(site: Site) -> bool:
    """Whether Temporal has nothing left to do: not even the workflows that were too late."""
    client = await Client.connect(site.server.address)
    running = "ExecutionStatus = 'Running'"
    return not [one async for one in client.list_workflows(running)] and not [
        one async for one in client.list_activities(running)
    ]


def on_two_engines(history: History) -> dict[UUID, set[str | None]]:
    """Jobs whose attempts are not all of one engine: Temporal keeps what it has begun, and so does the fallback."""
    engines: dict[UUID, set[str | None]] = defaultdict(set)
    for effect in history.effects:
        if effect.kind == "start":
            engines[effect.job_id].add(effect.engine)
    return {job_id: found for job_id, found in engines.items() if len(found) > 1}


def assert_fired_every_second(fires: list[tuple[UUID, datetime]]) -> None:
    times: dict[UUID, list[datetime]] = defaultdict(list)
    for schedule_id, fire_time in fires:
        times[schedule_id].append(fire_time)
    assert len(times) == len(SCHEDULES)
    for found in times.values():
        gaps = Counter(later - earlier for earlier, later in itertools.pairwise(found))
        assert set(gaps) == {timedelta(seconds=1)}, gaps
