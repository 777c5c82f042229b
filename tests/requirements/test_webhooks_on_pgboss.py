"""B12 to B16 as users meet them: a change in a transaction, a worker, and a subscriber that listens."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from jobcore import JobApp, JobState
from jobcore.models import JobFilter
from jobcore_handlers.webhooks import verify_webhook
from jobcore_handlers.webhooks.changes import announce_change
from requirements.words import TENANT, Tables
from support.fleet import eventually


class Subscriber(ThreadingHTTPServer):
    """Keeps what it is sent, and answers with `status`."""

    daemon_threads = True
    status = 204

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.received: list[tuple[dict[str, str], bytes]] = []


class _Request(BaseHTTPRequestHandler):
    server: Subscriber

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((dict(self.headers), body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def subscriber() -> Iterator[Subscriber]:
    server = Subscriber()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, subscriber: Subscriber) -> rsa.RSAPrivateKey:
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    path = tmp_path / "webhook.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    monkeypatch.setenv("JOBCORE_BUILTIN__WEBHOOK_KEY", str(path))
    monkeypatch.setenv("JOBCORE_BUILTIN__WEBHOOK_KEY_ID", "2026-11")
    monkeypatch.setenv("JOBCORE_BUILTIN__WEBHOOK_ALLOW_HTTP", "true")
    monkeypatch.setenv("JOBCORE_BUILTIN__WEBHOOK_ALLOW_PRIVATE", "true")
    monkeypatch.setenv("JOBCORE_BUILTIN__WEBHOOK_PORTS", f"443, {subscriber.server_port}")
    return key


@pytest.fixture
def subscription(tables: Tables, subscriber: Subscriber) -> UUID:
    tables.all("insert into billing.tenants (tenant, name) values (%s, 'Acme') returning tenant", TENANT)
    return tables.one(
        "insert into billing.webhook_subscriptions (tenant, url, resource) values (%s, %s, 'invoice')"
        " returning subscription_id",
        TENANT,
        f"http://127.0.0.1:{subscriber.server_port}/hook",
    )["subscription_id"]


@pytest.fixture
async def app(environment: str, key: rsa.RSAPrivateKey) -> AsyncIterator[JobApp]:
    async with JobApp() as app:
        worker = app.worker()
        await worker.start()
        yield app
        await worker.stop()


async def change(app: JobApp, dsn: str, resource_id: str, *, commits: bool = True) -> int:
    """Change something and announce it, in one transaction."""
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        count = await announce_change(
            app,
            connection,
            UUID(TENANT),
            resource="invoice",
            action="update",
            resource_id=resource_id,
            data={"total": 1200},
        )
        if not commits:
            await connection.rollback()
    return count


async def test_b12_b13_b16_a_committed_change_is_sent_signed_and_recorded(
    app: JobApp, environment: str, subscription: UUID, subscriber: Subscriber, key: rsa.RSAPrivateKey, tables: Tables
) -> None:
    assert await change(app, environment, "inv-0", commits=False) == 1
    assert await change(app, environment, "inv-1") == 1

    async def sent() -> bool:
        return [job.status for job in await app.find_jobs(TENANT)] == [JobState.COMPLETED]

    await eventually(sent, "the webhook is sent", patience=20)
    ((headers, body),) = subscriber.received
    verify_webhook({"2026-11": key.public_key()}, headers, body)
    assert headers["X-Webhook-Signature"]
    told = json.loads(body)
    assert (told["action"], told["resourceId"], told["subscriptionId"], told["data"]) == (
        "update",
        "inv-1",
        str(subscription),
        {"total": 1200},
    )
    event = tables.one("select * from billing.webhook_events")
    assert (str(event["job_id"]), event["attempt"], event["is_delivered"], event["status_code"]) == (
        told["id"],
        1,
        True,
        204,
    )


async def test_b15_a_subscriber_that_refuses_five_times_is_sent_nothing_more(
    app: JobApp, environment: str, subscription: UUID, subscriber: Subscriber, tables: Tables
) -> None:
    subscriber.status = 500
    for n in range(5):
        await change(app, environment, f"inv-{n}")

    async def disabled() -> bool:
        return not tables.one("select is_enabled from billing.webhook_subscriptions")["is_enabled"]

    await eventually(disabled, "the subscription is disabled", patience=20)
    events = tables.all("select status_code, is_delivered from billing.webhook_events")
    assert [(event["status_code"], event["is_delivered"]) for event in events] == [(500, False)] * 5
    assert await change(app, environment, "inv-5") == 1

    async def waits() -> bool:
        (youngest, *_) = await app.find_jobs(TENANT, JobFilter(names=("sendWebhook",)))
        return youngest.run_at - youngest.created_at > timedelta(seconds=30)

    await eventually(waits, "the sixth waits for the next probe", patience=20)
    assert len(subscriber.received) == 5
