"""Attaching to pg-boss's schema: which versions we speak, and what we need of them."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection
from psycopg import errors as pg

from jobcore.errors import SchemaVersionError
from jobcore_pgboss import logs
from jobcore_pgboss.statements import statement

OLDEST = 42
NEWEST = 46

REQUIRED = {
    "job": (
        "id name priority data state retry_limit retry_count retry_delay retry_backoff retry_delay_max expire_seconds "
        "deletion_seconds singleton_key singleton_on group_id group_tier start_after created_on started_on "
        "completed_on keep_until output dead_letter policy heartbeat_on heartbeat_seconds blocked blocking "
        "source_name source_id source_created_on source_retry_count"
    ),
    "queue": (
        "name policy retry_limit retry_delay retry_backoff retry_delay_max expire_seconds retention_seconds "
        "deletion_seconds dead_letter partition table_name heartbeat_seconds notify"
    ),
}
"""The columns that our SQL names. One that is not among these may be missing."""


async def attach(connection: AsyncConnection[Any]) -> int:
    """Check that the queue's schema can be used, and return its version.

    Raises:
        SchemaVersionError: if it is missing, too old, or lacks a column that we need.
    """
    version = await read_version(connection)
    if version < OLDEST:
        raise SchemaVersionError(
            f"pg-boss's schema has version {version}; this build needs {OLDEST} to {NEWEST}. Upgrade it with the Node "
            "service that owns it (pg-boss 12.34 or later)."
        )
    if version > NEWEST:
        logs.schema_newer(version, NEWEST)
    if missing := await _missing_columns(connection):
        raise SchemaVersionError(
            f"pg-boss's schema (version {version}) lacks {', '.join(missing)}, which this build needs: "
            "it speaks the versions "
            f"{OLDEST} to {NEWEST}. Install a jobcore-pgboss-runner made for this version."
        )
    return version


async def read_version(connection: AsyncConnection[Any]) -> int:
    """Return the version of pg-boss's schema. Raises `SchemaVersionError` if there is none."""
    try:
        row = await (await connection.execute(statement("schema_version"))).fetchone()
    except (pg.UndefinedTable, pg.InvalidSchemaName) as error:
        raise SchemaVersionError("The database has no pg-boss schema. Run `jobcore migrate`.") from error
    if row is None or row[0] is None:
        raise SchemaVersionError("pg-boss's schema names no version: its installation was interrupted. Repair it.")
    return int(row[0])


async def _missing_columns(connection: AsyncConnection[Any]) -> list[str]:
    pairs = [(relation, column) for relation, columns in REQUIRED.items() for column in columns.split()]
    wanted = {"relations": [relation for relation, _ in pairs], "columns": [column for _, column in pairs]}
    row = await (await connection.execute(statement("missing_columns"), wanted)).fetchone()
    return [] if row is None or row[0] is None else list(row[0])
