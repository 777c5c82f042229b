"""The secrets of endpoints at rest: what is stored of them, and that messages are signed all the same."""

from __future__ import annotations

import os
from base64 import b64encode
from uuid import UUID

import psycopg
import pytest
from standardwebhooks import Webhook

from builtin_handlers.endpoint import Endpoint
from builtin_handlers.webhook_world import Hooks
from jobcore.app.facade import JobApp
from jobcore.errors import ConfigurationError
from jobcore.testing.apps import quiet_settings
from jobcore_handlers.tenancy import SystemDatabase
from jobcore_handlers.webhooks.handler import send_webhook
from jobcore_handlers.webhooks.secrets import SecretSealedError, SecretVault, encrypt_secrets
from jobcore_handlers.webhooks.subscriptions import Subscriptions

OLD, NEW = os.urandom(32), os.urandom(32)


async def subscribe(hooks: Hooks, url: str, vault: SecretVault) -> tuple[UUID, str]:
    async with await psycopg.AsyncConnection.connect(hooks.dsn) as connection:
        subscription, secret = await Subscriptions(connection, hooks.tenant).add(url, "invoice", vault)
    return subscription.subscription_id, secret.secret


async def encrypt(hooks: Hooks, *keys: bytes) -> int:
    async with JobApp(quiet_settings(runner="pgboss", database={"url": hooks.dsn})) as app:
        return await encrypt_secrets(SystemDatabase(app), SecretVault(keys))


async def send(hooks: Hooks, endpoint: Endpoint, subscription: UUID, *keys: bytes) -> tuple[dict[str, str], bytes]:
    await send_webhook(hooks.context(vault=SecretVault(keys)), hooks.change(subscription))
    return endpoint.received[-1]


async def test_with_a_key_no_secret_is_stored_and_messages_verify_before_and_after_a_rotation(
    hooks: Hooks, endpoint: Endpoint
) -> None:
    vault = SecretVault([NEW])
    subscription, first = await subscribe(hooks, endpoint.url, vault)
    headers, body = await send(hooks, endpoint, subscription, NEW)
    Webhook(first).verify(body, headers)
    async with await psycopg.AsyncConnection.connect(hooks.dsn) as connection:
        second = (await Subscriptions(connection, hooks.tenant).rotate_secret(subscription, vault)).secret
    headers, body = await send(hooks, endpoint, subscription, NEW)
    for secret in (first, second):
        Webhook(secret).verify(body, headers)
    kept = hooks.secrets(subscription)
    assert len(kept) == 2
    assert all(text.startswith("sealed:") for text in kept)
    assert not any(secret.removeprefix("whsec_") in str(kept) for secret in (first, second))


async def test_secrets_are_encrypted_and_reencrypted_without_the_endpoints_noticing(
    hooks: Hooks, endpoint: Endpoint
) -> None:
    by_sql = hooks.subscribe(endpoint.url)
    (plain,) = hooks.secrets(by_sql)
    older, secret = await subscribe(hooks, endpoint.url, SecretVault([OLD]))
    foreign = hooks.subscribe("https://theirs.example", tenant=hooks.add_tenant())
    assert await encrypt(hooks, OLD) == 2
    assert await encrypt(hooks, NEW, OLD) == 3
    assert await encrypt(hooks, NEW, OLD) == 0
    for subscription, known in ((by_sql, plain), (older, secret)):
        headers, body = await send(hooks, endpoint, subscription, NEW)
        Webhook(known).verify(body, headers)
    assert hooks.secrets(foreign)[0].startswith("sealed:")
    with pytest.raises(ConfigurationError, match="no key to encrypt with: set JOBCORE_BUILTIN__WEBHOOK_SECRET_KEYS"):
        await encrypt(hooks)


async def test_what_stands_in_plain_text_signs_though_there_is_a_key(hooks: Hooks, endpoint: Endpoint) -> None:
    subscription = hooks.subscribe(endpoint.url)
    (secret,) = hooks.secrets(subscription)
    headers, body = await send(hooks, endpoint, subscription, NEW)
    Webhook(secret).verify(body, headers)


async def test_a_secret_that_no_key_opens_sends_nothing_and_says_what_to_do(hooks: Hooks, endpoint: Endpoint) -> None:
    subscription, _ = await subscribe(hooks, endpoint.url, SecretVault([OLD]))
    for keys, reason in (((), "is not among them"), ((NEW,), "is not among [0-9a-f]{8}")):
        with pytest.raises(SecretSealedError, match=rf"{reason}.*rotate-secret {subscription} .*--overlap 0"):
            await send(hooks, endpoint, subscription, *keys)
    with pytest.raises(SecretSealedError):
        await encrypt(hooks, NEW)
    other, _ = await subscribe(hooks, endpoint.url, SecretVault([OLD]))
    hooks.rows(
        "update billing.webhook_secrets s set secret = o.secret from billing.webhook_secrets o "
        "where s.subscription_id = %s and o.subscription_id = %s",
        other,
        subscription,
    )
    with pytest.raises(SecretSealedError, match="altered, or is another subscription's"):
        await send(hooks, endpoint, other, OLD)
    assert endpoint.received == []
    assert len(hooks.events()) == 3  # by which they can be sent again


def test_the_keys_are_settings_that_do_not_show_and_a_wrong_one_is_refused() -> None:
    def configured(*keys: str) -> JobApp:
        return JobApp(quiet_settings(builtin={"webhook_secret_keys": keys}, storage="memory", runner="memory"))

    both = [b64encode(key).decode() for key in (NEW, OLD)]
    app = configured(*both)
    assert app.services.get(SecretVault).prefix == SecretVault([NEW]).prefix
    assert not any(key in repr(app.settings) for key in both)
    for wrong, reason in (("c2hvcnQ=", "has 5 bytes; 32 are needed"), ("!", "is not Base64")):
        with pytest.raises(ConfigurationError, match=f"WEBHOOK_SECRET_KEYS {reason}"):
            configured(wrong).services.get(SecretVault)
