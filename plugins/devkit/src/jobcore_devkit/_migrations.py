"""The one place where the devkit asks the storage plugin to migrate a database."""

from __future__ import annotations


def migrate(dsn: str) -> None:
    """Apply the migrations of all installed plugins. Blocks. Raises jobcore.errors.MigrationError."""
    from jobcore_postgres import migrations  # it loads the driver, which whoever lists plugins does without

    migrations.migrate(dsn)
