"""What the SDK's core says goes where all logs go, in their format, and does not drown an outage."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from jobcore.app import JobApp
from jobcore.ids import SYSTEM_TENANT
from jobcore_devkit.temporal import TemporalServer
from support.chaos_jobs import LEDGER_VARIABLE, Marked, pause
from support.fleet import Fleet, eventually
from support.history import EffectLedger
from temporal_runner.harness import Stage

DROPPED = "Network error while completing activity"
"""The core's own words, about ten seconds after a job has ended in an outage."""
SDK = "jobcore.temporal.sdk"


async def test_a_worker_with_logs_in_json_writes_no_raw_line_in_an_outage(
    database_dsn: str, server: TemporalServer, ledger: EffectLedger, tmp_path: Path
) -> None:
    stage = Stage(database_dsn, server.address)
    environment = {**stage.environment(), LEDGER_VARIABLE: ledger.dsn}
    with Fleet(tmp_path, environment, "--log-format", "json") as fleet:
        async with JobApp(stage.settings(), handlers=[pause]) as app:
            await fleet.start(1, app)
            [process] = fleet.processes
            job = await app.enqueue(pause, Marked(number=7), tenant=SYSTEM_TENANT)

            async def runs() -> bool:
                return bool(ledger.read())

            await eventually(runs, "the job runs")
            server.kill()

            async def core_speaks() -> bool:
                return DROPPED in fleet.log_of(process)

            await eventually(core_speaks, "the SDK's core gives the job's end up")
            assert (await app.get_job(SYSTEM_TENANT, job.job_id)).status.is_terminal
            lines: list[dict[str, Any]] = [json.loads(line) for line in fleet.log_of(process).splitlines()]
            told = [line for line in lines if line["logger"] == SDK]
            assert [line["level"] for line in told if DROPPED in line["msg"]] == ["warning"]
            assert [line for line in told if "retried" in line["msg"] or "heartbeat" in line["msg"]] == []


SETS_UP_ITS_OWN = """
import asyncio
import os

from temporalio.runtime import Runtime, TelemetryConfig

from jobcore.errors import EngineUnavailableError
from jobcore_temporal.connection import Connection
from jobcore_temporal.settings import TemporalRunnerSettings

own = Runtime(telemetry=TelemetryConfig())
Runtime.set_default(own)
try:
    asyncio.run(Connection(TemporalRunnerSettings(address="127.0.0.1:9")).client())
except EngineUnavailableError:
    print(Runtime.default() is own, flush=True)
    os._exit(0)
"""
"""It ends at once: a thread of the SDK's, still handing over what a connect found, aborts an interpreter that winds up.
Three bare lines of the SDK's do so too, on a machine with other load."""


def test_a_program_that_sets_up_the_sdks_runtime_keeps_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SETS_UP_ITS_OWN], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "True\n"
