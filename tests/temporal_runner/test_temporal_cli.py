"""`jobcore temporal`, `doctor` and `why` on a real Temporal, as an operator sees them."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import Client

from contract.temporal_harness import TemporalHarness
from jobcore import JobContext, JobData, job
from jobcore.states import JobState
from jobcore.testing.runner_contract.waiting import eventually
from jobcore_devkit.temporal import TemporalServer


class Note(JobData):
    text: str = ""


@job("takes-its-time")
async def takes_its_time(ctx: JobContext, data: Note) -> None:
    await ctx.signal.wait()


@pytest.fixture
def environment(database_dsn: str, temporal_namespace: str, jobcore_temporal: TemporalServer) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JOBCORE_", "TEMPORAL_"))}
    return {
        **kept,
        "DATABASE_URL": database_dsn,
        "EDITION": "enterprise",
        "JOB_RUNNER_TYPE": "temporal",
        "TEMPORAL_ADDRESS": jobcore_temporal.address,
        "TEMPORAL_NAMESPACE": temporal_namespace,
        "JOBCORE_TEMPORAL__UI_URL": "https://temporal.example.org",
    }


def jobcore(*arguments: str, environment: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).with_name("jobcore")), *arguments],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def test_setup_registers_what_workflows_carry_and_may_be_repeated(
    environment: dict[str, str], tmp_path: Path, database_dsn: str, jobcore_temporal: TemporalServer
) -> None:
    first = jobcore("temporal", "setup", "--json", environment=environment, folder=tmp_path)
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout)["added"] == ["JobcoreJob", "JobcoreTenant", "JobcoreQueue"]
    again = jobcore("temporal", "setup", environment=environment, folder=tmp_path)
    assert "has them all" in again.stdout

    namespace, tenant = environment["TEMPORAL_NAMESPACE"], uuid4()
    harness = TemporalHarness(database_dsn, jobcore_temporal.address)
    async with harness.application(
        handlers=[takes_its_time], temporal={"namespace": namespace, "search_attributes": True}
    ) as app:
        worker = app.worker()
        await worker.start()
        handle = await app.enqueue(takes_its_time, Note(), tenant=tenant)
        client = await Client.connect(jobcore_temporal.address, namespace=namespace)

        async def found() -> bool:
            listed = client.list_workflows(f"JobcoreJob = 'takes-its-time' AND JobcoreTenant = '{tenant}'")
            return [execution.id async for execution in listed] == [f"{handle.job_id}.0@{tenant}"]

        await eventually(found, "the workflow is found by its attributes", 20)
        told = jobcore("why", str(handle.job_id), "--tenant", str(tenant), environment=environment, folder=tmp_path)
        page = f"https://temporal.example.org/namespaces/{namespace}/workflows/{handle.job_id}.0%40{tenant}"
        assert page in told.stdout, told.stdout + told.stderr
        await app.cancel(tenant, handle.job_id)
        await worker.stop()


async def test_attributes_that_are_yet_to_be_registered_fail_no_job(
    environment: dict[str, str], tmp_path: Path, database_dsn: str, jobcore_temporal: TemporalServer
) -> None:
    temporal = {"namespace": environment["TEMPORAL_NAMESPACE"], "search_attributes": True}
    harness = TemporalHarness(database_dsn, jobcore_temporal.address)
    async with harness.application(handlers=[takes_its_time], temporal=temporal) as app:
        worker = app.worker()
        await worker.start()
        handle = await app.enqueue(takes_its_time, Note(), tenant=uuid4())

        async def refused() -> bool:
            async with harness.transaction(app) as connection:
                cursor = await connection.execute("select error from jobcore.outbox")
                return "search attribute" in str(await cursor.fetchone())

        await eventually(refused, "Temporal does not take it", 20)
        assert (await handle.status()).status is JobState.QUEUED
        setup = await asyncio.to_thread(jobcore, "temporal", "setup", environment=environment, folder=tmp_path)
        assert setup.returncode == 0, setup.stderr

        async def runs() -> bool:
            return (await handle.status()).status is JobState.PROCESSING

        await eventually(runs, "it runs", 20)
        await handle.cancel()
        await worker.stop()


async def test_set_current_sends_jobs_to_a_build_once_its_worker_polls(
    environment: dict[str, str], tmp_path: Path, database_dsn: str, jobcore_temporal: TemporalServer
) -> None:
    namespace, deployment = environment["TEMPORAL_NAMESPACE"], {"name": "shop", "build_id": "7"}
    environment |= {f"JOBCORE_TEMPORAL__DEPLOYMENT__{key.upper()}": value for key, value in deployment.items()}
    too_soon = jobcore("temporal", "set-current", "--timeout", "1", environment=environment, folder=tmp_path)
    assert too_soon.returncode == 3
    assert "a worker of it has to poll" in too_soon.stderr
    harness = TemporalHarness(database_dsn, jobcore_temporal.address)
    temporal = {"namespace": namespace, "deployment": deployment}
    async with harness.application(handlers=[takes_its_time], temporal=temporal) as app:
        worker = app.worker()
        await worker.start()
        done = await asyncio.to_thread(
            jobcore, "temporal", "set-current", "--json", environment=environment, folder=tmp_path
        )
        assert json.loads(done.stdout) == {"deployment": "shop", "current": "7"}, done.stderr
        await worker.stop()
    told = jobcore("doctor", environment=environment, folder=tmp_path)
    assert "jobs go to build '7' of deployment 'shop'; this one; known are: 7" in told.stdout
    without = jobcore("temporal", "set-current", environment=plain(environment), folder=tmp_path)
    assert "set temporal.deployment" in without.stderr


def plain(environment: dict[str, str]) -> dict[str, str]:
    """The same without a deployment."""
    return {name: value for name, value in environment.items() if "DEPLOYMENT" not in name}


def test_the_doctor_says_whether_temporal_and_the_namespace_are_there(
    environment: dict[str, str], tmp_path: Path
) -> None:
    well = jobcore("doctor", environment=environment, folder=tmp_path)
    assert "Temporal answers at" in well.stdout
    without = jobcore("doctor", environment={**environment, "TEMPORAL_NAMESPACE": "nowhere"}, folder=tmp_path)
    assert "Create the namespace, or set TEMPORAL_NAMESPACE" in without.stdout
    away = jobcore("doctor", environment={**environment, "TEMPORAL_ADDRESS": "127.0.0.1:9"}, folder=tmp_path)
    assert "cannot be reached" in away.stdout
    assert without.returncode == away.returncode != 0


async def test_why_says_that_nobody_has_handed_the_job_over(
    environment: dict[str, str], tmp_path: Path, database_dsn: str, jobcore_temporal: TemporalServer
) -> None:
    async with TemporalHarness(database_dsn, jobcore_temporal.address).application(handlers=[takes_its_time]) as app:
        handle = await app.enqueue(takes_its_time, Note(), tenant=uuid4())
    told = jobcore("why", str(handle.job_id), "--tenant", str(handle.tenant), environment=environment, folder=tmp_path)
    assert "waits in the outbox to be handed to Temporal" in told.stdout, told.stdout + told.stderr
