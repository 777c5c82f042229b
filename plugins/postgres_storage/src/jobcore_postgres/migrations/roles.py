"""The roles that own, work with and read our tables, made before the first migration."""

from __future__ import annotations

import psycopg
from psycopg import Connection
from psycopg import errors as pg
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Identifier

from jobcore.errors import MigrationError
from jobcore_postgres.statements import statement

OWNER, WORKER, TENANT = "jobcore_owner", "jobcore_worker", "jobcore_tenant"

_RACES = (pg.UniqueViolation, pg.DuplicateObject, pg.InternalError_)
"""What PostgreSQL says when the migration of another database of this cluster makes the same role at the same time."""

_RACES_BORNE = 10


def prepare_roles(connection: Connection[TupleRow]) -> None:
    """Make the roles, join them, and give the owner its rights in this database. Repeatable; safe against races.

    Raises:
        MigrationError: if this login may not; the message holds the SQL that an administrator has to run.
    """
    for attempt in range(_RACES_BORNE):
        try:
            with connection.transaction():
                connection.execute(statement("roles_create"))
                connection.execute(statement("roles_rights"))
            break
        except _RACES:
            if attempt == _RACES_BORNE - 1:
                raise
        except pg.InsufficientPrivilege as error:
            raise _refused(connection, error.diag.message_primary or "a right is missing") from error
    _check_roles(connection)


def _check_roles(connection: Connection[TupleRow]) -> None:
    row = connection.execute(statement("roles_check")).fetchone()
    lacking: list[str] = row[0] if row is not None else []
    if lacking:
        raise _refused(connection, f"missing: {', '.join(lacking)}")


def _refused(connection: Connection[TupleRow], reason: str) -> MigrationError:
    return MigrationError(
        f"The login {connection.info.user!r} cannot set up the roles of jobcore ({reason}). Either let it migrate with "
        f"CREATEROLE and as the owner of the database {connection.info.dbname!r}, or have an administrator run:\n\n"
        f"{administrator_sql(connection)}\n"
        "and leave out the roles that exist already. Then run `jobcore migrate` again."
    )


def administrator_sql(connection: psycopg.Connection[TupleRow]) -> str:
    """Return the statements that an administrator runs once, for the login and the database of this connection."""
    return (
        SQL(statement("roles_administrator"))
        .format(login=Identifier(connection.info.user), database=Identifier(connection.info.dbname))
        .as_string(connection)
    )
