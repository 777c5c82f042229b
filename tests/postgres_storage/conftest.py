"""What the tests of the storage share: logins that are no superusers, and a store that uses one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pytest
from psycopg import Connection
from psycopg.sql import SQL, Identifier

from jobcore_devkit.databases import database_name
from jobcore_devkit.pgbouncer import PgBouncer
from jobcore_devkit.postgres import PostgresServer
from jobcore_postgres.settings import PostgresSettings
from jobcore_postgres.store import PostgresStore

WORKER_LOGIN = "test_worker"
"""Works as the engine, and acts for a tenant in `ctx.db`."""
TENANT_LOGIN = "test_tenant"
"""Sees one tenant, and nothing else."""


@pytest.fixture(scope="session")
def logins(postgres_server: PostgresServer, template_database: str) -> None:
    """Two logins that are no superusers, members of our roles."""
    with psycopg.connect(postgres_server.dsn(), autocommit=True) as connection:
        connection.execute(f"create role {WORKER_LOGIN} login in role jobcore_worker, jobcore_tenant".encode())
        connection.execute(f"create role {TENANT_LOGIN} login in role jobcore_tenant".encode())


@pytest.fixture
def worker_dsn(postgres_server: PostgresServer, database_dsn: str, logins: None) -> str:
    return postgres_server.dsn(database_name(database_dsn), user=WORKER_LOGIN)


@pytest.fixture
def tenant_dsn(postgres_server: PostgresServer, database_dsn: str, logins: None) -> str:
    return postgres_server.dsn(database_name(database_dsn), user=TENANT_LOGIN)


@pytest.fixture
def pooled_worker_dsn(pgbouncer: PgBouncer, database_dsn: str, logins: None) -> str:
    return pgbouncer.dsn(database_name(database_dsn), user=WORKER_LOGIN)


@pytest.fixture
def pooled_tenant_dsn(pgbouncer: PgBouncer, database_dsn: str, logins: None) -> str:
    return pgbouncer.dsn(database_name(database_dsn), user=TENANT_LOGIN)


@pytest.fixture
async def store(worker_dsn: str) -> AsyncIterator[PostgresStore]:
    """An open store over a database of this test's own, as a login that is no superuser."""
    opened = PostgresStore(worker_dsn, PostgresSettings(pool_max=8))
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def admin(database_dsn: str) -> Iterator[Connection]:
    """A superuser's connection to the test's database, to look and to disturb."""
    with psycopg.connect(database_dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture
def new_login(postgres_server: PostgresServer) -> Iterator[Callable[[str], str]]:
    """Make a login with these attributes; it goes, with what it owns, when the test ends."""
    names: list[str] = []

    def make(attributes: str) -> str:
        names.append(f"login_{uuid4().hex[:10]}")
        with psycopg.connect(postgres_server.dsn(), autocommit=True) as connection:
            connection.execute(f"create role {names[-1]} login {attributes}".encode())
        return names[-1]

    yield make
    with psycopg.connect(postgres_server.dsn(), autocommit=True) as connection:
        for name in names:
            with _own_databases(connection, name):
                connection.execute(SQL("drop owned by {} cascade").format(Identifier(name)))
                connection.execute(SQL("drop role {}").format(Identifier(name)))


@contextmanager
def _own_databases(connection: Connection, login: str) -> Iterator[None]:
    found = connection.execute(
        "select datname from pg_database where datdba = (select oid from pg_roles where rolname = %s)", (login,)
    ).fetchall()
    for (name,) in found:
        connection.execute(SQL("drop database {} with (force)").format(Identifier(name)))
    yield
