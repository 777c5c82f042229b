"""The application's database as one tenant sees it (`ctx.db`)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID

from psycopg import errors as pg

from jobcore.errors import StorageError
from jobcore_postgres.database import Connection, Database
from jobcore_postgres.statements import statement


class PostgresTenantDatabase:
    """Transactions in which the role is `jobcore_tenant` and the tenant is set; both end with the transaction."""

    def __init__(self, database: Database, tenant: UUID) -> None:
        self._database = database
        self._tenant = tenant

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Connection]:
        """Open a transaction and yield its psycopg connection, in which row-level security shows one tenant.

        Raises:
            StorageUnavailableError: if no connection can be had.
            StorageError: if the login is no member of `jobcore_tenant`.
        """
        async with self._database.lend() as connection, connection.transaction():
            try:
                await connection.execute(statement("tenant_enter"), (str(self._tenant),))
            except (pg.InsufficientPrivilege, pg.InvalidParameterValue) as error:
                raise StorageError(
                    f"The login {connection.info.user!r} cannot act as jobcore_tenant: "
                    "run `jobcore migrate`, or grant it that role."
                ) from error
            yield connection
