"""A process that is killed between the service's answer and our commit: the next run finds what it left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

from builtin_handlers.calendar_world import Calendars, serve, settings_for
from builtin_handlers.context import AttemptContext
from builtin_handlers.fake_google import FakeGoogle
from builtin_handlers.fake_graph import FakeGraph
from builtin_handlers.killing import die, killed
from jobcore_handlers.calendars.channels import CalendarChannels, channel_id
from jobcore_handlers.calendars.graph import GraphSubscriptions
from jobcore_handlers.calendars.handler import renew_microsoft_calendar_webhooks, verify_google_calendar_pubsub
from jobcore_handlers.calendars.payload import RenewMicrosoftCalendarWebhooks, VerifyGoogleCalendarPubsub

Attempt = Callable[..., AttemptContext]


def die_after_the_answer(kind: type, method: str) -> None:
    """Let this process be killed once `method` has its answer."""
    inner = getattr(kind, method)

    async def dying(*arguments: Any, **options: Any) -> None:
        await inner(*arguments, **options)
        die()

    setattr(kind, method, dying)


async def renew(ctx: AttemptContext) -> dict[str, int]:
    return await renew_microsoft_calendar_webhooks(ctx, RenewMicrosoftCalendarWebhooks(tenant_id=ctx.tenant_id))


async def verify(ctx: AttemptContext) -> dict[str, int]:
    return await verify_google_calendar_pubsub(ctx, VerifyGoogleCalendarPubsub(tenant_id=ctx.tenant_id))


def be_killed(kind: type, method: str, handler: Any, dsn: str, tenant: UUID, settings: dict[str, Any]) -> None:
    die_after_the_answer(kind, method)
    asyncio.run(handler(serve(AttemptContext(dsn, tenant), settings)))


async def run_until_killed(kind: type, method: str, handler: Any, calendars: Calendars) -> None:
    settings = settings_for(calendars.graph, calendars.google)
    await killed(be_killed, kind, method, handler, calendars.world.dsn, calendars.world.tenant, settings)


async def test_a_subscription_made_by_a_run_that_was_killed_is_adopted(
    calendars: Calendars, graph: FakeGraph, attempt: Attempt
) -> None:
    provider = calendars.add("microsoft")
    await run_until_killed(GraphSubscriptions, "create", renew, calendars)
    (orphan,) = graph.of("sally@example.com")
    row = calendars.config(provider)
    assert (row["subscription_id"], row["generation"], row["confirmed_generation"]) == (None, 1, 0)

    ctx = serve(attempt(calendars.world.tenant), settings_for(graph, calendars.google))
    assert (await renew(ctx))["adopted"] == 1
    (kept,) = graph.of("sally@example.com")
    row = calendars.config(provider)
    assert kept.id == orphan.id == row["subscription_id"]
    assert (kept.client_state, row["confirmed_generation"]) == (row["client_state"], 1)
    assert (await renew(ctx))["providers"] == 0


async def test_a_subscription_renewed_by_a_run_that_was_killed_is_renewed_again(
    calendars: Calendars, graph: FakeGraph, attempt: Attempt
) -> None:
    provider = calendars.add("microsoft")
    ctx = serve(attempt(calendars.world.tenant), settings_for(graph, calendars.google))
    await renew(ctx)
    calendars.let_expire(provider, 10)
    await run_until_killed(GraphSubscriptions, "renew", renew, calendars)
    assert (await renew(ctx))["renewed"] == 1
    (kept,) = graph.of("sally@example.com")
    assert kept.id == calendars.config(provider)["subscription_id"]


async def test_a_channel_opened_by_runs_that_were_killed_is_replaced_and_stopped(
    calendars: Calendars, google: FakeGoogle, attempt: Attempt
) -> None:
    provider = calendars.add("google")
    for generation in (1, 2):
        await run_until_killed(CalendarChannels, "watch", verify, calendars)
        assert channel_id(provider, generation) in google.channels
    assert calendars.config(provider)["channel_id"] is None

    ctx = serve(attempt(calendars.world.tenant), settings_for(calendars.graph, google))
    assert (await verify(ctx))["created"] == 1
    (opened,) = google.channels.values()
    row = calendars.config(provider)
    assert opened.id == channel_id(provider, 3) == row["channel_id"]
    assert (opened.token, row["stopped_through"]) == (row["channel_token"], 2)


async def test_a_run_killed_before_it_stopped_the_old_channel_leaves_that_to_the_next(
    calendars: Calendars, google: FakeGoogle, attempt: Attempt
) -> None:
    provider = calendars.add("google")
    ctx = serve(attempt(calendars.world.tenant), settings_for(calendars.graph, google))
    await verify(ctx)
    calendars.let_expire(provider, 10)
    await run_until_killed(CalendarChannels, "stop", verify, calendars)
    assert calendars.config(provider)["stopped_through"] == 0

    assert (await verify(ctx))["unchanged"] == 1
    assert list(google.channels) == [channel_id(provider, 2)] == [calendars.config(provider)["channel_id"]]
    assert calendars.config(provider)["stopped_through"] == 1
