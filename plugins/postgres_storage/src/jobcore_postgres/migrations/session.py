"""A session that migrates: a direct connection, alone in its database under an advisory lock."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import psycopg
from psycopg import Connection
from psycopg import errors as pg
from psycopg.rows import TupleRow

from jobcore.errors import MigrationError
from jobcore_postgres.addresses import describe_address
from jobcore_postgres.errors import unavailable

ADVISORY_LOCK = 0x6A6F_6263_6F72_65
"""The key of the lock that keeps two migrations of one database apart: "jobcore"."""

LOCK_TIMEOUT = "10s"
"""How long a migration waits for a table that others use, before it gives way to them."""

SESSION_RULES = (
    f"set local lock_timeout = '{LOCK_TIMEOUT}'; set local search_path = pg_catalog; set local role jobcore_owner;"
)
"""Every migration runs as the owner, names schemas in full, and does not queue up the application behind it."""


@contextmanager
def migration_session(dsn: str, *, exclusive: bool = True) -> Generator[Connection[TupleRow]]:
    """Connect, in autocommit mode; with `exclusive`, hold the advisory lock until the end. Blocks for the lock.

    Raises:
        StorageUnavailableError: if the database cannot be reached.
        MigrationError: if there is a pooler in between: it hands out other sessions than the one that holds the lock.
    """
    try:
        connection = psycopg.connect(dsn, autocommit=True, prepare_threshold=None, application_name="jobcore migrate")
    except psycopg.OperationalError as error:
        raise unavailable(dsn, error) from error
    with connection:
        if exclusive:
            _refuse_pooler(connection, dsn)
            connection.execute("select pg_advisory_lock(%s)", (ADVISORY_LOCK,))
        yield connection


@contextmanager
def step(connection: Connection[TupleRow], what: str) -> Generator[None]:
    """Run one step in one transaction, as the owner of our objects.

    Raises:
        MigrationError: if PostgreSQL refuses; the step is rolled back. `what` names the step in the message.
    """
    try:
        with connection.transaction():
            connection.execute(SESSION_RULES)
            yield
    except pg.LockNotAvailable as error:
        raise MigrationError(
            f"{what} waited {LOCK_TIMEOUT} for a table that another transaction uses, and gave way. Nothing of it was "
            "changed. Look for long transactions in pg_stat_activity, and run it again."
        ) from error
    except psycopg.OperationalError as error:
        if error.sqlstate is None or error.sqlstate.startswith(("57P", "08")):
            raise MigrationError(
                f"{what} lost its connection to PostgreSQL. It is applied as a whole or not at all; run it again."
            ) from error
        raise MigrationError(_refusal(what, error)) from error
    except psycopg.Error as error:
        raise MigrationError(_refusal(what, error)) from error


def _refusal(what: str, error: psycopg.Error) -> str:
    hint = f" {error.diag.message_hint}" if error.diag.message_hint else ""
    return f"{what} failed and was rolled back: {error.diag.message_primary or error}.{hint}"


def _refuse_pooler(connection: Connection[TupleRow], dsn: str) -> None:
    row = connection.execute("select pg_backend_pid()").fetchone()
    if row is not None and row[0] != connection.info.backend_pid:
        raise MigrationError(
            "Migrations need a connection of their own to PostgreSQL, and there is a pooler in between "
            f"({describe_address(dsn)}). Give `jobcore migrate` the address of the server itself."
        )
