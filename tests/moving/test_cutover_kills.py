"""A cutover that is killed on its way, while workers of both engines work and jobs keep arriving; then the way back."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from contract.pgboss_harness import FAST as PGBOSS
from contract.temporal_harness import FAST as TEMPORAL
from jobcore import JobApp
from jobcore.ids import SYSTEM_TENANT, uuid7
from jobcore.settings import Settings
from jobcore_devkit.databases import fresh_database
from jobcore_devkit.postgres import PostgresServer
from jobcore_devkit.temporal import TemporalServer
from support.chaos_jobs import ENGINE_VARIABLE, LEDGER_VARIABLE, Marked, note_job, slow, turn
from support.checker import assert_clean
from support.fleet import Fleet, eventually
from support.history import ClientLog, EffectLedger, install_event_log, read_history
from support.workflows import ended_workflows

JOBCORE = str(Path(sys.executable).with_name("jobcore"))
QUIET = "select count(*) from jobs where status not in ('completed', 'failed', 'cancelled')"
BATCH = 50
MOVED = "select count(*) from jobs where metadata ->> 'moved_from' = %s"


@dataclass(frozen=True)
class Size:
    """How much is moved, and how often the cutover dies."""

    jobs: int
    schedules: int
    kills: int
    delay: timedelta
    interval: str
    patience: float


SMALL = Size(jobs=300, schedules=20, kills=1, delay=timedelta(seconds=8), interval="2 seconds", patience=90)
LARGE = Size(
    jobs=int(os.environ.get("JOBCORE_SOAK_MOVED_JOBS", "10000")),
    schedules=200,
    kills=2,
    delay=timedelta(seconds=240),
    interval="60 seconds",
    patience=1200,
)


@dataclass
class Site:
    """Two engines, their workers, and an application that enqueues on either."""

    dsn: str
    environment: dict[str, str]
    folder: Path
    ledger: EffectLedger
    log: ClientLog
    app: JobApp

    async def count(self, query: str, *parameters: Any) -> int:
        async with await psycopg.AsyncConnection.connect(self.dsn) as connection:
            row = await (await connection.execute(query, parameters)).fetchone()
        assert row is not None
        return row[0]

    async def enqueue_many(self, job: Any, data: list[Marked], **options: Any) -> None:
        handles = await self.app.enqueue_many(job, data, tenant=SYSTEM_TENANT, **options)
        with self.log.call(*[handle.job_id for handle in handles]):
            pass

    async def enqueue(self, job: Any, data: Marked, **options: Any) -> None:
        job_id = uuid7()
        with self.log.call(job_id):
            await self.app.enqueue(job, data, tenant=SYSTEM_TENANT, job_id=job_id, **options)


@pytest.fixture
def environment(
    database_dsn: str, jobcore_temporal: TemporalServer, temporal_namespace: str, ledger: EffectLedger, tmp_path: Path
) -> dict[str, str]:
    install_event_log(database_dsn)
    return {
        "DATABASE_URL": database_dsn,
        LEDGER_VARIABLE: ledger.dsn,
        "EDITION": "enterprise",
        "JOB_RUNNER_FALLBACK_TO_PGBOSS": "false",
        "TEMPORAL_ADDRESS": jobcore_temporal.address,
        "TEMPORAL_NAMESPACE": temporal_namespace,
        "JOBCORE_LOG__FINISHED_JOBS": "false",
        "JOBCORE_BUILTIN__FILES": str(tmp_path / "files"),
        "JOBCORE_HANDLERS": "support.chaos_jobs",
        **{f"JOBCORE_PGBOSS__{name.upper()}": str(value) for name, value in PGBOSS.items()},
        **{f"JOBCORE_TEMPORAL__{name.upper()}": str(value) for name, value in TEMPORAL.items()},
    }


@pytest.fixture
def ledger(postgres_server: PostgresServer) -> Iterator[EffectLedger]:
    with fresh_database(postgres_server) as dsn:
        made = EffectLedger(dsn)
        made.install()
        yield made


@pytest.fixture
async def site(environment: dict[str, str], ledger: EffectLedger, tmp_path: Path) -> AsyncIterator[Site]:
    """Both engines with one worker process each."""
    settings = Settings.load(env={**environment, "JOB_RUNNER_TYPE": "pgboss"}, folder=tmp_path)
    with ExitStack() as stack:
        async with JobApp(settings) as app:
            for engine in ("pgboss", "temporal"):
                folder = tmp_path / engine
                folder.mkdir()
                its = {**environment, "JOB_RUNNER_TYPE": engine, ENGINE_VARIABLE: engine}
                await stack.enter_context(Fleet(folder, its)).start(1, app)
            log = ClientLog(tmp_path / "client.log")
            yield Site(environment["DATABASE_URL"], environment, tmp_path, ledger, log, app)


@pytest.mark.parametrize("size", [SMALL, pytest.param(LARGE, marks=pytest.mark.soak)], ids=["small", "large"])
async def test_a_cutover_that_is_killed_loses_and_doubles_nothing_there_and_back(
    site: Site, size: Size, environment: dict[str, str]
) -> None:
    schedules = [f"every-{n}" for n in range(size.schedules)]
    for key in schedules:
        await site.app.schedule(key, note_job, size.interval, Marked(), tenant=SYSTEM_TENANT, runner="pgboss")
    for source, target in (("pgboss", "temporal"), ("temporal", "pgboss")):
        await fill(site, size, source)
        async with arriving(site, source):
            report = await cut_over(site, size, source, target)
        await site.app.cutover(source, target)  # those that have arrived meanwhile
        assert not [handler["skipped"] for handler in report["handlers"] if handler["skipped"]], report
        assert await site.count(MOVED, source) >= size.jobs / 4, "too few jobs moved: nothing was tested"
        named = {schedule.runner_type for schedule in await site.app.schedules.list(SYSTEM_TENANT)}
        assert named == {target}

    for key in schedules:
        await site.app.schedules.pause(SYSTEM_TENANT, key)

    async def quiet() -> bool:
        return await site.count(QUIET) == 0

    await eventually(quiet, "every job ends", patience=size.patience, every=0.2)
    workflows = await ended_workflows(environment["TEMPORAL_ADDRESS"], environment["TEMPORAL_NAMESPACE"])
    history = read_history(site.dsn, log=site.log, ledger=site.ledger, workflows=workflows)
    assert_clean(history)
    assert {job.status for job in history.jobs} == {"completed"}
    assert {effect.engine for effect in history.effects} == {"pgboss", "temporal"}
    assert len(history.jobs) >= len(history.calls) > 2 * size.jobs


async def fill(site: Site, size: Size, runner: str) -> None:
    """Let jobs wait on an engine: most for their time, others for a slot, a limit, or their next attempt."""
    for first in range(0, size.jobs, BATCH):
        marks = [Marked(number=first + n, key=f"key-{n % 3}") for n in range(BATCH)]
        await site.enqueue_many(turn, marks[:5], runner=runner)
        await site.enqueue_many(slow, marks[5:15], runner=runner)
        await site.enqueue_many(slow, [mark.model_copy(update={"key": "fail"}) for mark in marks[15:20]], runner=runner)
        delay = size.delay * random.uniform(0.5, 1)
        await site.enqueue_many(note_job, marks[20:], delay=delay, runner=runner)


@asynccontextmanager
async def arriving(site: Site, runner: str) -> AsyncIterator[None]:
    """Enqueue one job after the other on the engine that is being left, for the length of the block."""

    async def enqueue_on() -> None:
        number = 0
        while True:
            await site.enqueue(note_job, Marked(number=number), runner=runner)
            number += 1
            await asyncio.sleep(0.1)

    task = asyncio.create_task(enqueue_on())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled(), task.exception()


async def cut_over(site: Site, size: Size, source: str, target: str) -> dict[str, Any]:
    """Begin a cutover and kill it where so many jobs have moved, and so on; return the last one's report."""
    step = (await site.app.cutover(source, target, dry_run=True)).moved // (size.kills + 3)
    for _ in range(size.kills):
        wanted = await site.count(MOVED, source) + step
        process = begin(site, source, target)

        async def reached(wanted: int = wanted, process: Any = process) -> bool:
            return process.poll() is not None or await site.count(MOVED, source) >= wanted

        await eventually(reached, f"{wanted} jobs move", patience=size.patience, every=0.01)
        assert process.poll() is None, "the cutover was over before it could be killed"
        process.kill()
        process.communicate()
    process = begin(site, source, target)
    out, errors = await asyncio.to_thread(process.communicate)
    assert process.returncode == 0, errors.decode()
    return json.loads(out)


def begin(site: Site, source: str, target: str) -> subprocess.Popen[bytes]:
    command = [JOBCORE, "cutover", "--from", source, "--to", target, "--json"]
    environment = {**os.environ, **site.environment, "JOB_RUNNER_TYPE": target}
    environment["PYTHONPATH"] = str(Path(__file__).parents[1])
    return subprocess.Popen(command, env=environment, cwd=site.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
