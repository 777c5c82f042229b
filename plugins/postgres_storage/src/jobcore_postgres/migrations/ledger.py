"""The ledger: which migrations and functions of which component are in the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import TupleRow, class_row

from jobcore_postgres.migrations.components import Component
from jobcore_postgres.migrations.files import FunctionFile, Migration
from jobcore_postgres.statements import statement


@dataclass(frozen=True, slots=True)
class Entry:
    """A migration that was applied."""

    component: str
    version: str
    name: str
    applied_at: datetime
    checksum: str


def read_ledger(connection: Connection[TupleRow]) -> list[Entry]:
    """Return all entries, by component and version; none if there is no ledger."""
    row = connection.execute(statement("ledger_exists")).fetchone()
    if row is None or not row[0]:
        return []
    with connection.cursor(row_factory=class_row(Entry)) as cursor:
        return cursor.execute(statement("ledger_read")).fetchall()


def applied_versions(connection: Connection[TupleRow], component: str) -> set[str]:
    """Return the versions of one component that are in the database."""
    return {entry.version for entry in read_ledger(connection) if entry.component == component}


def add_entry(connection: Connection[TupleRow], component: Component, migration: Migration) -> None:
    connection.execute(statement("ledger_add"), (component.name, migration.version, migration.name, migration.checksum))


def remove_entry(connection: Connection[TupleRow], component: Component, migration: Migration) -> None:
    connection.execute(statement("ledger_remove"), (component.name, migration.version))


def read_functions(connection: Connection[TupleRow], component: str) -> dict[str, str]:
    """Return the names and checksums of a component's functions in the database."""
    rows = connection.execute(statement("ledger_functions"), (component,)).fetchall()
    return {row[0]: row[1] for row in rows}


def add_function(connection: Connection[TupleRow], component: str, function: FunctionFile) -> None:
    connection.execute(statement("ledger_function_add"), (component, function.name, function.checksum))


def remove_function(connection: Connection[TupleRow], component: str, name: str) -> None:
    connection.execute(statement("ledger_function_remove"), (component, name))
