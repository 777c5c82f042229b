"""The database: the application's pool, and connections of one's own for workers."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias, TypeVar, cast

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow, tuple_row
from psycopg_pool import AsyncConnectionPool

from jobcore.errors import ForeignConnectionError, InputError, StorageUnavailableError
from jobcore_postgres.addresses import describe_address, with_keepalives
from jobcore_postgres.borrowing import borrowed
from jobcore_postgres.errors import CONFLICTS, is_connection_loss, leads_to_standby, translated, unavailable
from jobcore_postgres.retry import Backoff
from jobcore_postgres.settings import PostgresSettings
from jobcore_postgres.statements import statement

Connection: TypeAlias = AsyncConnection[TupleRow]
T = TypeVar("T")

APPLICATION_NAME = "jobcore"


class Database:
    """One PostgreSQL database. All connections are in autocommit mode; transactions are opened where they are needed.

    Prepared statements are used unless a pooler is in between, which hands out other sessions than those that prepared
    them. Nothing is set at start-up of a session, so that pgbouncer in transaction mode serves as well.

    Args:
        dsn: a libpq URL or connection string. It is never logged.
        settings: the sizes and times of the pool.
        pool: the application's own pool, already open, to be used instead of one of ours (G02). It leads to the same
            database, and stays the application's to close.

    Raises:
        ConfigurationError: if `dsn` does not parse.
    """

    def __init__(
        self, dsn: str, settings: PostgresSettings | None = None, *, pool: AsyncConnectionPool[Any] | None = None
    ) -> None:
        self._dsn = with_keepalives(dsn)
        self._settings = settings or PostgresSettings()
        self._shared = pool
        self._pool: AsyncConnectionPool[Connection] | None = None
        self._place: str | None = None

    @property
    def address(self) -> str:
        """Host, port, database and user, for messages."""
        return describe_address(self._dsn)

    async def open(self) -> None:
        """Connect once, to know that one can, and open the pool. Raises `StorageUnavailableError`."""
        if self._pool is not None:
            return
        self._place = await self._look_up_place()
        if self._shared is not None:
            self._pool = self._shared
            return
        self._pool = AsyncConnectionPool(
            self._dsn,
            connection_class=AsyncConnection[TupleRow],
            min_size=min(self._settings.pool_min, self._settings.pool_max),
            max_size=self._settings.pool_max,
            timeout=self._settings.pool_timeout_seconds,
            kwargs={"autocommit": True, "application_name": APPLICATION_NAME},
            configure=_mind_poolers,
            name="jobcore",
            open=False,
        )
        await self._pool.open()

    async def close(self) -> None:
        """Close the pool, unless it is the application's; repeatable. Connections in use close when they come back."""
        pool, self._pool = self._pool, None
        if pool is not None and pool is not self._shared:
            await pool.close()

    async def connect(self, *, application_name: str = APPLICATION_NAME) -> Connection:
        """Return a connection outside the pool, for the caller to close. Raises `StorageUnavailableError`."""
        try:
            connection = await AsyncConnection.connect(self._dsn, autocommit=True, application_name=application_name)
        except psycopg.OperationalError as error:
            raise self.unavailable(error) from error
        await _mind_poolers(connection)
        return connection

    def unavailable(self, error: BaseException) -> StorageUnavailableError:
        """Return the error that tells of this database that it was lost."""
        return unavailable(self._dsn, error)

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[Connection]:
        """Lend a connection of the pool, waiting for a free one; the driver's errors come out as jobcore's.

        Raises:
            StorageUnavailableError: if none can be had, or it breaks.
            SchemaVersionError, StorageError: see `jobcore_postgres.errors.translated`.
        """
        async with self.lend() as connection:
            with translated(self._dsn):
                yield connection

    @asynccontextmanager
    async def lend(self) -> AsyncGenerator[Connection]:
        """As `connection`, for SQL of the caller's own: what the driver raises in the block passes unchanged."""
        pool = self._opened()
        with translated(self._dsn):
            connection = await pool.getconn()
        try:
            if not self.is_lent:
                yield connection
            else:
                async with borrowed(connection):
                    yield connection
        except Exception as error:
            if leads_to_standby(error):
                await connection.close()  # the next one is looked up anew, and may lead to the primary
            raise
        finally:
            await pool.putconn(connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Connection]:
        """Lend a connection in a transaction that commits at the end of the block. Raises as `connection`."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def repeatable(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run `work` on a connection of the pool, again if the connection is lost, or the transaction had to end for
        another one: it must be safe to repeat.

        Raises:
            StorageUnavailableError: if the connection does not come back within `retry_seconds`.
        """
        backoff = Backoff(self._settings.retry_seconds)
        while True:
            try:
                async with self.connection() as connection:
                    return await work(connection)
            except StorageUnavailableError as error:
                if not (error.__cause__ and is_connection_loss(error.__cause__)) or not await backoff.wait():
                    raise
                await self._opened().check()
            except CONFLICTS:
                if not await backoff.wait():
                    raise

    async def ping(self) -> float:
        """Return how long a round trip takes now, in seconds. Raises `StorageUnavailableError`."""
        async with self.connection() as connection:
            begin = time.perf_counter()
            await connection.execute(statement("ping"))
            return time.perf_counter() - begin

    @property
    def is_lent(self) -> bool:
        """Whether the pool is the application's own, which counts its connections."""
        return self._shared is not None

    @property
    def place(self) -> str:
        """Which server and database this was when it was last asked, as `sql/connection_facts.sql` says it."""
        if self._place is None:
            raise self._not_open()
        return self._place

    async def is_at(self, place: str) -> bool:
        """Whether this database is at a place that a caller's connection named. Raises `StorageUnavailableError`."""
        if place != self._place:  # another database, or the server was started anew
            self._place = await self._look_up_place()
        return place == self._place

    async def require_own(self, connection: Any) -> bool:
        """Check that a caller's connection leads to this database; return whether its role sees every tenant.

        Raises:
            InputError: if it is not a psycopg `AsyncConnection`.
            ForeignConnectionError: if it leads to another server or database.
        """
        if not isinstance(connection, AsyncConnection):
            raise InputError(
                f"The connection is a {type(connection).__qualname__}; this storage takes a psycopg.AsyncConnection."
            )
        caller = cast("Connection", connection)
        place, for_all_tenants = await _facts(caller)
        if not await self.is_at(place):
            raise ForeignConnectionError(
                f"The connection leads to {caller.info.host}:{caller.info.port}/{caller.info.dbname}, and the jobs are "
                f"in another database ({self.address}): the two cannot commit together."
            )
        return for_all_tenants

    async def _look_up_place(self) -> str:
        """Ask which server and database this is, on a connection of its own: the pool may be lent out."""
        connection = await self.connect()
        async with connection:
            with translated(self._dsn):
                return await place_of(connection)

    def _opened(self) -> AsyncConnectionPool[Connection]:
        if self._pool is None:
            raise self._not_open()
        return self._pool

    def _not_open(self) -> StorageUnavailableError:
        return StorageUnavailableError(f"The storage is not open ({self.address}); call `await store.open()` first.")


async def place_of(connection: AsyncConnection[Any]) -> str:
    """Return which server and database a connection leads to, for `Database.is_at`. Raises `psycopg.Error`."""
    return (await _facts(connection))[0]


async def _facts(connection: AsyncConnection[Any]) -> tuple[str, bool]:
    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(statement("connection_facts"))
        place, for_all_tenants = (await cursor.fetchall())[0]
    return place, for_all_tenants


async def _mind_poolers(connection: Connection) -> None:
    """Give up prepared statements where a pooler answers for the server: it does not know the session's process."""
    cursor = await connection.execute(statement("backend_pid"), prepare=False)
    row = await cursor.fetchone()
    if row is None or row[0] != connection.info.backend_pid:
        connection.prepare_threshold = None
