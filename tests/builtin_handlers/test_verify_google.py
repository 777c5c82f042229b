"""J11: channels of Google calendars, verified against a stand-in for Google on a real socket."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from builtin_handlers.calendar_world import NOTIFICATIONS, Calendars, serve, settings_for
from builtin_handlers.context import AttemptContext
from builtin_handlers.fake_google import FakeGoogle
from builtin_handlers.fake_service import Fault, Reply, Request
from jobcore.errors import ConfigurationError
from jobcore.handlers.definition import DEFAULT_TIMEOUT
from jobcore_handlers.calendars.channels import channel_id
from jobcore_handlers.calendars.handler import verify_google_calendar_pubsub
from jobcore_handlers.calendars.payload import VerifyGoogleCalendarPubsub

CALENDARS, STOP = "/calendar/v3/calendars", "/calendar/v3/channels/stop"
BROKEN = Reply(500, {"error": {"code": 500, "errors": [{"reason": "backendError"}]}})
REFUSED = Reply(403, {"error": {"code": 403, "errors": [{"reason": "insufficientPermissions"}]}})

Run = Callable[..., Any]


@pytest.fixture
def run(calendars: Calendars, attempt: Callable[..., AttemptContext]) -> Run:
    """Run the handler once and return its counts without the zeros: `await run()`."""

    async def once(tenant: UUID | None = None, **settings: Any) -> Any:
        tenant = tenant or calendars.world.tenant
        ctx = serve(attempt(tenant), settings_for(calendars.graph, calendars.google, **settings))
        counts = await verify_google_calendar_pubsub(ctx, VerifyGoogleCalendarPubsub(tenant_id=tenant))
        return {name: count for name, count in counts.items() if count}

    return once


def test_the_handler_has_the_name_and_policies_of_the_catalogue() -> None:
    handler = verify_google_calendar_pubsub
    assert (handler.name, handler.edition) == ("verify-google-calendar-pubsub", "community")
    assert (handler.retry.max_attempts, handler.timeout) == (3, DEFAULT_TIMEOUT)


async def test_a_provider_without_a_channel_gets_one(calendars: Calendars, google: FakeGoogle, run: Run) -> None:
    provider = calendars.add("google", calendar_id="sally@example.com")
    assert await run() == {"providers": 1, "created": 1}

    (opened,) = google.channels.values()
    row = calendars.config(provider)
    assert opened.id == row["channel_id"] == channel_id(provider, 1)
    assert (opened.calendar, opened.address) == ("sally@example.com", f"{NOTIFICATIONS}/google")
    assert (row["channel_token"], row["resource_id"]) == (opened.token, opened.resource)
    assert row["webhook_url"] == opened.address
    assert row["webhook_expires_at"] == datetime.fromtimestamp(opened.expiration / 1000, UTC)
    assert row["webhook_expires_at"] - datetime.now(UTC) > timedelta(days=6, hours=23)
    assert calendars.health(provider) == ("connected", None, "healthy", 0, None)


@pytest.mark.parametrize(("minutes", "outcome"), [(361, "unchanged"), (359, "created"), (-10, "created")])
async def test_a_channel_is_replaced_when_it_has_no_six_hours_left(
    calendars: Calendars, google: FakeGoogle, run: Run, minutes: int, outcome: str
) -> None:
    provider = calendars.add("google")
    await run()
    first = calendars.config(provider)
    calendars.let_expire(provider, minutes)
    assert await run() == {"providers": 1, outcome: 1}

    (opened,) = google.channels.values()
    row = calendars.config(provider)
    assert opened.id == row["channel_id"] == channel_id(provider, 1 if outcome == "unchanged" else 2)
    assert row["channel_token"] == opened.token == first["channel_token"]
    assert google.count("POST", STOP) == (outcome == "created")


async def test_a_second_run_asks_the_service_nothing(calendars: Calendars, google: FakeGoogle, run: Run) -> None:
    provider = calendars.add("google")
    await run()
    row, requests = calendars.config(provider), len(google.requests)
    assert await run() == {"providers": 1, "unchanged": 1}
    assert (calendars.config(provider), len(google.requests)) == (row, requests)


async def test_a_channel_that_leads_elsewhere_is_replaced(calendars: Calendars, google: FakeGoogle, run: Run) -> None:
    calendars.add("google")
    await run()
    assert await run(notification_url="https://new.example.com") == {"providers": 1, "created": 1}
    assert [one.address for one in google.channels.values()] == ["https://new.example.com/google"]


async def test_the_open_channel_outlives_an_address_that_was_refused_and_taken_back(
    calendars: Calendars, google: FakeGoogle, run: Run
) -> None:
    provider = calendars.add("google")
    await run()
    google.faults.append(Fault("POST", CALENDARS, REFUSED))
    assert await run(notification_url="https://wrong.example.com") == {"providers": 1, "failed": 1}
    await run()
    assert list(google.channels) == [calendars.config(provider)["channel_id"]]
    assert await run() == {"providers": 1, "unchanged": 1}


async def test_inactive_providers_and_those_of_others_are_left_alone(
    calendars: Calendars, google: FakeGoogle, run: Run
) -> None:
    stranger = calendars.world.add_tenant()
    theirs, off = calendars.add("google", tenant=stranger), calendars.add("google")
    calendars.add("microsoft")
    calendars.world.execute("update billing.calendar_providers set is_active = false where provider_id = %s", off)
    assert await run() == {}
    assert google.requests == []
    assert await run(tenant=stranger) == {"providers": 1, "created": 1}
    assert calendars.config(theirs)["channel_id"] == channel_id(theirs, 1)


async def test_one_that_fails_keeps_no_other_from_being_served(
    calendars: Calendars, google: FakeGoogle, run: Run
) -> None:
    bad, good = calendars.add("google", calendar_id="nobody@example.com"), calendars.add("google", "bob@example.com")
    assert await run() == {"providers": 2, "created": 1, "failed": 1}
    assert calendars.health(bad)[2:] == ("error", 1, "Google Calendar answered 404 (notFound).")
    assert calendars.health(good)[0] == "connected"


async def test_the_third_failure_in_a_row_makes_it_an_error_and_a_success_mends_it(
    calendars: Calendars, google: FakeGoogle, run: Run
) -> None:
    provider = calendars.add("google")
    google.faults.append(Fault("POST", CALENDARS, REFUSED, times=3))
    for _ in range(3):
        assert await run() == {"providers": 1, "failed": 1}
    reason = "Google Calendar answered 403 (insufficientPermissions)."
    assert calendars.health(provider) == ("error", reason, "error", 3, reason)

    assert await run() == {"providers": 1, "created": 1}
    assert calendars.health(provider) == ("connected", None, "healthy", 0, None)
    assert google.count("POST", STOP) == 0  # what was refused never was


async def test_an_answer_without_a_resource_is_a_failure_and_that_channel_is_stopped_later(
    calendars: Calendars, google: FakeGoogle, run: Run
) -> None:
    provider = calendars.add("google")
    google.faults.append(Fault("POST", CALENDARS, Reply(200, {"id": "x", "expiration": "1"}), carried_out=True))
    assert await run() == {"providers": 1, "failed": 1}
    assert calendars.health(provider)[4] == (
        "Google Calendar gave an answer that is not of its protocol: wrong or missing: resourceId."
    )
    assert await run() == {"providers": 1, "created": 1}
    assert list(google.channels) == [channel_id(provider, 2)]


@pytest.mark.parametrize("answer", [BROKEN, None])
async def test_channels_that_were_opened_although_the_answer_was_a_failure_are_stopped(
    calendars: Calendars, google: FakeGoogle, run: Run, answer: Reply | None
) -> None:
    provider = calendars.add("google")
    google.faults.append(Fault("POST", CALENDARS, answer, carried_out=True, times=2))
    for _ in range(2):
        assert await run() == {"providers": 1, "failed": 1}
    assert set(google.channels) == {channel_id(provider, 1), channel_id(provider, 2)}

    assert await run() == {"providers": 1, "created": 1}
    assert list(google.channels) == [channel_id(provider, 3)]
    assert calendars.config(provider)["stopped_through"] == 2


async def test_an_old_channel_that_cannot_be_stopped_is_stopped_by_a_later_run(
    calendars: Calendars, google: FakeGoogle, run: Run
) -> None:
    provider = calendars.add("google")
    await run()
    calendars.let_expire(provider, 5)
    google.faults.append(Fault("POST", STOP, REFUSED))
    assert await run() == {"providers": 1, "created": 1}
    assert len(google.channels) == 2
    assert calendars.health(provider)[2] == "healthy"

    assert await run() == {"providers": 1, "unchanged": 1}
    assert list(google.channels) == [channel_id(provider, 2)]
    requests = len(google.requests)
    assert await run() == {"providers": 1, "unchanged": 1}
    assert len(google.requests) == requests


async def test_a_success_with_an_old_channel_mends_a_provider_that_had_failed(
    calendars: Calendars, google: FakeGoogle, run: Run
) -> None:
    provider = calendars.add("google")
    await run()
    calendars.let_expire(provider, 5)
    google.faults.append(Fault("POST", STOP, REFUSED))
    await run()
    tokens, google.refresh_tokens = google.refresh_tokens, {}
    for _ in range(3):
        assert await run() == {"providers": 1, "failed": 1}
    assert calendars.health(provider)[0] == "error"
    google.refresh_tokens = tokens
    assert await run() == {"providers": 1, "unchanged": 1}
    assert calendars.health(provider) == ("connected", None, "healthy", 0, None)


async def test_a_run_stops_twenty_old_channels_at_most(calendars: Calendars, google: FakeGoogle, run: Run) -> None:
    provider = calendars.add("google", generation=45)
    assert await run() == {"providers": 1, "created": 1}
    assert calendars.config(provider)["stopped_through"] == 20
    await run()
    await run()
    assert (calendars.config(provider)["stopped_through"], google.count("POST", STOP)) == (45, 45)


async def test_a_run_that_was_overtaken_stops_what_it_opened(
    calendars: Calendars, google: FakeGoogle, run: Run
) -> None:
    provider = calendars.add("google")
    answer = google.answer

    def overtaking(request: Request) -> Reply:
        if request.path.startswith(CALENDARS):
            calendars.world.execute("update billing.google_calendar_provider_config set generation = generation + 1")
        return answer(request)

    google.answer = overtaking
    assert await run() == {"providers": 1, "overtaken": 1}
    assert google.channels == {}
    assert calendars.config(provider)["channel_id"] is None


async def test_without_an_address_for_notifications_the_job_says_what_to_set(calendars: Calendars, run: Run) -> None:
    assert await run(notification_url=None) == {}  # nobody misses it
    calendars.add("google")
    with pytest.raises(ConfigurationError, match="set JOBCORE_BUILTIN__CALENDARS__NOTIFICATION_URL"):
        await run(notification_url=None)


async def test_a_provider_that_was_never_connected_is_told_to_connect(calendars: Calendars, run: Run) -> None:
    provider = calendars.add("google", sealed_refresh_token=None)
    assert await run() == {"providers": 1, "failed": 1}
    assert calendars.health(provider)[4] == (
        f"Calendar provider {provider} has no refresh token. Connect the calendar again."
    )


def test_a_channels_id_follows_from_provider_and_generation() -> None:
    provider = uuid4()
    assert channel_id(provider, 1) == channel_id(provider, 1)
    assert len({channel_id(provider, 1), channel_id(provider, 2), channel_id(uuid4(), 1)}) == 3
