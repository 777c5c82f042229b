"""The storage's second background role: one of the workers counts what waits of tenants that are near their quotas."""

from __future__ import annotations

import psycopg

from jobcore.errors import StorageError
from jobcore_postgres.database import Database
from jobcore_postgres.queries import value_of

WITHOUT_QUOTAS = 60.0
"""Seconds after which it is asked again whether anybody has a quota."""


class Counter:
    """Spares those who enqueue the counting. Without it they count themselves: nothing else depends on it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def turn(self) -> float:
        """Count if it is due and nobody else does; return after how many seconds to ask again.

        Raises:
            StorageUnavailableError, SchemaVersionError: from the database.
            StorageError: if it broke off a statement of ours.
        """
        try:
            async with self._database.connection() as connection:
                return await value_of(connection, "quota_keep_up") or WITHOUT_QUOTAS
        except psycopg.Error as error:
            raise StorageError(f"Counting the waiting jobs of tenants with quotas was broken off: {error}") from error
