"""The founding documents' names on a real PostgreSQL: settings from variables only, and a fresh process-wide runner."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import dict_row

from jobcore import JobRunnerFactory
from jobcore.app import JobRunnerFace
from requirements.words import Tables

SHORT_TIMES = {
    "JOBCORE_PGBOSS__POLL_INTERVAL_SECONDS": "0.2",
    "JOBCORE_PGBOSS__CANCEL_POLL_SECONDS": "0.1",
}


@pytest.fixture
def environment(database_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty folder, and variables that name this test's database; returns its DSN."""
    monkeypatch.chdir(tmp_path)
    for name in ("JOB_RUNNER_TYPE", "EDITION", "JOBCORE_ENV", "JOBCORE_STORAGE", "JOBCORE_HANDLERS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**SHORT_TIMES, "DATABASE_URL": database_dsn}.items():
        monkeypatch.setenv(name, value)
    return database_dsn


@pytest.fixture
async def factory(environment: str) -> AsyncIterator[JobRunnerFactory]:
    """The process's factory, which forgets its runner at the end."""
    factory = JobRunnerFactory.get_instance()
    await factory.reset()
    yield factory
    await factory.reset()


@pytest.fixture
async def runner(factory: JobRunnerFactory) -> JobRunnerFace:
    """The runner that the founding documents' environment gives: pgboss, connected and not yet started."""
    return await factory.create_job_runner()


@pytest.fixture
def tables(environment: str) -> Iterator[Tables]:
    """What stands in the database."""
    with psycopg.connect(environment, autocommit=True, row_factory=dict_row) as connection:
        yield Tables(connection)
