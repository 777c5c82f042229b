"""The functions of a component: made when new or changed, dropped when gone, granted by their name."""

from __future__ import annotations

from typing import LiteralString, cast

from psycopg import Connection
from psycopg import errors as pg
from psycopg.rows import TupleRow
from psycopg.sql import SQL

from jobcore_postgres.migrations.components import Component
from jobcore_postgres.migrations.files import FunctionFile
from jobcore_postgres.migrations.ledger import add_function, read_functions, remove_function
from jobcore_postgres.migrations.roles import TENANT, WORKER
from jobcore_postgres.statements import statement

TENANT_MARK = "tenant_"
"""Functions with this in their names check the tenant themselves, and are granted to callers who see one tenant."""


def refresh_functions(connection: Connection[TupleRow], component: Component) -> list[str]:
    """Bring the functions in the database to those of the component; return the names that changed."""
    present = read_functions(connection, component.name)
    gone = sorted(present.keys() - {function.name for function in component.functions})
    changed = [function for function in component.functions if present.get(function.name) != function.checksum]
    for name in gone:
        _drop(connection, component, name)
    if changed:
        connection.execute("set local check_function_bodies = off")  # they may call one another in any order
    for function in changed:
        _make(connection, component, function)
    return [*gone, *(function.name for function in changed)]


def drop_functions(connection: Connection[TupleRow], component: Component) -> None:
    """Drop every function of the component."""
    for name in sorted(read_functions(connection, component.name)):
        _drop(connection, component, name)


def _make(connection: Connection[TupleRow], component: Component, function: FunctionFile) -> None:
    text = cast("LiteralString", function.text)
    try:
        with connection.transaction():
            connection.execute(text)
    except pg.InvalidFunctionDefinition:  # its result changed: it cannot be replaced in place
        _drop(connection, component, function.name)
        connection.execute(text)
    for signature in _signatures(connection, function.name):
        connection.execute(SQL("revoke execute on function {} from public").format(signature))
        connection.execute(SQL("grant execute on function {} to {}").format(signature, SQL(WORKER)))
        if TENANT_MARK in function.name:
            connection.execute(SQL("grant execute on function {} to {}").format(signature, SQL(TENANT)))
    add_function(connection, component.name, function)


def _drop(connection: Connection[TupleRow], component: Component, name: str) -> None:
    for signature in _signatures(connection, name):
        connection.execute(SQL("drop function {}").format(signature))
    remove_function(connection, component.name, name)


def _signatures(connection: Connection[TupleRow], name: str) -> list[SQL]:
    """Return the signatures as PostgreSQL itself wrote and quoted them."""
    rows = connection.execute(statement("function_signatures"), (name,)).fetchall()
    return [SQL(cast("LiteralString", row[0])) for row in rows]
