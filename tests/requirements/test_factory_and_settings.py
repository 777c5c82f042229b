"""F01 to F19: the factory and its configuration, against a real database."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from jobcore import JobApp, JobRunnerFactory, JobState, initialize_job_runner
from jobcore.app import JobRunnerFace
from jobcore.errors import ConfigurationError, EditionError, StorageUnavailableError
from jobcore.plugins.known import KNOWN_PARTS
from requirements.words import TENANT, ended

HANDLERS = """
from jobcore import JobContext, JobData, job

@job("first")
async def first(ctx: JobContext, data: JobData) -> None: ...

@job("second", queue="reports")
async def second(ctx: JobContext, data: JobData) -> None: ...
"""


@pytest.fixture
def handlers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: str) -> str:
    """A module with two handlers, named in the settings."""
    (tmp_path / "factory_handlers.py").write_text(HANDLERS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("JOBCORE_HANDLERS", "factory_handlers")
    return "factory_handlers"


async def test_f01_f18_the_process_has_one_runner(factory: JobRunnerFactory) -> None:
    runner = await initialize_job_runner()
    assert isinstance(runner, JobRunnerFace)
    assert await factory.create_job_runner() is runner
    assert JobRunnerFactory.get_instance().runner is runner
    assert await runner.is_healthy()


async def test_f02_f07_without_a_word_it_is_pgboss(factory: JobRunnerFactory) -> None:
    assert (await factory.create_job_runner()).get_runner_type() == "pgboss"


async def test_f02_the_configuration_wins_over_the_environment(
    factory: JobRunnerFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOB_RUNNER_TYPE", "temporal")
    assert (await factory.create_job_runner({"type": "pgboss"})).get_runner_type() == "pgboss"


async def test_f02_the_environment_wins_over_the_edition(
    factory: JobRunnerFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDITION", "enterprise")
    monkeypatch.setenv("JOB_RUNNER_TYPE", "pgboss")
    assert (await factory.create_job_runner()).get_runner_type() == "pgboss"


async def test_f03_f06_the_community_edition_refuses_temporal_with_the_reason(
    factory: JobRunnerFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOB_RUNNER_TYPE", "temporal")
    with pytest.raises(EditionError, match="set EDITION=enterprise"):
        await factory.create_job_runner()
    assert factory.runner is None


def test_f03_the_community_edition_works_without_the_enterprise_engines_driver(environment: str) -> None:
    code = (
        "import asyncio, sys\n"
        "sys.modules['temporalio'] = None\n"
        "from jobcore import initialize_job_runner\n"
        "async def main():\n"
        "    runner = await initialize_job_runner()\n"
        "    print(runner.get_runner_type(), await runner.is_healthy())\n"
        "    await runner.stop()\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split() == ["pgboss", "True"], done.stderr


def test_f03_the_enterprise_runner_belongs_to_its_edition() -> None:
    assert KNOWN_PARTS["runner:temporal"].edition == "enterprise"
    assert KNOWN_PARTS["runner:pgboss"].edition == "community"


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("JOBCORE_WORKER__CONCURRENCY", "many", "JOBCORE_WORKER__CONCURRENCY"),
        ("TEMPORAL_ADDRESS", "http://temporal:7233", "TEMPORAL_ADDRESS"),
        ("JOB_RUNNER_FALLBACK_TO_PGBOSS", "perhaps", "JOB_RUNNER_FALLBACK_TO_PGBOSS"),
        ("EDITION", "platinum", "EDITION"),
        ("DATABASE_URL", "mysql://db/app", "DATABASE_URL"),
        ("JOBCORE_PGBOSS__LEASE_SECONDS", "soon", "JOBCORE_PGBOSS__LEASE_SECONDS"),
        (
            "JOBCORE_ROUTES",
            '{"report-*": {"runner": "pgboss", "percent": 200}}',
            "JOBCORE_ROUTES, at report-\\*.percent, is a number",
        ),
    ],
)
async def test_f04_f14_a_wrong_setting_stops_the_start_and_is_named(
    factory: JobRunnerFactory, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, told: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=told) as caught:
        await factory.create_job_runner()
    assert value not in str(caught.value)
    assert factory.runner is None


async def test_f04_temporals_configuration_is_checked_in_the_documents_shape(factory: JobRunnerFactory) -> None:
    with pytest.raises(ConfigurationError, match="address"):
        await factory.create_job_runner({"type": "temporal", "temporal": {"address": "http://t:7233"}})
    with pytest.raises(ConfigurationError, match=r"temporal\.nameSpace"):
        await factory.create_job_runner({"type": "temporal", "temporal": {"nameSpace": "x"}})


async def test_f12_the_database_may_be_named_by_its_parts(
    factory: JobRunnerFactory, environment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = psycopg.conninfo.conninfo_to_dict(environment)
    monkeypatch.delenv("DATABASE_URL")
    names = {"host": "DB_HOST", "port": "DB_PORT", "dbname": "DB_NAME", "user": "DB_USER", "password": "DB_PASSWORD"}
    for part, variable in names.items():
        if parts.get(part):
            monkeypatch.setenv(variable, str(parts[part]))
    assert await (await factory.create_job_runner()).is_healthy()


async def test_f14_a_database_that_is_away_stops_the_start_without_its_password(
    factory: JobRunnerFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://jobs:hunter2@127.0.0.1:1/app")
    with pytest.raises(StorageUnavailableError, match=r"127\.0\.0\.1") as caught:
        await factory.create_job_runner()
    assert "hunter2" not in str(caught.value)
    assert factory.runner is None


def test_f14_a_worker_process_with_a_wrong_setting_ends_at_once_and_names_it(handlers: str, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "JOBCORE_WORKER__GRACE_SECONDS": "long"}
    program = Path(sys.executable).with_name("jobcore")
    done = subprocess.run(
        [program, "worker"], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    assert "JOBCORE_WORKER__GRACE_SECONDS" in done.stderr
    assert "Traceback" not in done.stderr


async def test_f18_the_applications_start_may_pass_handlers_and_services(
    factory: JobRunnerFactory, handlers: str
) -> None:
    class Mailer: ...

    runner = await initialize_job_runner(services=[Mailer()])
    assert Mailer in runner.app.services
    await runner.start()
    scheduled = await runner.schedule_job("first", {"tenantId": TENANT})
    assert (await ended(runner, scheduled.job_id)).status is JobState.COMPLETED


async def test_f19_the_start_logs_every_queue_with_its_handlers(
    factory: JobRunnerFactory, handlers: str, caplog: pytest.LogCaptureFixture
) -> None:
    runner = await factory.create_job_runner()
    with caplog.at_level(logging.INFO, "jobcore.app"):
        await runner.start()
    assert "Queue first: first" in caplog.messages
    assert "Queue reports: second" in caplog.messages
    (started,) = [record for record in caplog.records if "started on pgboss" in record.message]
    assert {"first", "second"} <= set(vars(started)["handlers"])


async def test_f19_a_scheduler_whose_queue_differs_from_the_workers_is_told(
    factory: JobRunnerFactory, handlers: str, caplog: pytest.LogCaptureFixture
) -> None:
    runner = await factory.create_job_runner()
    await runner.start()
    other = JobApp(handlers=[{"name": "third", "handler": _third}])
    other.registry.unregister("second")
    other.registry.register({"name": "second", "handler": _third})
    async with other:
        worker = other.worker()
        with caplog.at_level(logging.WARNING, "jobcore.app"):
            await worker.start()
        await worker.stop()
    assert any(
        "second is enqueued to queue second here and expected in queue reports" in text for text in caplog.messages
    )


async def _third(job_id: str, data: object) -> None: ...
