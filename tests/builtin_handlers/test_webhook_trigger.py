"""Changes that plain SQL makes, announced by a trigger in the same transaction (B12)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest

from builtin_handlers.webhook_world import Hooks
from jobcore_handlers.webhooks.handler import send_webhook
from jobcore_handlers.webhooks.payload import SendWebhook


@pytest.fixture
def announced(hooks: Hooks) -> Hooks:
    """Clients announce their name and their currency, and nothing else."""
    hooks.rows("select billing.announce_changes('billing.clients', 'client', 'client_id', '{name,currency}')")
    return hooks


@contextmanager
def as_tenant(hooks: Hooks, tenant: UUID) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(hooks.dsn) as connection, connection.transaction():
        connection.execute("set local role jobcore_tenant")
        connection.execute("select set_config('jobcore.tenant', %s, true)", (str(tenant),))
        yield connection


def add_client(connection: psycopg.Connection[Any], tenant: UUID, name: str = "Alder") -> UUID:
    row = connection.execute(
        "insert into billing.clients (tenant, client_id, name, billing_email) "
        "values (%s, gen_random_uuid(), %s, 'secret@alder.example') returning client_id",
        (tenant, name),
    ).fetchone()
    assert row is not None
    return row[0]


def payloads(hooks: Hooks) -> list[dict[str, Any]]:
    rows = hooks.rows("select tenant, payload, max_attempts from jobs where type = 'sendWebhook' order by job_id")
    assert all(row["payload"]["tenantId"] == str(row["tenant"]) for row in rows)
    assert {row["max_attempts"] for row in rows} <= {send_webhook.retry.max_attempts}
    return [row["payload"] for row in rows]


def told(hooks: Hooks) -> list[tuple[str, dict[str, Any]]]:
    return [(payload["action"], payload["data"]) for payload in payloads(hooks)]


def test_each_kind_of_change_is_announced_with_the_columns_that_were_named(announced: Hooks) -> None:
    subscription = announced.subscribe("https://hooks.example/", "client")
    with as_tenant(announced, announced.tenant) as connection:
        client = add_client(connection, announced.tenant)
        connection.execute("update billing.clients set name = 'Alder & Finch' where client_id = %s", (client,))
        connection.execute("delete from billing.clients where client_id = %s", (client,))
    assert told(announced) == [
        ("create", {"name": "Alder", "currency": "USD"}),
        ("update", {"name": "Alder & Finch", "currency": "USD"}),
        ("delete", {"name": "Alder & Finch", "currency": "USD"}),
    ]
    for payload in payloads(announced):
        data = SendWebhook.model_validate(payload)
        assert (data.subscription_id, data.resource_id) == (subscription, str(client))
        assert "secret@alder" not in json.dumps(payload)


def test_a_change_that_is_rolled_back_announces_nothing(announced: Hooks) -> None:
    announced.subscribe("https://hooks.example/", "client")
    with as_tenant(announced, announced.tenant) as connection:
        add_client(connection, announced.tenant)
        with connection.transaction(force_rollback=True):
            add_client(connection, announced.tenant, "Birch")
    assert told(announced) == [("create", {"name": "Alder", "currency": "USD"})]


def test_an_update_of_other_columns_is_not_announced(announced: Hooks) -> None:
    announced.subscribe("https://hooks.example/", "client")
    with as_tenant(announced, announced.tenant) as connection:
        client = add_client(connection, announced.tenant)
        connection.execute("update billing.clients set city = 'Portland', name = name where client_id = %s", (client,))
    assert [action for action, _ in told(announced)] == ["create"]


def test_without_columns_every_real_change_is_announced_and_no_value_told(hooks: Hooks) -> None:
    hooks.rows("select billing.announce_changes('billing.clients', 'client', 'client_id')")
    hooks.subscribe("https://hooks.example/", "client")
    with as_tenant(hooks, hooks.tenant) as connection:
        client = add_client(connection, hooks.tenant)
        connection.execute("update billing.clients set city = 'Portland' where client_id = %s", (client,))
        connection.execute("update billing.clients set city = 'Portland' where client_id = %s", (client,))
    assert told(hooks) == [("create", {}), ("update", {})]


def test_each_subscription_of_the_resource_hears_and_no_other(announced: Hooks) -> None:
    listening = {announced.subscribe(f"https://{n}.example/", "client") for n in range(3)}
    announced.subscribe("https://invoices.example/", "invoice")
    ended = announced.subscribe("https://ended.example/", "client")
    resting = announced.subscribe("https://resting.example/", "client")
    announced.rows("update billing.webhook_subscriptions set is_enabled = false where subscription_id = %s", ended)
    announced.rows(
        "update billing.webhook_subscriptions set is_enabled = false, resume_at = now() + interval '1 minute' "
        "where subscription_id = %s",
        resting,
    )
    with as_tenant(announced, announced.tenant) as connection:
        add_client(connection, announced.tenant)
    assert {UUID(payload["subscriptionId"]) for payload in payloads(announced)} == listening | {resting}


def test_tenants_hear_of_their_own_changes_only(announced: Hooks) -> None:
    stranger = announced.add_tenant()
    mine = announced.subscribe("https://mine.example/", "client")
    theirs = announced.subscribe("https://theirs.example/", "client", tenant=stranger)
    with as_tenant(announced, stranger) as connection:
        add_client(connection, stranger)
    assert [payload["subscriptionId"] for payload in payloads(announced)] == [str(theirs)]
    with psycopg.connect(announced.dsn) as connection:  # one who sees the rows of all tenants
        connection.execute("set local role jobcore_worker")
        add_client(connection, announced.tenant)
    assert [payload["subscriptionId"] for payload in payloads(announced)] == [str(theirs), str(mine)]


def test_a_bulk_change_is_announced_row_by_row(announced: Hooks) -> None:
    announced.subscribe("https://hooks.example/", "client")
    with as_tenant(announced, announced.tenant) as connection:
        connection.execute(
            "insert into billing.clients (tenant, client_id, name) select %s, gen_random_uuid(), n::text "
            "from generate_series(1, 200) n",
            (announced.tenant,),
        )
    assert sorted(int(data["name"]) for _, data in told(announced)) == list(range(1, 201))


def test_announcing_can_be_changed_and_stopped(announced: Hooks) -> None:
    announced.subscribe("https://hooks.example/", "customer")
    announced.rows("select billing.announce_changes('billing.clients', 'customer', 'client_id')")
    with as_tenant(announced, announced.tenant) as connection:
        add_client(connection, announced.tenant)
    announced.rows("select billing.stop_announcing_changes('billing.clients')")
    with as_tenant(announced, announced.tenant) as connection:
        add_client(connection, announced.tenant)
    assert told(announced) == [("create", {})]


def test_a_table_of_the_applications_own_can_announce_too(hooks: Hooks) -> None:
    hooks.rows('create table public."Order Lines" (tenant uuid, "Line No" int, "it\'s" text)')
    hooks.rows("""select billing.announce_changes('public."Order Lines"', 'line''s', 'Line No', '{"it''s"}')""")
    hooks.subscribe("https://hooks.example/", "line's")
    hooks.rows("""insert into public."Order Lines" values (%s, 7, 'yes')""", hooks.tenant)
    (payload,) = payloads(hooks)
    assert (payload["resourceId"], payload["data"]) == ("7", {"it's": "yes"})


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ("'billing.clients', 'client', 'nothing'", "has no column nothing"),
        ("'billing.clients', 'client', 'client_id', '{name,secrets}'", "has no column secrets"),
        ("'public.cron_settings_of_nobody', 'x', 'y'", "does not exist"),
        ("'billing.webhook_secrets', 'secret', 'secret'", "belongs to the webhooks themselves"),
        ("'billing.webhook_subscriptions', 'subscription', 'subscription_id'", "belongs to the webhooks themselves"),
    ],
)
def test_what_cannot_be_announced_is_refused_with_the_reason(hooks: Hooks, call: str, reason: str) -> None:
    with pytest.raises(psycopg.Error, match=reason):
        hooks.rows(f"select billing.announce_changes({call})")


def test_a_tenant_may_not_decide_what_is_announced(hooks: Hooks) -> None:
    with as_tenant(hooks, hooks.tenant) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("select billing.announce_changes('billing.clients', 'client', 'client_id')")
