"""The queue's schema: made, attached to, left behind; and used by logins that are not superusers."""

from __future__ import annotations

from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier

from jobcore_devkit.postgres import PostgresServer
from jobcore_postgres.migrations import down, migrate, status
from pgboss_runner.harness import TENANT, App, TrivialExecutor, noop, opened
from pgboss_runner.test_pgboss_with_node import node, require_node


async def works(app: App) -> None:
    ids = await app.enqueue("any", count=3)
    (delayed,) = await app.enqueue("any", priority=1)
    assert await app.runner.cancel(TENANT, delayed)
    async with app.working(TrivialExecutor({"any": noop})):
        await app.wait_for_status("completed", *ids)


async def test_the_component_goes_down_and_up_again_and_leaves_the_queue(database_dsn: str) -> None:
    async with opened(database_dsn) as app:
        (job_id,) = await app.enqueue("any")
    down(database_dsn, "pgboss")
    with psycopg.connect(database_dsn) as connection:
        assert connection.execute("select id from pgboss.job").fetchall() == [(job_id,)]
        ours = connection.execute("select proname from pg_proc where starts_with(proname, 'pgboss_')").fetchall()
        assert ours == []
    migrate(database_dsn)
    async with opened(database_dsn) as app:
        await works(app)


async def test_a_schema_that_node_made_is_attached_to(empty_database_dsn: str, postgres_server: PostgresServer) -> None:
    require_node()
    tcp = postgres_server.dsn(str(conninfo_to_dict(empty_database_dsn)["dbname"]), tcp=True)
    sent = await node(tcp, "send", "from-node", "{}")
    migrate(empty_database_dsn)
    async with opened(empty_database_dsn) as app:
        await works(app)
        async with app.working(TrivialExecutor({"from-node": noop})):
            await app.wait_for_status("completed", sent)


async def test_a_login_of_the_engines_role_is_enough(database_dsn: str, postgres_server: PostgresServer) -> None:
    login = f"engine_{uuid4().hex[:8]}"
    with psycopg.connect(database_dsn, autocommit=True) as connection:
        connection.execute(SQL("create role {} login in role jobcore_worker").format(Identifier(login)))
    try:
        dsn = postgres_server.dsn(str(conninfo_to_dict(database_dsn)["dbname"]), user=login)
        async with opened(dsn) as app:
            await works(app)
    finally:
        with psycopg.connect(database_dsn, autocommit=True) as connection:
            connection.execute(SQL("drop role {}").format(Identifier(login)))


def test_the_component_is_known_to_the_migrations(database_dsn: str) -> None:
    assert "pgboss" in {entry.component for entry in status(database_dsn)}


@pytest.mark.parametrize("name", ["job_common", "queue"])
def test_a_tenants_role_cannot_see_the_queue(database_dsn: str, name: str) -> None:
    with psycopg.connect(database_dsn) as connection:
        connection.execute("set local role jobcore_tenant")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(SQL("select from pgboss.{}").format(Identifier(name)))
