"""`sendWebhook` against a real HTTP server and a real database (B12 to B16)."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError as NotStandard

from builtin_handlers.endpoint import Endpoint
from builtin_handlers.webhook_world import KEY, Hooks
from jobcore import Retry
from jobcore.errors import ConfigurationError
from jobcore.ids import uuid7
from jobcore_handlers.webhooks import WebhookSigner, verify_webhook
from jobcore_handlers.webhooks.delivery import DeliveryFailedError
from jobcore_handlers.webhooks.handler import EndpointGoneError, send_webhook
from jobcore_handlers.webhooks.secrets import SecretVault
from jobcore_handlers.webhooks.signing import WebhookVerificationError
from jobcore_handlers.webhooks.standard import EndpointSecret
from jobcore_handlers.webhooks.subscriptions import SubscriptionNotFoundError, Subscriptions

KEYS = {"key-1": KEY.public_key()}


def test_the_handler_has_the_name_and_policies_of_the_catalogue() -> None:
    assert (send_webhook.name, send_webhook.timeout) == ("sendWebhook", timedelta(seconds=30))
    assert (send_webhook.retry.max_attempts, send_webhook.retry.initial_interval) == (16, timedelta(seconds=5))


async def test_a_change_reaches_its_subscriber_signed(endpoint: Endpoint, hooks: Hooks) -> None:
    subscription, ctx = hooks.subscribe(endpoint.url), hooks.context()
    assert await send_webhook(ctx, hooks.change(subscription)) == {"statusCode": 200}
    ((headers, body),) = endpoint.received
    verify_webhook(KEYS, headers, body)
    assert json.loads(body) == {
        "id": str(ctx.job_id),
        "action": "update",
        "resourceId": "inv-1",
        "subscriptionId": str(subscription),
        "data": {"total": 1200},
    }
    (event,) = hooks.events()
    assert (event["attempt"], event["is_delivered"], event["status_code"], event["error"], event["response"]) == (
        1, True, 200, None, "thank you",
    )  # fmt: skip
    assert event["job_id"] == event["message_id"] == ctx.job_id
    assert event["duration_ms"] >= 0
    assert ctx.completion() == {"statusCode": 200}


async def test_a_receiver_verifies_it_with_the_library_of_standard_webhooks(endpoint: Endpoint, hooks: Hooks) -> None:
    subscription, ctx = hooks.subscribe(endpoint.url), hooks.context()
    await send_webhook(ctx, hooks.change(subscription))
    ((headers, body),) = endpoint.received
    (secret,) = hooks.secrets(subscription)
    assert Webhook(secret).verify(body, headers)["resourceId"] == "inv-1"
    assert headers["webhook-id"] == headers["X-Webhook-Id"] == str(ctx.job_id)
    with pytest.raises(NotStandard, match="No matching signature"):
        Webhook(secret).verify(body.replace(b"1200", b"1300"), headers)
    (other,) = hooks.secrets(hooks.subscribe("https://other.example/"))
    with pytest.raises(NotStandard, match="No matching signature"):
        Webhook(other).verify(body, headers)
    stale = str(int(datetime.now(UTC).timestamp()) - 301)
    with pytest.raises(NotStandard, match="too old"):
        Webhook(secret).verify(body, headers | {"webhook-timestamp": stale})


async def test_while_a_secret_is_replaced_both_verify_and_an_older_one_does_not(
    endpoint: Endpoint, hooks: Hooks
) -> None:
    subscription = hooks.subscribe(endpoint.url)
    (oldest,) = hooks.secrets(subscription)
    for _ in range(2):
        async with await psycopg.AsyncConnection.connect(hooks.dsn) as connection:
            await Subscriptions(connection, hooks.tenant).rotate_secret(subscription, SecretVault())
    newest, previous = hooks.secrets(subscription)
    await send_webhook(hooks.context(), hooks.change(subscription))
    ((headers, body),) = endpoint.received
    assert headers["webhook-signature"].count("v1,") == 2
    Webhook(newest).verify(body, headers)
    Webhook(previous).verify(body, headers)
    with pytest.raises(NotStandard, match="No matching signature"):
        Webhook(oldest).verify(body, headers)


async def test_a_replaced_secret_signs_no_more_once_its_time_is_over(endpoint: Endpoint, hooks: Hooks) -> None:
    subscription = hooks.subscribe(endpoint.url)
    (old,) = hooks.secrets(subscription)
    async with await psycopg.AsyncConnection.connect(hooks.dsn) as connection:
        await Subscriptions(connection, hooks.tenant).rotate_secret(subscription, SecretVault())
    hooks.rows("update billing.webhook_secrets set expires_at = expires_at - interval '24 hours'")
    await send_webhook(hooks.context(), hooks.change(subscription))
    ((headers, body),) = endpoint.received
    with pytest.raises(NotStandard, match="No matching signature"):
        Webhook(old).verify(body, headers)


async def test_a_secret_is_in_no_text(endpoint: Endpoint, hooks: Hooks, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    subscription = hooks.subscribe(endpoint.url + "/T0KEN-IN-THE-PATH?key=T0KEN-IN-THE-QUERY")
    (secret,) = hooks.secrets(subscription)
    data, raised = hooks.change(subscription), ""
    for status, outcome in ((500, DeliveryFailedError), (503, Retry), (410, EndpointGoneError)):
        endpoint.status, endpoint.headers = status, {"Retry-After": "1"}
        hooks.let_pass(timedelta(seconds=2))
        with pytest.raises(outcome) as failure:
            await send_webhook(hooks.context(), data)
        raised += repr(failure.value)
    assert secret not in repr(EndpointSecret(secret))
    stored = [hooks.rows(f"select t::text from billing.{table} t") for table in ("webhook_events", "webhook_notices")]
    for text in (caplog.text, str(stored), raised, data.model_dump_json()):
        assert len(text) > 100
        assert secret not in text
        assert "T0KEN" not in text


async def test_an_altered_stale_or_foreign_webhook_does_not_verify() -> None:
    body, now = b'{"a":1}', datetime.now(UTC)
    headers = WebhookSigner(KEY, "key-1").headers(uuid7(), now, body)
    verify_webhook(KEYS, headers, body)
    with pytest.raises(WebhookVerificationError, match="does not match"):
        verify_webhook(KEYS, headers, b'{"a":2}')
    for name, value in (("X-Webhook-Id", str(uuid7())), ("X-Webhook-Signature", "é"), ("X-Webhook-Signature", "a")):
        with pytest.raises(WebhookVerificationError, match="does not match"):
            verify_webhook(KEYS, headers | {name: value}, body)
    for minutes in (6, -6):
        with pytest.raises(WebhookVerificationError, match="away from now"):
            verify_webhook(KEYS, headers, body, now=now + timedelta(minutes=minutes))
    with pytest.raises(WebhookVerificationError, match="is unknown"):
        verify_webhook({"key-0": KEY.public_key()}, headers, body)
    with pytest.raises(WebhookVerificationError, match="x-webhook-signature is missing"):
        verify_webhook(KEYS, {name: value for name, value in headers.items() if "Signature" not in name}, body)
    with pytest.raises(WebhookVerificationError, match="not a Unix time"):
        verify_webhook(KEYS, headers | {"X-Webhook-Timestamp": "now"}, body)


async def test_a_number_of_any_size_and_any_letter_arrive_as_they_are(endpoint: Endpoint, hooks: Hooks) -> None:
    data = {"serial": 2**70, "rate": 0.1, "name": "Grüße 日本 \U0001f600 \u2028"}
    await send_webhook(hooks.context(), hooks.change(hooks.subscribe(endpoint.url), data=data))
    ((headers, body),) = endpoint.received
    verify_webhook(KEYS, headers, body)
    assert json.loads(body)["data"] == data


async def test_the_message_keeps_its_id_over_its_attempts(endpoint: Endpoint, hooks: Hooks) -> None:
    subscription, job_id = hooks.subscribe(endpoint.url), uuid7()
    endpoint.status = 503
    with pytest.raises(DeliveryFailedError, match="answered 503"):
        await send_webhook(hooks.context(job_id), hooks.change(subscription))
    endpoint.status = 204
    await send_webhook(hooks.context(job_id, attempt=2), hooks.change(subscription))
    assert {headers["X-Webhook-Id"] for headers, _ in endpoint.received} == {str(job_id)}
    assert [event["is_delivered"] for event in hooks.events()] == [False, True]


async def test_the_same_attempt_is_recorded_once(endpoint: Endpoint, hooks: Hooks) -> None:
    subscription, job_id = hooks.subscribe(endpoint.url), uuid7()
    endpoint.status = 500
    for _ in range(2):
        with pytest.raises(DeliveryFailedError):
            await send_webhook(hooks.context(job_id), hooks.change(subscription))
    assert len(hooks.events()) == 1
    assert hooks.subscription()["consecutive_failures"] == 1


async def test_an_endpoint_that_does_not_answer_is_given_up_at_the_deadline(endpoint: Endpoint, hooks: Hooks) -> None:
    endpoint.hold.clear()
    with pytest.raises(DeliveryFailedError, match=r"did not answer within 0\.2 seconds"):
        await send_webhook(hooks.context(deadline=timedelta(seconds=0.2)), hooks.change(hooks.subscribe(endpoint.url)))
    assert [event["status_code"] for event in hooks.events()] == [None]


async def test_a_refused_address_is_a_failed_delivery_with_its_row(hooks: Hooks) -> None:
    subscription = hooks.subscribe("https://user:hunter2@example.com/")
    with pytest.raises(DeliveryFailedError, match="must not hold a user"):
        await send_webhook(hooks.context(), hooks.change(subscription))
    (event,) = hooks.events()
    assert (event["is_delivered"], event["error"]) == (False, "A webhook address must not hold a user or a password.")


async def test_a_subscription_that_is_gone_fails_for_good(hooks: Hooks) -> None:
    with pytest.raises(SubscriptionNotFoundError, match="There is no webhook subscription"):
        await send_webhook(hooks.context(), hooks.change(uuid4()))


async def test_a_subscription_of_another_tenant_is_none(endpoint: Endpoint, hooks: Hooks) -> None:
    theirs = hooks.subscribe(endpoint.url, tenant=hooks.add_tenant())
    with pytest.raises(SubscriptionNotFoundError):
        await send_webhook(hooks.context(), hooks.change(theirs))
    assert (endpoint.received, hooks.events()) == ([], [])


def test_a_weak_wrong_or_missing_key_is_refused_at_once(tmp_path: Path) -> None:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with pytest.raises(ConfigurationError, match="has 2048 bits; at least 3072"):
        WebhookSigner(weak, "weak")
    with pytest.raises(ConfigurationError, match=r"nowhere\.pem cannot be read: No such file"):
        WebhookSigner.from_file(tmp_path / "nowhere.pem", "k")
    path = tmp_path / "key.pem"
    path.write_text("not a key")
    with pytest.raises(ConfigurationError, match="not an unencrypted private key"):
        WebhookSigner.from_file(path, "k")
    curve = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(ConfigurationError, match="not an RSA key"):
        WebhookSigner.from_file(path, "k")
    path.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert WebhookSigner.from_file(path, "k").public_key == KEY.public_key()
