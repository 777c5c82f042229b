"""`PgBoss`: every verb of Node's pg-boss, on a PostgreSQL that Node and Python share."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from jobcore_pgboss.boss.desk import Desk, Verbs
from jobcore_postgres.database import Database


class PgBoss(Verbs):
    """An instance of pg-boss in Python: `async with PgBoss(dsn) as boss: await boss.send("mail", {...})`.

    Args:
        dsn: a libpq URL or connection string of the database that holds the schema `pgboss`.

    Raises:
        ConfigurationError: if `dsn` does not parse.
    """

    def __init__(self, dsn: str) -> None:
        super().__init__(Desk(Database(dsn)))

    async def start(self) -> Self:
        """Connect, and check that the schema can be used. Raises `StorageUnavailableError`, `SchemaVersionError`."""
        await self._desk.database.open()
        return self

    async def stop(self) -> None:
        """Close the pool; repeatable."""
        await self._desk.database.close()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()
