"""What a Community installation has of Temporal: nothing is imported, and each way to ask for it is refused clearly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from jobcore import JobContext, JobData, job
from jobcore.app import JobApp
from jobcore.errors import ConfigurationError, EditionError, PluginError
from jobcore.testing.apps import quiet_settings
from temporal_runner.harness import FALLBACK, PLUGINS

WORKER = """
import asyncio, json, sys

from jobcore import JobContext, JobData, job
from jobcore.app import JobApp


@job("plain")
async def plain(ctx: JobContext, data: JobData) -> str:
    return "done"


async def main() -> None:
    async with JobApp(handlers=[plain]) as app:
        worker = app.worker()
        await worker.start()
        handle = await app.enqueue(plain, JobData(), tenant="system")
        result = await handle.result(timeout=30)
        await app.health()
        await app.why(handle.job_id, tenant=handle.tenant)
        await worker.drain()
    loaded = sorted(name for name in sys.modules if name.partition(".")[0] == "temporalio")
    print(json.dumps([result, app.default_runner, loaded]))


asyncio.run(main())
"""


@pytest.mark.parametrize("edition", ["community", "enterprise"])
def test_a_worker_on_pgboss_never_imports_the_sdk_though_the_plugin_is_installed(
    database_dsn: str, edition: str
) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JOBCORE_", "TEMPORAL_"))}
    environment = {**kept, "DATABASE_URL": database_dsn, "EDITION": edition, "JOB_RUNNER_TYPE": "pgboss"}
    command = [sys.executable, "-c", WORKER]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["done", "pgboss", []]


@job("plain")
async def plain(ctx: JobContext, data: JobData) -> None: ...


@job("wishes-for-temporal", runner="temporal")
async def wishes(ctx: JobContext, data: JobData) -> None: ...


def an_app(dsn: str, **settings: Any) -> JobApp:
    given: dict[str, Any] = {"database": {"url": dsn}, "plugins": {"allow": [*PLUGINS, FALLBACK]}}
    return JobApp(quiet_settings(**{**given, **settings}), handlers=[plain, wishes])


SAYS_HOW = "enterprise edition, and the edition in force is community: set EDITION=enterprise"


def test_f03_a_setting_that_names_temporal_is_refused(database_dsn: str) -> None:
    with pytest.raises(EditionError, match=SAYS_HOW):
        an_app(database_dsn, runner="temporal")


async def test_f03_a_call_that_names_temporal_is_refused(database_dsn: str) -> None:
    async with an_app(database_dsn) as app:
        with pytest.raises(EditionError, match=f"the call's runner= asks for the runner 'temporal'.*{SAYS_HOW}"):
            await app.enqueue(plain, JobData(), tenant="system", runner="temporal")


async def test_f03_a_handler_that_names_temporal_is_refused(database_dsn: str) -> None:
    async with an_app(database_dsn) as app:
        with pytest.raises(EditionError, match=f"its handler asks for the runner 'temporal'.*{SAYS_HOW}"):
            await app.enqueue(wishes, JobData(), tenant="system")


async def test_f03_a_route_to_temporal_is_refused(database_dsn: str) -> None:
    async with an_app(database_dsn, routes={"plain": {"runner": "temporal"}}) as app:
        with pytest.raises(EditionError, match=f"route 'plain'.*asks for the runner 'temporal'.*{SAYS_HOW}"):
            await app.enqueue(plain, JobData(), tenant="system")


async def test_a_plugin_that_is_not_loaded_is_named_with_the_reason(database_dsn: str) -> None:
    without = {"allow": ["jobcore-postgres-storage", FALLBACK]}
    async with an_app(database_dsn, edition="enterprise", runner="pgboss", plugins=without) as app:
        with pytest.raises(PluginError, match="jobcore-temporal-runner.*is disabled: plugins.allow does not name it"):
            await app.enqueue(plain, JobData(), tenant="system", runner="temporal")


async def test_a_fallback_without_its_plugin_is_told_by_its_own_setting(database_dsn: str) -> None:
    async with an_app(database_dsn, edition="enterprise", runner="temporal", plugins={"allow": PLUGINS}) as app:
        with pytest.raises(ConfigurationError) as caught:
            await app.worker().start()
    told = str(caught.value)
    assert told.startswith("JOB_RUNNER_FALLBACK_TO_PGBOSS is on, and what takes the jobs of 'temporal'")
    assert "jobcore-pgboss-runner" in told
    assert told.endswith("Or set JOB_RUNNER_FALLBACK_TO_PGBOSS=false: jobs then wait until the engine is back.")
    assert "JOB_RUNNER_TYPE" not in told
