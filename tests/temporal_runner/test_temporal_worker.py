"""`jobcore worker` on Temporal: it ends with code 0, and says nothing that would frighten an operator."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobcore.app import JobApp
from jobcore.ids import SYSTEM_TENANT
from jobcore_devkit.temporal import TemporalServer
from support.chaos_jobs import LEDGER_VARIABLE, Marked, note_job
from support.fleet import Fleet
from support.history import EffectLedger
from temporal_runner.harness import Stage


@pytest.fixture
def fleet(stage: Stage, ledger: EffectLedger, tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path, {**stage.environment(), LEDGER_VARIABLE: ledger.dsn}) as fleet:
        yield fleet


async def stops_well(stage: Stage, fleet: Fleet, times: int) -> None:
    """Start a worker, have it work, and stop it, so many times."""
    async with JobApp(stage.settings(), handlers=[note_job]) as app:
        for _ in range(times):
            await fleet.start(1, app)
            process = fleet.processes[-1]
            job = await app.enqueue(note_job, Marked(number=7), tenant=SYSTEM_TENANT)
            assert await job.result(timeout=30) == 7
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0, fleet.log_of(process)
            log = fleet.log_of(process)
            assert "has stopped" in log.splitlines()[-2], log
            assert [word for word in ("365 days", "Traceback", "WARN", "ERROR") if word in log] == [], log


async def test_a_worker_that_is_told_to_stop_ends_with_code_0(stage: Stage, fleet: Fleet) -> None:
    await stops_well(stage, fleet, 3)


@pytest.mark.soak
async def test_twenty_of_twenty_workers_that_are_told_to_stop_end_with_code_0(stage: Stage, fleet: Fleet) -> None:
    await stops_well(stage, fleet, 20)


async def test_a_worker_that_has_lost_temporal_ends_with_code_0_too(
    database_dsn: str, server: TemporalServer, ledger: EffectLedger, tmp_path: Path
) -> None:
    stage = Stage(database_dsn, server.address)
    environment = {**stage.environment(), LEDGER_VARIABLE: ledger.dsn}
    with Fleet(tmp_path, environment) as fleet:
        async with JobApp(stage.settings(), handlers=[note_job]) as app:
            await fleet.start(1, app)
            [process] = fleet.processes
            job = await app.enqueue(note_job, Marked(number=7), tenant=SYSTEM_TENANT)
            assert await job.result(timeout=30) == 7
            server.kill()
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0, fleet.log_of(process)
            assert "Traceback" not in fleet.log_of(process)
