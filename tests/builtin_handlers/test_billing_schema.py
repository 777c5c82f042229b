"""The domain schema: up, down, and closed between tenants."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import psycopg
import pytest

from builtin_handlers.world import World
from jobcore import SYSTEM_TENANT
from jobcore_devkit.postgres import PostgresServer
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


TENANT_LAST = {"invoices_number_taken", "invoices_cycle_billed", "invoices_by_client"}
"""An invoice is looked for by its key so often that no other index is to seem as good a way there."""


def test_every_index_leads_with_the_tenant(world: World) -> None:
    indexes = world.rows("select indexname, indexdef from pg_indexes where schemaname = 'billing'")
    assert {row["indexname"] for row in indexes if "(tenant" not in row["indexdef"]} == TENANT_LAST
    assert all(", tenant)" in row["indexdef"] for row in indexes if row["indexname"] in TENANT_LAST)


def test_a_tenant_sees_and_changes_its_own_rows_only(world: World) -> None:
    stranger = world.add_tenant()
    with as_tenant(world.dsn, stranger) as connection:
        for row in world.rows(TABLES):
            query = psycopg.sql.SQL("select tenant from billing.{}").format(psycopg.sql.Identifier(row["name"]))
            readable = {stranger, SYSTEM_TENANT} if row["name"] == "mail_templates" else {stranger}
            assert {tenant for (tenant,) in connection.execute(query)} <= readable
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


def test_a_tenant_can_add_to_its_audit_log_and_not_change_it(world: World) -> None:
    row = world.add("audit_logs", user_id=world.user, operation="credit_expired", table_name="credit_tracking")
    with as_tenant(world.dsn, world.tenant) as connection:
        assert connection.execute("select audit_id from billing.audit_logs").fetchall() == [(row["audit_id"],)]
        for change in ("update billing.audit_logs set operation = 'x'", "delete from billing.audit_logs"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(change)


def test_an_owner_who_is_no_superuser_brings_the_rows_along() -> None:
    """Row-level security is forced on whoever migrates, too."""
    with PostgresServer.temporary() as server:
        with psycopg.connect(server.dsn(), autocommit=True) as administrator:
            administrator.execute("create role manager login createrole")
            administrator.execute("create database app owner manager")
        owner = server.dsn("app", user="manager")
        migrate(owner)
        down(owner, "billing", "0025")
        world = World(server.dsn("app"))
        subscription = world.add("webhook_subscriptions", url="https://example.com/", resource="invoice")
        key = {"subscription_id": subscription["subscription_id"]}
        event = world.add(
            "webhook_events", **key, job_id=uuid4(), attempt=1, action="create", resource_id="1", is_delivered=True,
            duration_ms=1, sent_at=datetime.now(UTC),
        )  # fmt: skip
        migrate(owner)
        assert world.rows("select message_id from billing.webhook_events") == [{"message_id": event["job_id"]}]
        assert world.rows("select subscription_id from billing.webhook_secrets") == [key]
        assert world.rows("select locale from billing.mail_templates where name = 'credit-expiring'") == [
            {"locale": "en"}
        ]

        world.add(
            "webhook_events", **key, job_id=uuid4(), message_id=uuid4(), attempt=1, action="create", resource_id="2"
        )
        archived = world.add("audit_log_archive", audit_id=uuid4(), user_id=uuid4(), operation="x", table_name="y")
        down(owner, "billing", "0024")
        assert world.rows("select audit_id from billing.audit_logs") == [{"audit_id": archived["audit_id"]}]
        assert world.rows("select event_id from billing.webhook_events") == [{"event_id": event["event_id"]}]
        down(owner, "billing")
        assert migrate(owner)
