"""Real servers for development and for tests: PostgreSQL from a wheel or from the machine, and PgBouncer."""

from jobcore_devkit.errors import (
    BinariesNotFoundError,
    DataFolderError,
    DevkitError,
    ServerNotRunningError,
    ServerStartError,
    ServerStopError,
)
from jobcore_devkit.installations import Installation, find_installations
from jobcore_devkit.postgres import PostgresServer

__all__ = [
    "BinariesNotFoundError",
    "DataFolderError",
    "DevkitError",
    "Installation",
    "PostgresServer",
    "ServerNotRunningError",
    "ServerStartError",
    "ServerStopError",
    "find_installations",
]
