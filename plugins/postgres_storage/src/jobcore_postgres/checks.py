"""What `jobcore doctor` asks about the database: can it be reached, does the schema fit, may the login do its work."""

from __future__ import annotations

import asyncio
from collections import Counter

import psycopg

from jobcore.errors import SchemaVersionError, StorageError
from jobcore.plugins.registries import CheckResult
from jobcore_postgres.addresses import describe_address
from jobcore_postgres.database import Database
from jobcore_postgres.migrations.compatibility import require_schema
from jobcore_postgres.migrations.status import status
from jobcore_postgres.schema_component import own_component
from jobcore_postgres.statements import statement

NAME = "postgres"
MIGRATIONS = "migrations"


async def check_database(dsn: str | None) -> CheckResult:
    """Look at the database of this configuration; opens one connection and closes it."""
    if dsn is None:
        return CheckResult(NAME, False, "no database is configured", "Set DATABASE_URL or the DB_* variables.")
    database = Database(dsn)
    try:
        connection = await database.connect()
        async with connection:
            await require_schema(connection, own_component())
            return await _check_login(connection, dsn)
    except SchemaVersionError as error:
        return CheckResult(NAME, False, str(error), "Run `jobcore migrate`.")
    except StorageError as error:
        return CheckResult(NAME, False, str(error), "See the message.")
    except psycopg.Error as error:
        return CheckResult(NAME, False, f"{describe_address(dsn)}: {error}", "Grant the login jobcore_worker.")


async def check_migrations(dsn: str) -> CheckResult:
    """Look for migrations that installed plugins bring and the database lacks. Raises `StorageUnavailableError`."""
    lines = await asyncio.to_thread(status, dsn)
    waiting = Counter(line.component for line in lines if line.applied_at is None)
    if not waiting:
        return CheckResult(MIGRATIONS, True, f"applied: {', '.join(dict.fromkeys(line.component for line in lines))}")
    told = ", ".join(f"{count} of {component}" for component, count in waiting.items())
    return CheckResult(
        MIGRATIONS,
        True,
        f"some are not applied ({told}): jobs that need their tables fail",
        "Run `jobcore migrate`; `jobcore migrate status` lists them.",
    )


async def _check_login(connection: psycopg.AsyncConnection, dsn: str) -> CheckResult:
    cursor = await connection.execute(statement("login_facts"))
    row = await cursor.fetchone()
    version, superuser, works, narrows = row if row is not None else ("?", False, False, False)
    found = f"PostgreSQL {version} ({describe_address(dsn)})"
    if not works or not narrows:
        lacking = "jobcore_worker" if not works else "jobcore_tenant"
        return CheckResult(NAME, False, f"{found}: the login is no member of {lacking}", f"Grant it {lacking}.")
    if superuser:
        return CheckResult(
            NAME,
            True,
            f"{found}; the login is a superuser, whom row-level security does not bind",
            "In production, connect as an ordinary login that is a member of jobcore_worker and jobcore_tenant.",
        )
    return CheckResult(NAME, True, found)
