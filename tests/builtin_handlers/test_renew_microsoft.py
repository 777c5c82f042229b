"""J10: subscriptions to Microsoft calendars, renewed against a stand-in for Graph on a real socket."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from builtin_handlers.calendar_world import NOTIFICATIONS, Calendars, serve, settings_for
from builtin_handlers.context import AttemptContext
from builtin_handlers.fake_graph import FakeGraph
from builtin_handlers.fake_service import Fault, Reply
from jobcore.errors import ConfigurationError, JobCancelledError
from jobcore.handlers.definition import DEFAULT_TIMEOUT
from jobcore_handlers.calendars.handler import renew_microsoft_calendar_webhooks
from jobcore_handlers.calendars.payload import RenewMicrosoftCalendarWebhooks

SUBSCRIPTIONS = "/v1.0/subscriptions"
BROKEN = Reply(503, {"error": {"code": "serviceUnavailable", "message": "sally@example.com"}})
REFUSED = Reply(403, {"error": {"code": "ErrorAccessDenied", "message": "sally@example.com may not"}})

Run = Callable[..., Any]


@pytest.fixture
def run(calendars: Calendars, attempt: Callable[..., AttemptContext]) -> Run:
    """Run the handler once and return its counts without the zeros: `await run()`."""

    async def once(tenant: UUID | None = None, job_id: UUID | None = None, minutes: int = 180, **settings: Any) -> Any:
        tenant = tenant or calendars.world.tenant
        ctx = serve(attempt(tenant, job_id=job_id), settings_for(calendars.graph, calendars.google, **settings))
        data = RenewMicrosoftCalendarWebhooks(tenant_id=tenant, look_ahead_minutes=minutes)
        counts = await renew_microsoft_calendar_webhooks(ctx, data)
        return {name: count for name, count in counts.items() if count}

    return once


def hours_from_now(moment: datetime) -> float:
    return (moment - datetime.now(UTC)) / timedelta(hours=1)


def test_the_handler_has_the_name_and_policies_of_the_catalogue() -> None:
    handler = renew_microsoft_calendar_webhooks
    assert (handler.name, handler.edition) == ("renew-microsoft-calendar-webhooks", "community")
    assert (handler.retry.max_attempts, handler.timeout) == (3, DEFAULT_TIMEOUT)
    assert RenewMicrosoftCalendarWebhooks.model_validate({"tenantId": str(uuid4())}).look_ahead_minutes == 180


async def test_a_provider_without_a_subscription_gets_one(calendars: Calendars, graph: FakeGraph, run: Run) -> None:
    provider = calendars.add("microsoft")
    assert await run() == {"providers": 1, "created": 1}

    (made,) = graph.of("sally@example.com")
    row = calendars.config(provider)
    assert (row["subscription_id"], row["client_state"]) == (made.id, made.client_state)
    assert made.client_state.startswith(f"{provider}.1.")
    assert made.address == (
        f"{NOTIFICATIONS}/microsoft?tenant={calendars.world.tenant}&provider={provider}&generation=1"
    )
    assert made.change_type == "created,updated,deleted"
    assert (row["generation"], row["confirmed_generation"]) == (1, 1)
    assert abs(row["webhook_expires_at"] - made.expires_at) < timedelta(milliseconds=1)
    assert hours_from_now(made.expires_at) == pytest.approx(60, abs=0.1)
    assert calendars.health(provider) == ("connected", None, "healthy", 0, None)


async def test_a_subscription_that_ends_soon_is_renewed_and_others_are_left_alone(
    calendars: Calendars, graph: FakeGraph, run: Run
) -> None:
    soon, later = calendars.add("microsoft", "soon@example.com"), calendars.add("microsoft", "later@example.com")
    await run()
    calendars.let_expire(soon, 179)
    calendars.let_expire(later, 181)
    graph.of("soon@example.com")[0].expires_at = datetime.now(UTC) + timedelta(minutes=179)
    before = graph.of("later@example.com")[0].expires_at

    assert await run() == {"providers": 1, "renewed": 1}
    assert hours_from_now(graph.of("soon@example.com")[0].expires_at) == pytest.approx(60, abs=0.1)
    assert hours_from_now(calendars.config(soon)["webhook_expires_at"]) == pytest.approx(60, abs=0.1)
    assert graph.of("later@example.com")[0].expires_at == before
    assert len(graph.subscriptions) == 2


async def test_a_second_run_changes_nothing(calendars: Calendars, graph: FakeGraph, run: Run) -> None:
    provider = calendars.add("microsoft")
    await run()
    row, requests = calendars.config(provider), len(graph.requests)
    assert await run() == {}
    assert (calendars.config(provider), len(graph.requests)) == (row, requests)


async def test_the_payload_says_how_far_ahead(calendars: Calendars, run: Run) -> None:
    calendars.let_expire(calendars.add("microsoft"), 0)
    await run()
    assert await run(minutes=59 * 60) == {}
    assert await run(minutes=60 * 60) == {"providers": 1, "renewed": 1}


@pytest.mark.parametrize(
    "reply", [None, Reply(410, {"error": {"code": "Gone"}}), Reply(400, {"error": {"code": "ResourceNotFound"}})]
)
async def test_a_subscription_that_is_gone_is_made_anew(
    calendars: Calendars, graph: FakeGraph, run: Run, reply: Reply | None
) -> None:
    provider = calendars.add("microsoft")
    await run()
    old = calendars.config(provider)
    graph.subscriptions.clear()
    if reply is not None:
        graph.faults.append(Fault("PATCH", SUBSCRIPTIONS, reply))
    calendars.let_expire(provider, 1)

    assert await run() == {"providers": 1, "created": 1}
    (made,) = graph.of("sally@example.com")
    row = calendars.config(provider)
    assert (row["subscription_id"], row["generation"], row["confirmed_generation"]) == (made.id, 2, 2)
    assert row["client_state"] == made.client_state != old["client_state"]


@pytest.mark.parametrize("allows_duplicates", [False, True])
async def test_one_that_leads_to_an_address_of_before_is_replaced_when_it_is_due(
    calendars: Calendars, graph: FakeGraph, run: Run, allows_duplicates: bool
) -> None:
    provider, graph.allows_duplicates = calendars.add("microsoft"), allows_duplicates
    await run()
    calendars.let_expire(provider, 10)
    assert await run(notification_url="https://new.example.com") == {"providers": 1, "created": 1}
    (made,) = graph.of("sally@example.com")
    assert made.address.startswith("https://new.example.com/microsoft?")
    assert calendars.config(provider)["subscription_id"] == made.id


async def test_inactive_providers_and_those_of_others_are_left_alone(
    calendars: Calendars, graph: FakeGraph, run: Run
) -> None:
    stranger = calendars.world.add_tenant()
    theirs, off = calendars.add("microsoft", tenant=stranger), calendars.add("microsoft")
    calendars.add("google")
    calendars.world.execute("update billing.calendar_providers set is_active = false where provider_id = %s", off)
    assert await run() == {}
    assert graph.requests == []
    assert await run(tenant=stranger) == {"providers": 1, "created": 1}
    assert calendars.config(theirs)["subscription_id"] is not None


async def test_one_that_fails_keeps_no_other_from_being_served(
    calendars: Calendars, graph: FakeGraph, run: Run
) -> None:
    bad, good = calendars.add("microsoft", "bad@example.com"), calendars.add("microsoft", "good@example.com")
    graph.refresh_tokens = {token: user for token, user in graph.refresh_tokens.items() if user != "bad@example.com"}
    assert await run() == {"providers": 2, "created": 1, "failed": 1}
    assert calendars.health(good)[2] == "healthy"
    reason = (
        "Microsoft's token endpoint answered 400 (invalid_grant). "
        "Connect the calendar again, or check the application's registration."
    )
    assert calendars.health(bad) == ("configuring", None, "error", 1, reason)


async def test_the_third_failure_in_a_row_makes_it_an_error_and_a_success_mends_it(
    calendars: Calendars, graph: FakeGraph, run: Run
) -> None:
    provider = calendars.add("microsoft")
    graph.faults.append(Fault("POST", SUBSCRIPTIONS, REFUSED, times=3))
    reason = "Microsoft Graph answered 403 (ErrorAccessDenied)."
    for failures in (1, 2):
        assert await run() == {"providers": 1, "failed": 1}
        assert calendars.health(provider) == ("configuring", None, "error", failures, reason)
    await run()
    assert calendars.health(provider) == ("error", reason, "error", 3, reason)
    assert await run() == {"providers": 1, "created": 1}
    assert calendars.health(provider) == ("connected", None, "healthy", 0, None)


async def test_the_attempts_of_one_job_count_one_failure(calendars: Calendars, graph: FakeGraph, run: Run) -> None:
    provider, job = calendars.add("microsoft"), uuid4()
    graph.faults.append(Fault("POST", SUBSCRIPTIONS, REFUSED, times=3))
    await run(job_id=job)
    await run(job_id=job)
    assert calendars.health(provider)[3] == 1
    await run()
    assert calendars.health(provider)[3] == 2


@pytest.mark.parametrize("answer", [BROKEN, None])
async def test_one_that_was_made_although_the_answer_was_a_failure_is_adopted(
    calendars: Calendars, graph: FakeGraph, run: Run, answer: Reply | None
) -> None:
    provider = calendars.add("microsoft")
    graph.faults.append(Fault("POST", SUBSCRIPTIONS, answer, carried_out=True))
    assert await run() == {"providers": 1, "failed": 1}
    (orphan,) = graph.of("sally@example.com")
    assert graph.count("POST", SUBSCRIPTIONS) == 1  # not repeated: it may have happened, and had

    assert await run() == {"providers": 1, "adopted": 1}
    (kept,) = graph.of("sally@example.com")
    row = calendars.config(provider)
    assert kept.id == orphan.id == row["subscription_id"]
    assert row["client_state"] == kept.client_state
    assert row["generation"] == row["confirmed_generation"] == 1


async def test_orphans_of_older_generations_are_ended_when_one_is_adopted(
    calendars: Calendars, graph: FakeGraph, run: Run
) -> None:
    provider, other = calendars.add("microsoft"), calendars.add("microsoft", resource="me/calendars/2/events")
    graph.allows_duplicates = True
    await run()
    calendars.world.execute(
        "update billing.microsoft_calendar_provider_config "
        "set subscription_id = null, generation = 2, client_state = 'x' where provider_id = %s",
        provider,
    )
    theirs = calendars.config(other)["subscription_id"]
    assert await run() == {"providers": 1, "created": 1}
    assert set(graph.subscriptions) == {theirs, calendars.config(provider)["subscription_id"]}
    assert graph.count("DELETE", SUBSCRIPTIONS) == 1


async def test_one_of_ours_that_no_row_knows_makes_room(calendars: Calendars, graph: FakeGraph, run: Run) -> None:
    provider = calendars.add("microsoft")
    await run()
    (lost,) = graph.of("sally@example.com")
    calendars.world.execute("update billing.microsoft_calendar_provider_config set subscription_id = null")
    assert await run() == {"providers": 1, "created": 1}
    (kept,) = graph.of("sally@example.com")
    assert kept.id == calendars.config(provider)["subscription_id"] != lost.id


async def test_a_conflict_with_somebody_elses_subscription_is_a_failure(
    calendars: Calendars, graph: FakeGraph, run: Run
) -> None:
    provider = calendars.add("microsoft")
    await run()
    graph.of("sally@example.com")[0].address = "https://elsewhere.example.com/"
    calendars.world.execute("update billing.microsoft_calendar_provider_config set subscription_id = null")
    assert await run() == {"providers": 1, "failed": 1}
    assert calendars.health(provider)[4] == "Microsoft Graph answered 409 (Conflict)."
    assert [one.address for one in graph.of("sally@example.com")] == ["https://elsewhere.example.com/"]


async def test_a_run_that_was_overtaken_ends_what_it_made(calendars: Calendars, graph: FakeGraph, run: Run) -> None:
    provider = calendars.add("microsoft")
    graph.allows_duplicates = True
    answer = graph.answer

    def overtaking(request: Any) -> Reply:
        if request.method == "POST" and request.path == SUBSCRIPTIONS:
            calendars.world.execute("update billing.microsoft_calendar_provider_config set generation = generation + 1")
        return answer(request)

    graph.answer = overtaking
    assert await run() == {"providers": 1, "overtaken": 1}
    assert graph.subscriptions == {}
    assert calendars.config(provider)["subscription_id"] is None


async def test_the_token_goes_to_no_other_host_for_a_next_page(
    calendars: Calendars, graph: FakeGraph, run: Run
) -> None:
    provider = calendars.add("microsoft")
    graph.allows_duplicates, graph.page_size = True, 1
    for _ in range(2):
        await run()
        calendars.world.execute("update billing.microsoft_calendar_provider_config set subscription_id = null")
    calendars.world.execute("update billing.microsoft_calendar_provider_config set generation = generation + 1")
    graph.next_link_host = "http://127.0.0.1:9"
    assert await run() == {"providers": 1, "failed": 1}
    assert "a next page is at another address" in calendars.health(provider)[4]


async def test_an_application_subscribes_for_users_of_its_own_directory(
    calendars: Calendars, graph: FakeGraph, run: Run
) -> None:
    calendars.add("microsoft", sealed_refresh_token=None, directory="contoso.example", resource="users/42/events")
    assert await run() == {"providers": 1, "created": 1}
    assert [one.resource for one in graph.of("")] == ["users/42/events"]
    assert graph.count("POST", "/contoso.example/oauth2/v2.0/token") == 1


async def test_a_service_that_is_away_is_a_failure_of_each(calendars: Calendars, run: Run) -> None:
    providers = [calendars.add("microsoft", f"{number}@example.com") for number in range(3)]
    gone = FakeGraph()
    gone.server_close()
    microsoft = settings_for(calendars.graph, calendars.google)["microsoft"] | {"api_url": gone.api_url}
    assert await run(microsoft=microsoft) == {"providers": 3, "failed": 3}
    assert {calendars.health(one)[4] for one in providers} == {"Microsoft Graph could not be reached (ConnectError)."}


async def test_what_is_not_configured_fails_the_job_and_counts_against_no_provider(
    calendars: Calendars, run: Run
) -> None:
    provider = calendars.add("microsoft")
    microsoft = settings_for(calendars.graph, calendars.google)["microsoft"] | {"client_secret": None}
    with pytest.raises(ConfigurationError, match="set JOBCORE_BUILTIN__CALENDARS__MICROSOFT__CLIENT_ID"):
        await run(microsoft=microsoft)
    with pytest.raises(ConfigurationError, match="set JOBCORE_BUILTIN__CALENDARS__KEY"):
        await run(key=None)
    assert calendars.health(provider) == ("configuring", None, None, None, None)


async def test_an_aborted_job_begins_with_no_further_provider(
    calendars: Calendars, graph: FakeGraph, attempt: Callable[..., AttemptContext]
) -> None:
    calendars.add("microsoft")
    ctx = serve(attempt(calendars.world.tenant), settings_for(graph, calendars.google))
    ctx.signal.aborted = True
    with pytest.raises(JobCancelledError):
        await renew_microsoft_calendar_webhooks(ctx, RenewMicrosoftCalendarWebhooks(tenant_id=calendars.world.tenant))
    assert graph.requests == []
