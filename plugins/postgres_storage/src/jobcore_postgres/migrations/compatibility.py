"""Whether this build can work with the schema that it finds: one version behind or ahead is fine, further is not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from psycopg import AsyncConnection

from jobcore.errors import SchemaVersionError
from jobcore_postgres.migrations.components import Component
from jobcore_postgres.statements import statement

TOLERANCE = 1
"""Versions that the schema may be behind or ahead, so that workers and schema can be upgraded one after the other."""


async def require_schema(connection: AsyncConnection[Any], component: Component) -> None:
    """Check that the schema of `component` fits this build.

    Raises:
        SchemaVersionError: if it is missing, or more than one version older or newer.
    """
    cursor = await connection.execute(statement("ledger_exists"))
    row = await cursor.fetchone()
    present: list[str] = []
    if row is not None and row[0]:
        cursor = await connection.execute(statement("ledger_versions"), (component.name,))
        present = [version for (version,) in await cursor.fetchall()]
    check_versions(component.name, [migration.version for migration in component.migrations], present)


def check_versions(component: str, known: Iterable[str], present: Iterable[str]) -> None:
    """Compare the versions that this build knows with those that the database has. Raises `SchemaVersionError`."""
    known, present = set(known), set(present)
    if not present:
        raise SchemaVersionError(
            f"The database has no schema of the component {component!r}. Run `jobcore migrate` against it."
        )
    if len(missing := sorted(known - present)) > TOLERANCE:
        raise SchemaVersionError(
            f"The database's schema of {component!r} is {len(missing)} versions older than this build "
            f"(it lacks {', '.join(missing)}); {TOLERANCE} would do. Run `jobcore migrate`."
        )
    if len(unknown := sorted(present - known)) > TOLERANCE:
        raise SchemaVersionError(
            f"The database's schema of {component!r} is {len(unknown)} versions newer than this build "
            f"(it has {', '.join(unknown)}); {TOLERANCE} would do. Upgrade jobcore on this machine."
        )
