"""From the driver's errors to jobcore's: what happened, to which database, and what to do."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import psycopg
from psycopg import errors as pg
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

from jobcore.errors import SchemaVersionError, StorageError, StorageUnavailableError
from jobcore_postgres.addresses import describe_address, hide_password

CONNECTION_LOST = (
    pg.AdminShutdown,
    pg.CrashShutdown,
    pg.CannotConnectNow,
    pg.ConnectionException,
    pg.ConnectionFailure,
    pg.ConnectionDoesNotExist,
    pg.IdleSessionTimeout,
    pg.TooManyConnections,
)
CONFLICTS = (pg.DeadlockDetected, pg.SerializationFailure)
"""How PostgreSQL ends one of two transactions that could not both go on."""
READ_ONLY = pg.ReadOnlySqlTransaction
"""What a standby answers to a write: after a failover the connection leads to the wrong server."""
_ABSENT = (pg.UndefinedTable, pg.UndefinedFunction, pg.UndefinedColumn, pg.InvalidSchemaName)


def is_connection_loss(error: BaseException) -> bool:
    """Whether `error` says that the connection, not the statement, is at fault."""
    if isinstance(error, (*CONNECTION_LOST, READ_ONLY)):
        return True
    # libpq's own failures (refused, closed, timed out) carry no SQLSTATE
    return (
        isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        and getattr(error, "sqlstate", None) is None
    )


def leads_to_standby(error: BaseException) -> bool:
    """Whether `error`, or what it was made of, says that the server takes no writes."""
    return isinstance(error, READ_ONLY) or isinstance(error.__cause__, READ_ONLY)


def unavailable(dsn: str, error: BaseException) -> StorageUnavailableError:
    """Return the error for a database that cannot be reached."""
    if isinstance(error, READ_ONLY):
        return StorageUnavailableError(
            f"PostgreSQL takes no writes ({describe_address(dsn)}): {_primary(error)}. It is a standby, or set to "
            "read-only. After a failover the address must lead to the new primary; with several hosts in it, add "
            "target_session_attrs=read-write."
        )
    reason = hide_password(" ".join(str(error).split()), dsn) or type(error).__name__
    return StorageUnavailableError(
        f"PostgreSQL cannot be reached ({describe_address(dsn)}): {reason}. "
        "Check that the server runs, that the address is right and that the login is let in."
    )


@contextmanager
def translated(dsn: str) -> Generator[None]:
    """Run a block; raise the driver's errors as jobcore's. Errors that a caller's own SQL made pass through unchanged.

    Raises:
        StorageUnavailableError: the database cannot be reached, or the pool is exhausted.
        SchemaVersionError: what should be in the schema is not there.
        StorageError: the login lacks a right.
    """
    try:
        yield
    except (PoolTimeout, PoolClosed, TooManyRequests) as error:
        raise unavailable(dsn, error) from error
    except _ABSENT as error:
        raise SchemaVersionError(
            f"The database's schema lacks what this version needs ({_primary(error)}; {describe_address(dsn)}). "
            "Run `jobcore migrate`."
        ) from error
    except pg.InsufficientPrivilege as error:
        raise StorageError(
            f"The login may not do this ({_primary(error)}; {describe_address(dsn)}). "
            "Grant it the role jobcore_worker (engine) or jobcore_tenant (one tenant)."
        ) from error
    except (psycopg.OperationalError, psycopg.InterfaceError, READ_ONLY) as error:
        if is_connection_loss(error):
            raise unavailable(dsn, error) from error
        raise


def _primary(error: psycopg.Error) -> str:
    return error.diag.message_primary or str(error)
