"""The domain schema: up, down, and closed between tenants."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest

from builtin_handlers.world import World
from jobcore_postgres.migrations import down, migrate, status

TABLES = "select tablename as name from pg_tables where schemaname = 'billing'"


def as_tenant(dsn: str, tenant: UUID | None) -> psycopg.Connection[tuple[object, ...]]:
    connection = psycopg.connect(dsn)
    connection.execute("set role jobcore_tenant")
    if tenant is not None:
        connection.execute("select set_config('jobcore.tenant', %s, false)", (str(tenant),))
    return connection


def test_every_table_leads_its_key_with_the_tenant_and_forces_row_security(world: World) -> None:
    keys = world.rows(
        "select c.relname, c.relrowsecurity and c.relforcerowsecurity as closed, a.attname as first_column "
        "from pg_class c join pg_namespace n on n.oid = c.relnamespace "
        "left join pg_index i on i.indrelid = c.oid and i.indisprimary "
        "left join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0] "
        "where n.nspname = 'billing' and c.relkind = 'r'"
    )
    assert len(keys) == len(world.rows(TABLES)) >= 20
    assert {row["first_column"] for row in keys} == {"tenant"}
    assert all(row["closed"] for row in keys)


def test_every_index_leads_with_the_tenant(world: World) -> None:
    indexes = world.rows("select indexdef from pg_indexes where schemaname = 'billing'")
    assert [row["indexdef"] for row in indexes if "(tenant" not in row["indexdef"]] == []


def test_a_tenant_sees_and_changes_its_own_rows_only(world: World) -> None:
    stranger = world.add_tenant()
    with as_tenant(world.dsn, stranger) as connection:
        for row in world.rows(TABLES):
            query = psycopg.sql.SQL("select tenant from billing.{}").format(psycopg.sql.Identifier(row["name"]))
            assert {tenant for (tenant,) in connection.execute(query)} <= {stranger}
        assert connection.execute("update billing.clients set name = 'x'").rowcount == 0
        assert connection.execute("delete from billing.client_billing_cycles").rowcount == 0


def test_a_tenant_cannot_write_into_another(world: World) -> None:
    stranger = world.add_tenant()
    with (
        as_tenant(world.dsn, stranger) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"),
    ):
        connection.execute(
            "insert into billing.clients (tenant, client_id, name) values (%s, gen_random_uuid(), 'x')",
            (world.tenant,),
        )


def test_without_a_tenant_nothing_is_seen(world: World) -> None:
    with as_tenant(world.dsn, None) as connection:
        assert connection.execute("select from billing.clients").rowcount == 0
        connection.execute("select set_config('jobcore.tenant', '', false)")
        assert connection.execute("select from billing.clients").rowcount == 0


def test_a_worker_sees_every_tenant(world: World) -> None:
    world.add_tenant()
    with psycopg.connect(world.dsn) as connection:
        connection.execute("set local role jobcore_worker")
        assert connection.execute("select from billing.tenants").rowcount == 2


def test_every_migration_can_be_taken_back_and_applied_again(world: World) -> None:
    before = status(world.dsn)
    down(world.dsn, "billing")
    assert world.rows("select to_regnamespace('billing') as schema") == [{"schema": None}]
    migrate(world.dsn)
    assert [line.version for line in status(world.dsn)] == [line.version for line in before]
    assert len(world.rows(TABLES)) >= 20
