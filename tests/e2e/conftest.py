"""What the end-to-end tests share: an application, a ledger, and a fleet of workers on one database."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from jobcore.app import JobApp
from jobcore.settings import Settings
from jobcore_devkit.databases import fresh_database
from jobcore_devkit.postgres import PostgresServer
from support.chaos_jobs import LEDGER_VARIABLE
from support.fleet import Fleet
from support.history import EffectLedger, install_event_log

IMPATIENT = {
    "JOBCORE_PGBOSS__LEASE_SECONDS": "2",
    "JOBCORE_PGBOSS__RESCUE_INTERVAL_SECONDS": "0.5",
    "JOBCORE_PGBOSS__POLL_INTERVAL_SECONDS": "0.2",
    "JOBCORE_LOG__FINISHED_JOBS": "false",
}
"""Short times, so that a rescue is seen within seconds."""


@pytest.fixture
def ledger(postgres_server: PostgresServer) -> Iterator[EffectLedger]:
    with fresh_database(postgres_server) as dsn:
        made = EffectLedger(dsn)
        made.install()
        yield made


@pytest.fixture
def job_dsn(database_dsn: str) -> str:
    """The database of the jobs; a module overrides it to use a server that it crashes."""
    return database_dsn


@pytest.fixture
def environment(job_dsn: str, ledger: EffectLedger, tmp_path: Path) -> dict[str, str]:
    install_event_log(job_dsn)
    return {
        **IMPATIENT,
        "DATABASE_URL": job_dsn,
        LEDGER_VARIABLE: ledger.dsn,
        "JOBCORE_BUILTIN__FILES": str(tmp_path / "files"),
    }


@pytest.fixture
async def app(environment: dict[str, str]) -> AsyncIterator[JobApp]:
    settings = Settings.load(env={**environment, "JOBCORE_HANDLERS": "support.chaos_jobs"})
    async with JobApp(settings) as app:
        yield app


@pytest.fixture
def fleet(environment: dict[str, str], tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path, environment) as fleet:
        yield fleet
