"""Tells of pg-boss's schema itself, before an instance is started too."""

from __future__ import annotations

from jobcore_pgboss.boss.desk import Verbs
from jobcore_pgboss.schema import read_version
from jobcore_pgboss.statements import statement


class Installation(Verbs):
    """`is_installed`, `schema_version`."""

    async def is_installed(self) -> bool:
        """Return whether the database has pg-boss's schema. Raises `StorageUnavailableError`."""
        async with await self._desk.database.connect() as connection:
            row = await (await connection.execute(statement("is_installed"))).fetchone()
            return row is not None and bool(row[0])

    async def schema_version(self) -> int:
        """Return the version of pg-boss's schema. Raises `SchemaVersionError` if there is none,
        `StorageUnavailableError`."""
        async with await self._desk.database.connect() as connection:
            return await read_version(connection)
