"""Databases on a server of ours: made, copied from a template, dropped. Everything here blocks."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier

from jobcore_devkit.postgres import PostgresServer

__all__ = ["create_database", "database_exists", "database_name", "drop_database", "fresh_database", "seal_template"]


@contextmanager
def fresh_database(server: PostgresServer, *, template: str | None = None) -> Generator[str]:
    """Give the DSN of a new database, a copy of `template` or empty, and drop it afterwards, whoever is connected."""
    name = f"test_{uuid4().hex[:16]}"
    create_database(server, name, template=template)
    try:
        yield server.dsn(name)
    finally:
        drop_database(server, name)


def create_database(server: PostgresServer, name: str, *, template: str | None = None) -> None:
    """Create a database, empty (`template0`) or as a copy. Nobody may be connected to the template."""
    statement = SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(template or "template0"))
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(statement)


def drop_database(server: PostgresServer, name: str) -> None:
    """Drop a database if it exists, and end all connections to it. Starts a server that a test left stopped."""
    server.start()
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name)))


def seal_template(server: PostgresServer, name: str) -> None:
    """Let nobody connect to a database any more, so that it can be copied at any moment."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(Identifier(name)))


def database_exists(server: PostgresServer, name: str) -> bool:
    """Say whether the server has a database of this name."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        return connection.execute("SELECT FROM pg_database WHERE datname = %s", (name,)).fetchone() is not None


def database_name(dsn: str) -> str:
    """The database that a DSN names."""
    return str(conninfo_to_dict(dsn)["dbname"])
