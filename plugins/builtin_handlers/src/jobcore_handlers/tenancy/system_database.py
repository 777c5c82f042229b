"""The application's database as the system sees it: every tenant's rows."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from jobcore.errors import ConfigurationError
from jobcore_handlers.statements import Connection, Statements

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp


class SystemDatabase:
    """Transactions as `jobcore_worker`; a handler's own `ctx.db` is one tenant's. A service of the handlers.

    It is for jobs of the system tenant only: nothing but their statements keeps tenants apart.
    """

    def __init__(self, app: JobApp) -> None:
        self._app = app

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Connection]:
        """Open a transaction and yield its connection.

        Raises:
            ConfigurationError: if the storage in use is not PostgreSQL.
            StorageUnavailableError: if no connection can be had.
            StorageError: if the login is no member of `jobcore_worker`.
        """
        from jobcore_postgres.store import PostgresStore

        store = self._app.store
        if not isinstance(store, PostgresStore):
            raise ConfigurationError(
                f"The storage {store.storage_type!r} has no table of tenants; work for every tenant needs 'postgres'."
            )
        async with store.database.transaction() as connection:
            await Statements("tenancy", connection).run("act_as_worker")
            yield connection
