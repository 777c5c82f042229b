"""Access tokens for calendars: OAuth against the stand-ins, refresh tokens sealed in the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from builtin_handlers.calendar_world import KEY, Calendars, serve, settings_for
from builtin_handlers.context import AttemptContext
from builtin_handlers.fake_graph import FakeGraph
from builtin_handlers.fake_service import Fault, Reply, Request
from jobcore.errors import ConfigurationError
from jobcore_handlers.calendars import ProviderKey
from jobcore_handlers.calendars.errors import GrantError, ServiceThrottledError, UnexpectedAnswerError
from jobcore_handlers.calendars.services import oauth_tokens
from jobcore_handlers.calendars.settings import CalendarSettings
from jobcore_handlers.calendars.vault import TokenVault
from support.samples import ROOT, samples_of

Ask = Callable[..., Any]


@pytest.fixture
def ask(calendars: Calendars, attempt: Callable[..., AttemptContext]) -> Ask:
    """Ask for a provider's access token: `await ask(provider, "google")`."""

    async def bearer(provider: Any, kind: Any = "microsoft", **settings: Any) -> str:
        configured = CalendarSettings(**settings_for(calendars.graph, calendars.google, **settings))
        key = ProviderKey(calendars.world.tenant, provider, kind)
        return await oauth_tokens(configured).bearer(key, attempt(calendars.world.tenant).db)

    return bearer


async def test_each_service_gives_a_token_for_the_providers_refresh_token(calendars: Calendars, ask: Ask) -> None:
    at_microsoft = await ask(calendars.add("microsoft", "sally@example.com"))
    at_google = await ask(calendars.add("google", "bob@example.com"), "google")
    assert calendars.graph.access_tokens[at_microsoft] == "sally@example.com"
    assert calendars.google.access_tokens[at_google] == "bob@example.com"


async def test_a_new_refresh_token_is_kept_sealed_and_serves_the_next_time(
    calendars: Calendars, graph: FakeGraph, ask: Ask
) -> None:
    provider = calendars.add("microsoft")
    graph.rotates = True
    await ask(provider)
    (current,) = graph.refresh_tokens
    sealed = calendars.config(provider)["sealed_refresh_token"]
    assert current.encode() not in sealed
    assert TokenVault(KEY).open(ProviderKey(calendars.world.tenant, provider, "microsoft"), sealed) == current
    await ask(provider)


async def test_a_token_of_a_calendar_that_was_connected_anew_meanwhile_is_not_overwritten(
    calendars: Calendars, graph: FakeGraph, ask: Ask
) -> None:
    provider = calendars.add("microsoft")
    graph.rotates = True
    answer = graph.answer

    def reconnected(request: Request) -> Reply:
        calendars.world.execute("update billing.microsoft_calendar_provider_config set sealed_refresh_token = 'new'")
        return answer(request)

    graph.answer = reconnected
    await ask(provider)
    assert calendars.config(provider)["sealed_refresh_token"] == b"new"


async def test_the_how_to_page_connects_a_calendar(
    calendars: Calendars, attempt: Callable[..., AttemptContext], ask: Ask
) -> None:
    (sample,) = [one for one in samples_of(ROOT / "docs/how-to/connect-calendars.md") if one.language == "python"]
    page: dict[str, Any] = {}
    exec(compile(sample.code, sample.place, "exec"), page)
    ctx, provider = attempt(calendars.world.tenant), uuid4()
    serve(ctx, settings_for(calendars.graph, calendars.google))
    await page["connect_google"](ctx, provider, "primary", calendars.google.enrol("bob@example.com"))
    assert calendars.google.access_tokens[await ask(provider, "google")] == "bob@example.com"


async def test_a_refusal_says_what_to_do_and_not_what_was_sent(calendars: Calendars, ask: Ask) -> None:
    provider = calendars.add("microsoft")
    calendars.graph.refresh_tokens.clear()
    with pytest.raises(GrantError) as raised:
        await ask(provider)
    assert str(raised.value) == (
        "Microsoft's token endpoint answered 400 (invalid_grant). "
        "Connect the calendar again, or check the application's registration."
    )
    calendars.graph.client_secret = "another"
    microsoft = settings_for(calendars.graph, calendars.google)["microsoft"] | {"client_secret": "wrong"}
    with pytest.raises(GrantError, match=r"401 \(invalid_client\)"):
        await ask(provider, microsoft=microsoft)


async def test_who_asks_too_often_is_not_told_to_connect_again(
    calendars: Calendars, graph: FakeGraph, ask: Ask
) -> None:
    graph.faults.append(Fault("POST", "/common/", Reply(429, {"error": "too_many"}, {"Retry-After": "3600"})))
    with pytest.raises(ServiceThrottledError, match=r"^Microsoft's token endpoint answered 429 \(too_many\)\.$"):
        await ask(calendars.add("microsoft"))


async def test_an_answer_without_a_token_is_refused(calendars: Calendars, graph: FakeGraph, ask: Ask) -> None:
    provider = calendars.add("microsoft")
    graph.faults.append(Fault("POST", "/common/", Reply(200, {"token_type": "Bearer"})))
    with pytest.raises(UnexpectedAnswerError, match="wrong or missing: access_token"):
        await ask(provider)


async def test_an_application_by_itself_needs_a_directory_of_its_own(calendars: Calendars, ask: Ask) -> None:
    with pytest.raises(GrantError, match="has no refresh token"):
        await ask(calendars.add("microsoft", sealed_refresh_token=None))
    token = await ask(calendars.add("microsoft", sealed_refresh_token=None, directory="contoso.example"), key=None)
    assert calendars.graph.access_tokens[token] == ""


async def test_a_provider_that_is_gone_has_no_token(ask: Ask) -> None:
    with pytest.raises(GrantError, match="has no configuration any more"):
        await ask(uuid4())


async def test_a_token_that_was_sealed_otherwise_says_so(calendars: Calendars, ask: Ask) -> None:
    mine, other = calendars.add("google"), calendars.add("google")
    calendars.world.execute(
        "update billing.google_calendar_provider_config c set sealed_refresh_token = o.sealed_refresh_token "
        "from billing.google_calendar_provider_config o where c.provider_id = %s and o.provider_id = %s",
        mine,
        other,
    )
    with pytest.raises(GrantError, match=f"of calendar provider {mine} cannot be decrypted"):
        await ask(mine, "google")


@pytest.mark.parametrize("spoilt", [b"", b"short", bytes(range(60))], ids=["empty", "short", "noise"])
def test_what_was_not_sealed_does_not_open(spoilt: bytes) -> None:
    with pytest.raises(GrantError, match="cannot be decrypted"):
        TokenVault(KEY).open(ProviderKey(uuid4(), uuid4(), "google"), spoilt)


@pytest.mark.parametrize(("key", "problem"), [("c2hvcnQ=", "has 5 bytes; 32 are needed"), ("!", "is not Base64")])
def test_a_wrong_key_is_refused(key: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        oauth_tokens(CalendarSettings(key=key))


@pytest.mark.parametrize(
    "wrong",
    [
        {"notification_url": "http://app.example.com"},
        {"notification_url": "http://127.0.0.1/"},
        {"notification_url": "https://app.example.com/?a=b"},
        {"google": {"api_url": "http://calendar.example.com"}},
        {"google": {"oauth_url": "https://user:pass@example.com/token"}},
        {"microsoft": {"api_url": "ftp://localhost/"}},
        {"timeout_seconds": 0},
    ],
)
def test_settings_that_would_send_secrets_in_the_clear_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CalendarSettings(**wrong)


def test_secrets_do_not_show_in_the_settings() -> None:
    settings = CalendarSettings(key="k" * 44, google={"client_id": "c", "client_secret": "very-secret"})
    assert "very-secret" not in repr(settings)
    assert "k" * 44 not in repr(settings)
