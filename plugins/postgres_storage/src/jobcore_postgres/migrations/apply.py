"""Up and down: each migration in a transaction of its own, together with its line in the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString, cast

from psycopg import Connection
from psycopg.rows import TupleRow

from jobcore.errors import MigrationError
from jobcore_postgres.migrations.components import Component, installed_components
from jobcore_postgres.migrations.functions import drop_functions, refresh_functions
from jobcore_postgres.migrations.ledger import add_entry, applied_versions, read_ledger, remove_entry
from jobcore_postgres.migrations.roles import prepare_roles
from jobcore_postgres.migrations.session import migration_session, step
from jobcore_postgres.statements import statement


def migrate(dsn: str, *, components: Sequence[Component] | None = None) -> tuple[str, ...]:
    """Bring the schema of every installed component up to date; return what was applied, as `component VERSION_name`.

    Blocks, also while another process migrates the same database. May be killed at any point and run again.

    Args:
        dsn: the server itself, not a pooler; a login that may create roles, or for which the roles exist.
        components: instead of the installed ones, in the order in which to apply them.

    Raises:
        MigrationError: if a migration is refused; the earlier ones stay applied.
        StorageUnavailableError: if the database cannot be reached.
    """
    chosen = installed_components() if components is None else components
    applied: list[str] = []
    with migration_session(dsn) as connection:
        prepare_roles(connection)
        with step(connection, "Making the ledger of migrations"):
            connection.execute(statement("ledger_create"))
        for component in chosen:
            applied += _bring_up(connection, component)
    return tuple(applied)


def down(dsn: str, component: str, to: str = "0", *, components: Sequence[Component] | None = None) -> tuple[str, ...]:
    """Take back a component's migrations after the version `to` (`"0"`: all of them); return which. Blocks.

    The component's functions go as well; the `migrate` of the version that fits the schema makes its own again.

    Raises:
        MigrationError: if the component or the version is unknown, a migration that we do not have is applied, another
            component that needs this one is still there, or PostgreSQL refuses.
        StorageUnavailableError: if the database cannot be reached.
    """
    chosen = installed_components() if components is None else components
    target = _find(chosen, component)
    if to != "0" and to not in {migration.version for migration in target.migrations}:
        raise MigrationError(
            f"The component {component!r} has no version {to!r}; it has "
            f"{', '.join(migration.version for migration in target.migrations)}, and 0 for none of them."
        )
    with migration_session(dsn) as connection:
        _refuse_dependents(connection, target, chosen)
        return _take_down(connection, target, to)


def _bring_up(connection: Connection[TupleRow], component: Component) -> list[str]:
    applied: list[str] = []
    present = applied_versions(connection, component.name)
    for migration in component.migrations:
        if migration.version in present:
            continue
        with step(connection, f"The migration {component.name} {migration}"):
            connection.execute(cast("LiteralString", migration.up))
            add_entry(connection, component, migration)
        applied.append(f"{component.name} {migration}")
    with step(connection, f"Making the functions of {component.name}"):
        refresh_functions(connection, component)
    return applied


def _take_down(connection: Connection[TupleRow], component: Component, to: str) -> tuple[str, ...]:
    present = applied_versions(connection, component.name)
    if unknown := sorted(present - {migration.version for migration in component.migrations}):
        raise MigrationError(
            f"The database has migrations of {component.name!r} that this version does not know "
            f"({', '.join(unknown)}): take them back with the version that brought them."
        )
    leaving = [m for m in reversed(component.migrations) if m.version in present and (to == "0" or m.version > to)]
    if leaving:
        with step(connection, f"Dropping the functions of {component.name}"):
            drop_functions(connection, component)
    for migration in leaving:
        with step(connection, f"Taking back the migration {component.name} {migration}"):
            connection.execute(cast("LiteralString", migration.down))
            remove_entry(connection, component, migration)
    if leaving and to == "0":
        with step(connection, "Dropping the ledger of migrations"):
            connection.execute(statement("ledger_drop"))
    return tuple(f"{component.name} {migration}" for migration in leaving)


def _refuse_dependents(connection: Connection[TupleRow], target: Component, components: Sequence[Component]) -> None:
    standing = {entry.component for entry in read_ledger(connection)}
    if needing := sorted(c.name for c in components if target.name in c.after and c.name in standing):
        raise MigrationError(
            f"The component {target.name!r} is needed by {', '.join(needing)}, which is still in the database: "
            f"take that down first (`jobcore migrate down {needing[0]}`)."
        )


def _find(components: Sequence[Component], name: str) -> Component:
    for component in components:
        if component.name == name:
            return component
    raise MigrationError(
        f"There is no schema component {name!r}; installed: {', '.join(c.name for c in components) or 'none'}."
    )
