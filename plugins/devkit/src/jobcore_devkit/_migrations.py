"""The one place where the devkit asks the storage plugin to migrate a database."""

from __future__ import annotations

from importlib import import_module


def migrate(dsn: str) -> None:
    """Apply the migrations of all installed plugins. Blocks. Raises jobcore.errors.MigrationError."""
    import_module("jobcore_postgres.migrations").migrate(dsn)
