"""The script of migrations, for those who let an administrator apply them with psql."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg.sql import SQL, Literal

from jobcore_postgres.migrations.components import Component, installed_components
from jobcore_postgres.migrations.files import FunctionFile, Migration
from jobcore_postgres.migrations.functions import TENANT_MARK
from jobcore_postgres.migrations.roles import TENANT, WORKER
from jobcore_postgres.migrations.session import ADVISORY_LOCK, SESSION_RULES
from jobcore_postgres.migrations.status import status
from jobcore_postgres.statements import statement


def render_sql(dsn: str | None = None, *, components: Sequence[Component] | None = None) -> str:
    """Return what `migrate` would run, as a script for psql; nothing is changed.

    Args:
        dsn: leave out what this database has already; without it the script is for an empty one. Blocks to ask.
        components: instead of the installed ones.

    Raises:
        StorageUnavailableError: if `dsn` is given and cannot be reached.
    """
    chosen = installed_components() if components is None else components
    applied = _applied(dsn, chosen)
    parts = [
        r"\set ON_ERROR_STOP on",
        f"select pg_advisory_lock({ADVISORY_LOCK});",
        _transaction("roles", statement("roles_create"), statement("roles_rights"), as_owner=False),
        _transaction("the ledger", statement("ledger_create")),
    ]
    for component in chosen:
        for migration in component.migrations:
            if (component.name, migration.version) not in applied:
                name = f"{component.name} {migration}"
                parts.append(_transaction(name, migration.up, _entry(component, migration)))
        if component.functions:
            parts.append(_functions(component))
    parts.append(f"select pg_advisory_unlock({ADVISORY_LOCK});")
    return "\n\n".join(parts) + "\n"


def _applied(dsn: str | None, components: Sequence[Component]) -> set[tuple[str, str]]:
    if dsn is None:
        return set()
    return {(line.component, line.version) for line in status(dsn, components=components) if line.applied_at}


def _transaction(name: str, *statements: str, as_owner: bool = True) -> str:
    body = [text.strip().rstrip(";") + ";" for text in statements]
    return "\n".join([f"-- {name}", "begin;", *([SESSION_RULES] if as_owner else []), *body, "commit;"])


def _functions(component: Component) -> str:
    statements = ["set local check_function_bodies = off"]
    for function in component.functions:
        statements += [function.text, *_grants(function), _function_entry(component, function)]
    return _transaction(f"the functions of {component.name}", *statements)


def _grants(function: FunctionFile) -> list[str]:
    roles = f"{WORKER}, {TENANT}" if TENANT_MARK in function.name else WORKER
    return [
        f"revoke execute on function jobcore.{function.name} from public",
        f"grant execute on function jobcore.{function.name} to {roles}",
    ]


def _entry(component: Component, migration: Migration) -> str:
    return _bound("ledger_add", component.name, migration.version, migration.name, migration.checksum)


def _function_entry(component: Component, function: FunctionFile) -> str:
    return _bound("ledger_function_add", component.name, function.name, function.checksum)


def _bound(name: str, *values: str) -> str:
    template = SQL(statement(name).replace("%s", "{}"))
    return template.format(*(Literal(value) for value in values)).as_string(None)
