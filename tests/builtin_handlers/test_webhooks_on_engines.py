"""Webhooks as users meet them, on either engine: sent, refused, waiting, and sent again by hand."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from standardwebhooks import Webhook

from builtin_handlers.endpoint import Endpoint, local_deliverer
from builtin_handlers.webhook_world import KEY, Hooks
from jobcore.app.facade import JobApp
from jobcore.errors import InputError
from jobcore.states import JobState
from jobcore_handlers.webhooks import WebhookSigner, verify_webhook
from jobcore_handlers.webhooks.changes import announce_change
from jobcore_handlers.webhooks.delivery import Deliverer
from jobcore_handlers.webhooks.handler import send_webhook
from jobcore_handlers.webhooks.redelivery import (
    EventNotFoundError,
    SubscriptionEndedError,
    Verdict,
    redeliver_event,
    redeliver_since,
)
from jobcore_handlers.webhooks.subscriptions import SubscriptionNotFoundError, Subscriptions
from support.fleet import eventually

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
async def app(open_app: Callable[..., AbstractAsyncContextManager[JobApp]]) -> AsyncIterator[JobApp]:
    services = {Deliverer: local_deliverer(), WebhookSigner: WebhookSigner(KEY, "key-1")}
    async with open_app(services=services) as app:
        yield app


async def announce(app: JobApp, hooks: Hooks, resource_id: str, *, commits: bool = True) -> None:
    async with await psycopg.AsyncConnection.connect(hooks.dsn) as connection:
        await announce_change(
            app, connection, hooks.tenant, resource="invoice", action="update", resource_id=resource_id, data={"n": 1}
        )
        if not commits:
            await connection.rollback()


async def send(app: JobApp, hooks: Hooks, subscription: UUID, *states: JobState, **options: int) -> UUID:
    """Enqueue one and wait for its end."""
    handle = await send_webhook.enqueue(app, hooks.change(subscription), **options)
    await reaches(app, hooks, handle.job_id, *(states or (JobState.COMPLETED,)))
    return handle.job_id


async def reaches(app: JobApp, hooks: Hooks, job_id: UUID, *states: JobState) -> None:
    async def reached() -> bool:
        return (await app.get_job(hooks.tenant, job_id)).status in states

    await eventually(reached, f"job {job_id} is {' or '.join(states)}", patience=30)


async def test_a_committed_change_reaches_the_subscribers_of_its_tenant_signed_twice(
    app: JobApp, hooks: Hooks, endpoint: Endpoint
) -> None:
    subscriptions = {hooks.subscribe(endpoint.url) for _ in range(2)}
    hooks.subscribe(endpoint.url, tenant=hooks.add_tenant())
    await announce(app, hooks, "inv-0", commits=False)
    await announce(app, hooks, "inv-1")

    async def delivered() -> bool:
        return [event["is_delivered"] for event in hooks.events()] == [True, True]

    await eventually(delivered, "both hear of it", patience=30)
    bodies = [json.loads(body) for _, body in endpoint.received]
    assert {UUID(body["subscriptionId"]) for body in bodies} == subscriptions
    assert {body["resourceId"] for body in bodies} == {"inv-1"}
    for headers, body in endpoint.received:
        verify_webhook({"key-1": KEY.public_key()}, headers, body)
        (secret,) = hooks.secrets(UUID(json.loads(body)["subscriptionId"]))
        Webhook(secret).verify(body, headers)


async def test_a_change_by_plain_sql_reaches_its_subscriber(app: JobApp, hooks: Hooks, endpoint: Endpoint) -> None:
    hooks.rows("select billing.announce_changes('billing.clients', 'client', 'client_id', '{name}')")
    hooks.subscribe(endpoint.url, "client")
    client = uuid4()
    hooks.rows("insert into billing.clients (tenant, client_id, name) values (%s, %s, 'Alder')", hooks.tenant, client)

    async def delivered() -> bool:
        return [event["is_delivered"] for event in hooks.events()] == [True]

    await eventually(delivered, "the subscriber hears of it", patience=30)
    told = json.loads(endpoint.received[0][1])
    assert (told["action"], told["resourceId"], told["data"]) == ("create", str(client), {"name": "Alder"})
    (job,) = await app.find_jobs(hooks.tenant)
    assert job.runner_type == app.default_runner


async def test_the_engine_tries_again_when_the_endpoint_said(app: JobApp, hooks: Hooks, endpoint: Endpoint) -> None:
    endpoint.status, endpoint.headers = 503, {"Retry-After": "1"}
    subscription = hooks.subscribe(endpoint.url)
    handle = await send_webhook.enqueue(app, hooks.change(subscription))

    async def refused() -> bool:
        return len(hooks.events()) == 1 and hooks.events()[0]["status_code"] == 503

    await eventually(refused, "it is refused", patience=30)
    endpoint.status = 200
    await reaches(app, hooks, handle.job_id, JobState.COMPLETED)
    first, second = hooks.events()
    assert timedelta(seconds=1) <= second["sent_at"] - first["sent_at"] < timedelta(seconds=4)  # by policy: 5 s
    assert (first["attempt"], second["attempt"]) == (1, 2)
    assert first["message_id"] == second["message_id"] == handle.job_id


async def test_a_job_waits_while_its_subscription_rests_and_costs_no_attempt(
    app: JobApp, hooks: Hooks, endpoint: Endpoint
) -> None:
    subscription = hooks.subscribe(endpoint.url)
    hooks.rows(
        "update billing.webhook_subscriptions set is_enabled = false, disabled_at = now(), "
        "resume_at = now() + interval '2 seconds'"
    )
    job_id = await send(app, hooks, subscription)
    (event,) = hooks.events()
    assert (event["attempt"], event["is_delivered"]) == (1, True)
    assert event["sent_at"] - (await app.get_job(hooks.tenant, job_id)).created_at > timedelta(seconds=1)
    assert hooks.subscription()["is_enabled"]


async def test_a_message_that_failed_or_was_not_sent_is_sent_again_under_its_id(
    app: JobApp, hooks: Hooks, endpoint: Endpoint
) -> None:
    subscription = hooks.subscribe(endpoint.url)
    delivered = await send(app, hooks, subscription)
    endpoint.status = 410
    failed = await send(app, hooks, subscription, JobState.FAILED)
    unsent = await send(app, hooks, subscription, JobState.CANCELLED)
    with pytest.raises(SubscriptionEndedError, match=f"jobcore webhooks enable {subscription}"):
        await redeliver_since(app, hooks.tenant, subscription, LONG_AGO)

    endpoint.status = 200
    endpoint.received.clear()
    async with await psycopg.AsyncConnection.connect(hooks.dsn) as connection:
        await Subscriptions(connection, hooks.tenant).enable(subscription)
    again = await redeliver_since(app, hooks.tenant, subscription, LONG_AGO)
    assert [(one.message_id, one.verdict) for one in again] == [(failed, Verdict.ENQUEUED), (unsent, Verdict.ENQUEUED)]
    for one in again:
        await reaches(app, hooks, one.job_id, JobState.COMPLETED)
    assert {headers["webhook-id"] for headers, _ in endpoint.received} == {str(failed), str(unsent)}
    assert await redeliver_since(app, hooks.tenant, subscription, LONG_AGO) == []
    assert delivered not in {one.message_id for one in again}


async def test_a_delivered_message_is_sent_again_by_its_event(app: JobApp, hooks: Hooks, endpoint: Endpoint) -> None:
    message = await send(app, hooks, hooks.subscribe(endpoint.url))
    (event,) = hooks.events()
    for _ in range(2):  # the second time, its youngest job is the one that counts
        again = await redeliver_event(app, hooks.tenant, event["event_id"])
        assert (again.message_id, again.verdict) == (message, Verdict.ENQUEUED)
        assert again.job_id != message
        await reaches(app, hooks, again.job_id, JobState.COMPLETED)
    assert [headers["webhook-id"] for headers, _ in endpoint.received] == [str(message)] * 3
    assert len({body for _, body in endpoint.received}) == 1
    assert [event["message_id"] for event in hooks.events()] == [message] * 3
    assert len({event["job_id"] for event in hooks.events()}) == 3


async def test_what_cannot_be_sent_again_is_told(app: JobApp, hooks: Hooks, endpoint: Endpoint) -> None:
    subscription = hooks.subscribe(endpoint.url)
    endpoint.status = 500
    waiting = await send_webhook.enqueue(app, hooks.change(subscription))

    async def refused() -> bool:
        return [event["status_code"] for event in hooks.events()] == [500]

    await eventually(refused, "it is refused", patience=30)
    (event,) = hooks.events()
    assert (await redeliver_event(app, hooks.tenant, event["event_id"])).verdict is Verdict.UNDER_WAY
    await app.cancel(hooks.tenant, waiting.job_id)
    hooks.rows("update billing.webhook_events set job_id = %s", uuid4())
    assert (await redeliver_event(app, hooks.tenant, event["event_id"])).verdict is Verdict.LOST
    with pytest.raises(EventNotFoundError):
        await redeliver_event(app, hooks.add_tenant(), event["event_id"])
    with pytest.raises(SubscriptionNotFoundError):
        await redeliver_since(app, hooks.add_tenant(), subscription, LONG_AGO)
    for limit in (0, 10_001):
        with pytest.raises(InputError, match="At most 10,000"):
            await redeliver_since(app, hooks.tenant, subscription, LONG_AGO, limit=limit)


async def test_so_many_are_sent_again_and_no_more(app: JobApp, hooks: Hooks, endpoint: Endpoint) -> None:
    subscription = hooks.subscribe(endpoint.url)
    sent = [await send(app, hooks, subscription) for _ in range(3)]
    again = await redeliver_since(app, hooks.tenant, subscription, LONG_AGO, delivered_too=True, limit=2)
    assert [one.message_id for one in again] == sent[:2]
    for one in again:
        await reaches(app, hooks, one.job_id, JobState.COMPLETED)


async def test_neither_secrets_nor_addresses_stand_where_jobs_are_stored(
    app: JobApp, hooks: Hooks, endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    subscription = hooks.subscribe(endpoint.url + "?key=T0KEN")
    endpoint.status = 500
    failed = await send(app, hooks, subscription, JobState.FAILED, max_attempts=1)
    hooks.rows("update billing.webhook_subscriptions set url = 'https://user:T0KEN@example.com/'")
    await send(app, hooks, subscription, JobState.FAILED, max_attempts=1)
    (secret,) = hooks.secrets(subscription)
    tables = hooks.rows(
        "select schemaname || '.' || tablename as name from pg_tables "
        "where schemaname in ('public', 'jobcore', 'pgboss', 'billing') "
        "and tablename not in ('webhook_subscriptions', 'webhook_secrets')"
    )
    stored = {table["name"]: str(hooks.rows(f"select t::text from {table['name']} t")) for table in tables}
    assert "answered 500" in stored["public.job_details"]
    assert str(failed) in stored["billing.webhook_events"]
    for name, text in (stored | {"the log": caplog.text}).items():
        assert "T0KEN" not in text, name
        assert secret not in text, name
