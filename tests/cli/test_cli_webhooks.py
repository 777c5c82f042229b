"""`jobcore webhooks`, brought by the built-in handlers."""

from __future__ import annotations

import os
from base64 import b64encode
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_public_key

from builtin_handlers.webhook_world import KEY, Hooks
from jobcore.cli.exit_codes import ExitCode
from jobcore_handlers.webhooks import keys_from_jwks


@pytest.fixture
def hooks(database: str) -> Hooks:
    return Hooks(database)


@pytest.fixture
def ended(hooks: Hooks) -> UUID:
    """A subscription that has ended, and one message that was not sent to it; its job is no more."""
    subscription = hooks.subscribe("https://hooks.example/in?key=t0ken")
    hooks.rows("update billing.webhook_subscriptions set is_enabled = false, disabled_reason = 'it is gone'")
    hooks.rows(
        "insert into billing.webhook_events "
        "(tenant, subscription_id, job_id, message_id, attempt, action, resource_id) "
        "values (%s, %s, %s, %s, 1, 'update', 'inv-1')",
        hooks.tenant, subscription, uuid4(), uuid4(),
    )  # fmt: skip
    return subscription


def test_subscriptions_are_listed_shown_and_enabled(cli, hooks, ended):
    tenant = str(hooks.tenant)
    listed = cli("webhooks", "list", "--tenant", tenant)
    assert f"{ended}  invoice   hooks.example  ended" in listed.out
    assert "t0ken" not in listed.out
    shown = cli("webhooks", "show", str(ended), "--tenant", tenant, "--json").document
    assert (shown["state"], shown["reason"], shown["resource"]) == ("ended", "it is gone", "invoice")
    assert cli("webhooks", "enable", str(ended), "--tenant", tenant).out == f"{ended}: enabled\n"
    assert cli("webhooks", "show", str(ended), "--tenant", tenant, "--json").document["state"] == "enabled"
    (secret,) = hooks.secrets(ended)
    assert secret not in shown.values()


def test_another_tenants_subscription_is_none(cli, hooks, ended):
    other = str(hooks.add_tenant())
    assert cli("webhooks", "list", "--tenant", other).out == "There are none.\n"
    for command in ("show", "enable", "rotate-secret"):
        answer = cli("webhooks", command, str(ended), "--tenant", other)
        assert (answer.code, answer.err) == (ExitCode.FAILED, f"Error: There is no webhook subscription {ended}.\n")


def test_a_new_secret_is_printed_once(cli, hooks, ended):
    (old,) = hooks.secrets(ended)
    printed = cli("webhooks", "rotate-secret", str(ended), "--tenant", str(hooks.tenant)).out.strip()
    assert hooks.secrets(ended) == [printed, old]
    assert printed.startswith("whsec_")


def test_secrets_are_encrypted_with_the_key_of_the_settings(cli, hooks, ended, monkeypatch):
    answer = cli("webhooks", "encrypt-secrets")
    assert answer.code == ExitCode.CONFIGURATION
    assert "set JOBCORE_BUILTIN__WEBHOOK_SECRET_KEYS" in answer.err
    keys = [b64encode(os.urandom(32)).decode() for _ in range(2)]
    monkeypatch.setenv("JOBCORE_BUILTIN__WEBHOOK_SECRET_KEYS", ",".join(keys))
    assert cli("webhooks", "encrypt-secrets").out == "Secrets encrypted: 1\n"
    assert cli("webhooks", "encrypt-secrets", "--json").document == {"encrypted": 0}
    printed = cli("webhooks", "rotate-secret", str(ended), "--tenant", str(hooks.tenant), "--overlap", "0").out.strip()
    (kept,) = hooks.secrets(ended)
    assert kept.startswith("sealed:")
    assert printed.startswith("whsec_")


def test_sending_again_needs_an_open_subscription_and_its_jobs(cli, hooks, ended):
    tenant = str(hooks.tenant)
    words = ("webhooks", "redeliver", "--tenant", tenant, "--subscription", str(ended), "--since", "1 hour")
    refused = cli(*words)
    assert refused.code == ExitCode.USAGE
    assert f"jobcore webhooks enable {ended} --tenant {tenant}" in refused.err
    cli("webhooks", "enable", str(ended), "--tenant", tenant)
    lost = cli(*words, "--json")
    assert lost.code == ExitCode.FAILED
    assert [message["verdict"] for message in lost.document["messages"]] == ["lost"]
    (event,) = hooks.events()
    by_event = cli("webhooks", "redeliver", "--tenant", tenant, "--event", str(event["event_id"]))
    assert (by_event.code, str(event["message_id"]) in by_event.out) == (ExitCode.FAILED, True)


@pytest.mark.parametrize(
    "options",
    [(), ("--since", "1 hour"), ("--event", str(uuid4()), "--since", "1 hour"), ("--subscription", str(uuid4()))],
)
def test_either_an_event_or_a_subscription_and_a_time_is_named(cli, hooks, options):
    answer = cli("webhooks", "redeliver", "--tenant", str(hooks.tenant), *options)
    assert (answer.code, "Name either --event, or --subscription and --since." in answer.err) == (ExitCode.USAGE, True)


def test_the_public_keys_are_printed_as_jwks_and_as_pem(cli, project, monkeypatch):
    pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (project / "webhook.pem").write_bytes(pem)
    monkeypatch.setenv("JOBCORE_BUILTIN__WEBHOOK_KEY", "webhook.pem")
    monkeypatch.setenv("JOBCORE_BUILTIN__WEBHOOK_KEY_ID", "2026-11")
    monkeypatch.setenv("JOBCORE_BUILTIN__WEBHOOK_PUBLISHED_KEYS", '{"2027-05": "webhook.pem"}')
    known = keys_from_jwks(cli("webhooks", "keys").document)
    assert known == {"2026-11": KEY.public_key(), "2027-05": KEY.public_key()}
    printed = cli("webhooks", "keys", "--pem").out
    assert printed.startswith("2026-11\n-----BEGIN PUBLIC KEY-----")
    assert load_pem_public_key(printed.split("\n", 1)[1].encode()) == KEY.public_key()
    assert "PRIVATE" not in printed
