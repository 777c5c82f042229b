"""`sendWebhook` against a real HTTP server and a real database (B12 to B16)."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from builtin_handlers.context import AttemptContext
from jobcore.errors import ConfigurationError
from jobcore.ids import uuid7
from jobcore_handlers.webhooks import SendWebhook, WebhookSigner, verify_webhook
from jobcore_handlers.webhooks.delivery import Deliverer, DeliveryFailedError, UnsafeUrlError
from jobcore_handlers.webhooks.handler import SubscriptionNotFoundError, send_webhook
from jobcore_handlers.webhooks.signing import WebhookVerificationError
from jobcore_handlers.webhooks.subscriptions import Subscriptions

TENANT = uuid4()
KEY = rsa.generate_private_key(public_exponent=65537, key_size=3072)


class Endpoint(ThreadingHTTPServer):
    """A subscriber: keeps what it got and answers as it is told."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.status = 200
        self.headers: dict[str, str] = {}
        self.body = b"thank you"
        self.hold = threading.Event()
        self.hold.set()
        self.received: list[tuple[dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class _Request(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((dict(self.headers), body))
        self.server.hold.wait()
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.hold.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def subscribe(billing_dsn: str) -> Callable[[str], UUID]:
    def make(url: str) -> UUID:
        with psycopg.connect(billing_dsn) as connection:
            connection.execute(
                "insert into billing.tenants (tenant, name) values (%s, 'Acme') on conflict do nothing", (TENANT,)
            )
            row = connection.execute(
                "insert into billing.webhook_subscriptions (tenant, url, resource) values (%s, %s, 'invoice') "
                "returning subscription_id",
                (TENANT, url),
            ).fetchone()
        assert row is not None
        return row[0]

    return make


@pytest.fixture
def context(billing_dsn: str) -> Callable[..., AttemptContext]:
    def make(
        job_id: UUID | None = None, attempt: int = 1, deadline: timedelta = timedelta(seconds=5)
    ) -> AttemptContext:
        made = AttemptContext(billing_dsn, TENANT, job_id=job_id)
        made.attempt = attempt
        made.services.add(WebhookSigner(KEY, "key-1"), WebhookSigner)
        made.services.add(Deliverer(allow_http=True, deadline=deadline), Deliverer)
        return made

    return make


def change(subscription: UUID) -> SendWebhook:
    return SendWebhook(
        tenant_id=TENANT, subscription_id=subscription, action="update", resource_id="inv-1", data={"total": 1200}
    )


def events(dsn: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            "select attempt, is_delivered, status_code, error, response from billing.webhook_events order by sent_at"
        ).fetchall()


def subscription_row(dsn: str) -> tuple[Any, ...]:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            "select is_enabled, consecutive_failures, disabled_reason from billing.webhook_subscriptions"
        ).fetchone()
    assert row is not None
    return row


async def test_a_change_reaches_its_subscriber_signed(
    endpoint: Endpoint, subscribe: Any, context: Any, billing_dsn: str
) -> None:
    subscription, ctx = subscribe(endpoint.url), context()
    assert await send_webhook(ctx, change(subscription)) == {"statusCode": 200}
    ((headers, body),) = endpoint.received
    verify_webhook({"key-1": KEY.public_key()}, headers, body)
    assert json.loads(body) == {
        "id": str(ctx.job_id),
        "action": "update",
        "resourceId": "inv-1",
        "subscriptionId": str(subscription),
        "data": {"total": 1200},
    }
    assert events(billing_dsn) == [(1, True, 200, None, "thank you")]
    assert ctx.completion() == {"statusCode": 200}


async def test_an_altered_stale_or_foreign_webhook_does_not_verify() -> None:
    body, now = b'{"a":1}', datetime.now(UTC)
    headers = WebhookSigner(KEY, "key-1").headers(uuid7(), now, body)
    keys = {"key-1": KEY.public_key()}
    verify_webhook(keys, headers, body)
    with pytest.raises(WebhookVerificationError, match="does not match"):
        verify_webhook(keys, headers, b'{"a":2}')
    with pytest.raises(WebhookVerificationError, match="does not match"):
        verify_webhook(keys, headers | {"X-Webhook-Id": str(uuid7())}, body)
    with pytest.raises(WebhookVerificationError, match="away from now"):
        verify_webhook(keys, headers, body, now=now + timedelta(minutes=6))
    with pytest.raises(WebhookVerificationError, match="is unknown"):
        verify_webhook({"key-0": KEY.public_key()}, headers, body)
    with pytest.raises(WebhookVerificationError, match="x-webhook-signature is missing"):
        verify_webhook(keys, {name: value for name, value in headers.items() if "Signature" not in name}, body)
    with pytest.raises(WebhookVerificationError, match="not a Unix time"):
        verify_webhook(keys, headers | {"X-Webhook-Timestamp": "now"}, body)


async def test_the_message_keeps_its_id_over_its_attempts(endpoint: Endpoint, subscribe: Any, context: Any) -> None:
    subscription, job_id = subscribe(endpoint.url), uuid7()
    endpoint.status = 503
    with pytest.raises(DeliveryFailedError, match="answered 503"):
        await send_webhook(context(job_id), change(subscription))
    endpoint.status = 204
    await send_webhook(context(job_id, attempt=2), change(subscription))
    assert {headers["X-Webhook-Id"] for headers, _ in endpoint.received} == {str(job_id)}


async def test_five_failures_in_a_row_disable_a_subscription(
    endpoint: Endpoint, subscribe: Any, context: Any, billing_dsn: str
) -> None:
    subscription = subscribe(endpoint.url)
    endpoint.status = 500
    for attempt in range(1, 6):
        with pytest.raises(DeliveryFailedError):
            await send_webhook(context(attempt=attempt), change(subscription))
    assert subscription_row(billing_dsn) == (False, 5, "5 deliveries in a row failed")
    assert await send_webhook(context(), change(subscription)) == {"statusCode": None}
    assert len(endpoint.received) == len(events(billing_dsn)) == 5


async def test_a_success_forgets_the_failures_before_it(
    endpoint: Endpoint, subscribe: Any, context: Any, billing_dsn: str
) -> None:
    subscription = subscribe(endpoint.url)
    for status in (500, 500, 200, 500):
        endpoint.status = status
        try:
            await send_webhook(context(), change(subscription))
        except DeliveryFailedError:
            assert status == 500
    assert subscription_row(billing_dsn) == (True, 1, None)


async def test_a_subscription_can_be_enabled_again(
    endpoint: Endpoint, subscribe: Any, context: Any, billing_dsn: str
) -> None:
    subscription = subscribe(endpoint.url)
    endpoint.status = 500
    for _ in range(5):
        with pytest.raises(DeliveryFailedError):
            await send_webhook(context(), change(subscription))
    async with await psycopg.AsyncConnection.connect(billing_dsn) as connection:
        await Subscriptions(connection, TENANT).enable(subscription)
    assert subscription_row(billing_dsn) == (True, 0, None)


async def test_the_same_attempt_is_recorded_once(
    endpoint: Endpoint, subscribe: Any, context: Any, billing_dsn: str
) -> None:
    subscription, job_id = subscribe(endpoint.url), uuid7()
    endpoint.status = 500
    for _ in range(2):
        with pytest.raises(DeliveryFailedError):
            await send_webhook(context(job_id), change(subscription))
    assert len(events(billing_dsn)) == 1
    assert subscription_row(billing_dsn)[1] == 1


async def test_an_endpoint_that_does_not_answer_is_given_up_at_the_deadline(
    endpoint: Endpoint, subscribe: Any, context: Any, billing_dsn: str
) -> None:
    endpoint.hold.clear()
    with pytest.raises(DeliveryFailedError, match=r"did not answer within 0\.2 seconds"):
        await send_webhook(context(deadline=timedelta(seconds=0.2)), change(subscribe(endpoint.url)))
    assert [row[2] for row in events(billing_dsn)] == [None]


async def test_the_deadline_is_five_seconds() -> None:
    assert Deliverer()._deadline == timedelta(seconds=5)


async def test_a_redirect_is_not_followed(endpoint: Endpoint, subscribe: Any, context: Any) -> None:
    endpoint.status, endpoint.headers = 302, {"Location": endpoint.url + "/elsewhere"}
    with pytest.raises(DeliveryFailedError, match="answered 302"):
        await send_webhook(context(), change(subscribe(endpoint.url)))
    assert len(endpoint.received) == 1


async def test_a_huge_answer_is_not_kept(endpoint: Endpoint, subscribe: Any, context: Any, billing_dsn: str) -> None:
    endpoint.body = b"x\0" * 5_000_000
    await send_webhook(context(), change(subscribe(endpoint.url)))
    assert len(events(billing_dsn)[0][4]) == 1000


async def test_an_endpoint_that_is_not_there_is_a_failed_delivery(subscribe: Any, context: Any) -> None:
    closed = Endpoint()
    closed.server_close()
    with pytest.raises(DeliveryFailedError, match="could not be reached: ConnectError"):
        await send_webhook(context(), change(subscribe(closed.url)))


async def test_a_subscription_that_is_gone_fails_for_good(context: Any) -> None:
    with pytest.raises(SubscriptionNotFoundError, match="There is no webhook subscription"):
        await send_webhook(context(), change(uuid4()))


@pytest.mark.parametrize(
    "url",
    ["http://example.com/", "ftp://example.com/", "https://", "https://user:pass@example.com/", "https://[::1/", "x"],
)
def test_an_unsafe_address_is_refused(url: str) -> None:
    with pytest.raises(UnsafeUrlError):
        Deliverer().check(url)


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
