"""Fixtures that give each test a real database of its own. Needs pytest.

A suite opts in, in its topmost `conftest.py`:

    pytest_plugins = ["jobcore_devkit.testing"]

| fixture | scope | gives |
|---|---|---|
| `postgres_server` | session | a `PostgresServer` without fsync, one for each process of the suite |
| `durable_postgres_server` | session | another one as in production, for tests that crash or restart it |
| `template_database` | session | the name of a migrated database that nobody can connect to |
| `database_dsn` | function | the DSN of a migrated database of its own |
| `empty_database_dsn` | function | the DSN of an empty database of its own |
| `durable_database_dsn` | function | the DSN of a migrated database on the durable server |
| `pgbouncer` | session | a `PgBouncer` in transaction mode before `postgres_server` |
| `pgbouncer_dsn` | function | the DSN of `database_dsn`'s database through it |
| `jobcore_temporal` | session | a `TemporalServer` in memory, one for each process of the suite |
| `temporal_namespace` | function | the name of a namespace on it of its own |

A suite overrides `jobcore_migrator` to migrate in its own way, and `postgres_bin_dir` to choose PostgreSQL's programs;
by default that is the folder in the environment variable JOBCORE_POSTGRES_BIN, or the first that is found. It overrides
`temporal_options` to give the Temporal server search attributes or dynamic configuration.
All of these are synchronous and block.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from jobcore_devkit._migrations import migrate
from jobcore_devkit.databases import create_database, database_name, fresh_database, seal_template
from jobcore_devkit.pgbouncer import HOW_TO_INSTALL as HOW_TO_INSTALL_PGBOUNCER
from jobcore_devkit.pgbouncer import PgBouncer, find_pgbouncer
from jobcore_devkit.postgres import PostgresServer
from jobcore_devkit.temporal import HOW_TO_INSTALL as HOW_TO_INSTALL_TEMPORAL
from jobcore_devkit.temporal import TemporalServer, find_temporal

__all__ = [
    "Migrator",
    "database_dsn",
    "durable_database_dsn",
    "durable_postgres_server",
    "empty_database_dsn",
    "jobcore_migrator",
    "jobcore_temporal",
    "migrate_template",
    "pgbouncer",
    "pgbouncer_dsn",
    "postgres_bin_dir",
    "postgres_server",
    "require",
    "template_database",
    "temporal_namespace",
    "temporal_options",
]

Migrator = Callable[[str], object]

BIN_VARIABLE = "JOBCORE_POSTGRES_BIN"
TEMPLATE = "jobcore_template"
SETTINGS = {"max_connections": "200"}


def require(component: str, present: object, how_to_install: str) -> None:
    """Go on if `present` is true. Otherwise skip the test, or fail it where the environment variable CI is true.

    A machine of a developer may lack a component; CI must not pass for want of one.
    """
    if present:
        return
    message = f"{component} is not on this machine. Install it: {how_to_install}"
    if os.environ.get("CI", "").lower() in ("1", "true", "yes"):
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


def migrate_template(dsn: str) -> None:
    """Apply the migrations of all installed plugins, as `jobcore migrate` does."""
    migrate(dsn)


@pytest.fixture(scope="session")
def postgres_bin_dir() -> Path | None:
    """The folder of PostgreSQL's programs; None takes the first installation that is found."""
    folder = os.environ.get(BIN_VARIABLE)
    return Path(folder) if folder else None


@pytest.fixture(scope="session")
def jobcore_migrator() -> Migrator:
    """What migrates a database, given its DSN."""
    return migrate_template


@pytest.fixture(scope="session")
def postgres_server(postgres_bin_dir: Path | None) -> Generator[PostgresServer]:
    """A server for all tests of this process; it ends with the process, even if that is killed."""
    with PostgresServer.temporary(bin_dir=postgres_bin_dir, settings=SETTINGS) as server:
        yield server


@pytest.fixture(scope="session")
def durable_postgres_server(postgres_bin_dir: Path | None) -> Generator[PostgresServer]:
    """A server with fsync on, which tests may crash and restart."""
    with PostgresServer.temporary(bin_dir=postgres_bin_dir, settings=SETTINGS, durable=True) as server:
        yield server


@pytest.fixture(scope="session")
def template_database(postgres_server: PostgresServer, jobcore_migrator: Migrator) -> str:
    """The name of the migrated database that `database_dsn` copies."""
    create_database(postgres_server, TEMPLATE)
    jobcore_migrator(postgres_server.dsn(TEMPLATE))
    seal_template(postgres_server, TEMPLATE)
    return TEMPLATE


@pytest.fixture
def database_dsn(postgres_server: PostgresServer, template_database: str) -> Generator[str]:
    """The DSN of a migrated database that only this test uses."""
    with fresh_database(postgres_server, template=template_database) as dsn:
        yield dsn


@pytest.fixture
def empty_database_dsn(postgres_server: PostgresServer) -> Generator[str]:
    """The DSN of an empty database that only this test uses."""
    with fresh_database(postgres_server) as dsn:
        yield dsn


@pytest.fixture
def durable_database_dsn(durable_postgres_server: PostgresServer, jobcore_migrator: Migrator) -> Generator[str]:
    """The DSN of a migrated database on the server that may be crashed."""
    durable_postgres_server.start()  # a test before may have left it stopped
    with fresh_database(durable_postgres_server) as dsn:
        jobcore_migrator(dsn)
        yield dsn


@pytest.fixture(scope="session")
def pgbouncer(postgres_server: PostgresServer) -> Generator[PgBouncer]:
    """PgBouncer in transaction mode; where it is not installed, the test is skipped, or fails in CI."""
    require("PgBouncer", find_pgbouncer(), HOW_TO_INSTALL_PGBOUNCER)
    with PgBouncer(postgres_server) as pool:
        yield pool


@pytest.fixture
def pgbouncer_dsn(pgbouncer: PgBouncer, database_dsn: str) -> str:
    """The DSN of `database_dsn`'s database through PgBouncer, as superuser."""
    return pgbouncer.dsn(database_name(database_dsn))


@pytest.fixture(scope="session")
def temporal_options() -> Mapping[str, Any]:
    """What `jobcore_temporal` is made with, by the names of `TemporalServer`'s arguments."""
    return {}


@pytest.fixture(scope="session")
def jobcore_temporal(temporal_options: Mapping[str, Any]) -> Generator[TemporalServer]:
    """A Temporal for all tests of this process; where it is not installed, the test is skipped, or fails in CI."""
    require("Temporal", find_temporal(), HOW_TO_INSTALL_TEMPORAL)
    with TemporalServer(**temporal_options) as server:
        yield server


@pytest.fixture
def temporal_namespace(jobcore_temporal: TemporalServer) -> str:
    """The name of a namespace that only this test uses, with the server's search attributes."""
    jobcore_temporal.start()  # a test before may have left it stopped
    name = f"test-{uuid4().hex[:16]}"
    jobcore_temporal.create_namespace(name)
    return name
