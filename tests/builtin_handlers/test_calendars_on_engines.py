"""The calendar handlers as users meet them: enqueued on an application, run by a worker on either engine."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import pytest
from psycopg.sql import SQL, Identifier

from builtin_handlers.calendar_world import Calendars, settings_for
from builtin_handlers.fake_google import FakeGoogle
from builtin_handlers.fake_graph import FakeGraph
from builtin_handlers.fake_service import Fault, Reply
from builtin_handlers.world import World
from jobcore.app.facade import JobApp
from jobcore.states import JobState
from jobcore_handlers.calendars.handler import renew_microsoft_calendar_webhooks, verify_google_calendar_pubsub
from jobcore_handlers.calendars.payload import RenewMicrosoftCalendarWebhooks, VerifyGoogleCalendarPubsub

PERSON = "sally@example.com"
REFUSED = Reply(403, {"error": {"code": "Forbidden", "message": f"{PERSON} may not", "errors": []}})


@pytest.fixture
async def app(
    open_app: Callable[..., AbstractAsyncContextManager[JobApp]], graph: FakeGraph, google: FakeGoogle
) -> AsyncIterator[JobApp]:
    async with open_app(settings={"builtin": {"calendars": settings_for(graph, google)}}) as app:
        yield app


async def test_subscriptions_and_channels_are_made_and_kept(app: JobApp, calendars: Calendars) -> None:
    tenant = calendars.world.tenant
    at_microsoft, at_google = calendars.add("microsoft"), calendars.add("google")
    stranger = calendars.add("microsoft", "bob@example.com", calendars.world.add_tenant())

    renewing = await renew_microsoft_calendar_webhooks.enqueue(app, RenewMicrosoftCalendarWebhooks(tenant_id=tenant))
    verifying = await verify_google_calendar_pubsub.enqueue(app, VerifyGoogleCalendarPubsub(tenant_id=tenant))
    for job in (renewing, verifying):
        counts = await job.result(timeout=30)
        assert {name: count for name, count in counts.items() if count} == {"providers": 1, "created": 1}
        assert (await job.status()).status is JobState.COMPLETED

    (subscription,) = calendars.graph.subscriptions.values()
    (channel,) = calendars.google.channels.values()
    assert calendars.config(at_microsoft)["subscription_id"] == subscription.id
    assert calendars.config(at_google)["channel_id"] == channel.id
    assert calendars.health(at_microsoft)[0] == calendars.health(at_google)[0] == "connected"
    assert calendars.config(stranger)["subscription_id"] is None


async def test_failures_are_recorded_and_the_job_completes(app: JobApp, calendars: Calendars) -> None:
    provider = calendars.add("google")
    calendars.google.faults.append(Fault("POST", "/calendar/v3/calendars", REFUSED, times=3))
    for _ in range(3):
        data = VerifyGoogleCalendarPubsub(tenant_id=calendars.world.tenant)
        job = await verify_google_calendar_pubsub.enqueue(app, data)
        assert (await job.result(timeout=30))["failed"] == 1
    assert calendars.health(provider)[0] == "error"


async def test_neither_logs_nor_rows_hold_a_person_or_a_secret(
    app: JobApp, calendars: Calendars, caplog: pytest.LogCaptureFixture
) -> None:
    world, graph, google = calendars.world, calendars.graph, calendars.google
    calendars.add("microsoft", PERSON, resource="me/events")
    calendars.add("google", PERSON, calendar_id=PERSON)
    broken = [calendars.add("microsoft", "bob@example.com"), calendars.add("google", "bob@example.com")]
    graph.faults.append(Fault("POST", "/v1.0/subscriptions", REFUSED))
    google.faults.append(Fault("POST", "/calendar/v3/calendars/primary", REFUSED))
    with caplog.at_level(logging.DEBUG):
        for handler, data in (
            (renew_microsoft_calendar_webhooks, RenewMicrosoftCalendarWebhooks(tenant_id=world.tenant)),
            (verify_google_calendar_pubsub, VerifyGoogleCalendarPubsub(tenant_id=world.tenant)),
        ):
            job = await app.enqueue(handler, data)
            counts = await job.result(timeout=30)
            assert (counts["created"], counts["failed"]) == (1, 1)

    secrets = {graph.client_secret, google.client_secret, *graph.refresh_tokens, *google.refresh_tokens,
               *graph.access_tokens, *google.access_tokens, PERSON, "bob@example.com"}  # fmt: skip
    notified = {one.client_state for one in graph.subscriptions.values()} | {
        one.token for one in google.channels.values()
    }
    assert [text for text in secrets | notified if text in caplog.text] == []
    assert all(str(provider) in caplog.text for provider in broken)
    stored = stored_text(world)
    known = {"config"}  # where the calendar's own address stands, because it has to
    assert [
        (table, text)
        for table, rows in stored.items()
        for text in secrets
        if text in rows and table.split("_")[-1] not in known
    ] == []
    assert [text for text in secrets - {PERSON, "bob@example.com"} if text in "".join(stored.values())] == []


def stored_text(world: World) -> dict[str, str]:
    """Every row of every table, as text, by table."""
    tables = world.rows(
        "select schemaname as schema, tablename as name from pg_tables "
        "where schemaname not in ('pg_catalog', 'information_schema')"
    )
    read = SQL("select coalesce(string_agg(t::text, ' '), '') as rows from {} t")
    return {
        table["name"]: world.rows(read.format(Identifier(table["schema"], table["name"])))[0]["rows"]
        for table in tables
    }
