"""The breaker of an endpoint (B15): its rules, and how deliveries meet them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builtin_handlers.endpoint import Endpoint
from builtin_handlers.webhook_world import Hooks
from jobcore import Cancel, Retry, Snooze
from jobcore_handlers.webhooks.breaker import (
    COOL_DOWN,
    GIVEN_UP_AFTER,
    LONGEST_COOL_DOWN,
    Standing,
    Turn,
    begin_probe,
    cool_down,
    judge,
    whose_turn,
)
from jobcore_handlers.webhooks.delivery import Delivery, DeliveryFailedError
from jobcore_handlers.webhooks.handler import PATIENCE, EndpointGoneError, send_webhook
from jobcore_handlers.webhooks.retry_after import LONGEST_PAUSE, read_retry_after
from jobcore_handlers.webhooks.subscriptions import Subscriptions
from support.fleet import eventually

NOW = datetime(2025, 11, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def answered(status: int, retry_after: timedelta | None = None) -> Delivery:
    error = None if 200 <= status < 300 else f"The endpoint answered {status}."
    return Delivery(duration=timedelta(), status_code=status, error=error, retry_after=retry_after)


@given(st.lists(st.sampled_from([200, 204, 302, 404, 429, 500]), max_size=30))
def test_it_is_disabled_by_five_failures_in_a_row_and_by_nothing_less(statuses: list[int]) -> None:
    standing, in_a_row = Standing(), 0
    for status in statuses:
        standing = judge(standing, answered(status), NOW, is_probe=False)
        in_a_row = 0 if status < 300 else in_a_row + (status != 429)
        assert standing.is_enabled == (in_a_row < 5)
        if not standing.is_enabled:
            break


@given(st.integers(0, 60))
def test_each_probe_that_fails_doubles_the_pause_up_to_six_hours(probes: int) -> None:
    assert cool_down(probes) == MINUTE * min(2**probes, 360)
    assert cool_down(0) == COOL_DOWN
    assert cool_down(60) == LONGEST_COOL_DOWN


def test_after_the_pause_one_delivery_probes_and_the_others_wait() -> None:
    disabled = Standing(is_enabled=False, resume_at=NOW + MINUTE, disabled_at=NOW)
    assert whose_turn(disabled, NOW) is Turn.WAIT
    assert whose_turn(disabled, NOW + MINUTE) is Turn.PROBE
    probing = begin_probe(disabled, NOW + MINUTE)
    assert whose_turn(probing, NOW + MINUTE) is Turn.WAIT
    assert whose_turn(probing, NOW + 2 * MINUTE) is Turn.PROBE  # the first one's worker died


def test_a_delivery_that_was_under_way_does_not_lengthen_the_pause() -> None:
    disabled = Standing(is_enabled=False, consecutive_failures=5, resume_at=NOW + MINUTE, disabled_at=NOW)
    late = judge(disabled, answered(500), NOW, is_probe=False)
    assert (late.resume_at, late.failed_probes) == (NOW + MINUTE, 0)
    probed = judge(disabled, answered(500), NOW, is_probe=True)
    assert (probed.resume_at, probed.failed_probes) == (NOW + 2 * MINUTE, 1)


def test_what_has_ended_is_not_revived_by_a_late_success() -> None:
    ended = Standing(is_enabled=False, disabled_at=NOW, disabled_reason="gone")
    assert judge(ended, answered(200), NOW, is_probe=False) == ended
    assert whose_turn(ended, NOW + timedelta(days=1)) is Turn.END


def test_a_probe_that_fails_after_a_week_ends_it_and_time_alone_does_not() -> None:
    disabled = Standing(is_enabled=False, resume_at=NOW, disabled_at=NOW)
    assert whose_turn(disabled, NOW + 10 * GIVEN_UP_AFTER) is Turn.PROBE
    for later, status, ends in ((-MINUTE, 500, False), (timedelta(), 500, True), (timedelta(), 429, False)):
        probed = judge(disabled, answered(status), NOW + GIVEN_UP_AFTER + later, is_probe=True)
        assert probed.has_ended == ends
    assert judge(disabled, answered(200), NOW + GIVEN_UP_AFTER, is_probe=True) == Standing()


def test_a_message_that_is_alone_outlives_an_outage_of_twenty_hours() -> None:
    standing, now = Standing(), NOW
    for attempt in range(1, PATIENCE.max_attempts + 1):
        if whose_turn(standing, now) is Turn.WAIT:
            assert standing.resume_at is not None
            now = standing.resume_at
        standing = judge(standing, answered(500), now, is_probe=whose_turn(standing, now) is Turn.PROBE)
        now += PATIENCE.delay_before(attempt + 1)
    assert not standing.has_ended
    assert timedelta(hours=20) < now - NOW < timedelta(hours=22)


def test_a_pause_that_an_endpoint_asked_for_holds_its_other_deliveries_up_too() -> None:
    paused = judge(Standing(), answered(429, 2 * MINUTE), NOW, is_probe=False)
    assert whose_turn(paused, NOW + MINUTE) is Turn.WAIT
    assert whose_turn(paused, NOW + 2 * MINUTE) is Turn.GO
    assert judge(paused, answered(200), NOW, is_probe=False).resume_at == NOW + 2 * MINUTE
    assert judge(paused, answered(429, MINUTE), NOW, is_probe=False).resume_at == NOW + 2 * MINUTE


@pytest.mark.parametrize(
    ("value", "pause"),
    [
        ("0", timedelta()),
        ("120", 2 * MINUTE),
        (" 7 ", timedelta(seconds=7)),
        ("3601", LONGEST_PAUSE),
        ("9" * 400, LONGEST_PAUSE),
        ("Sat, 01 Nov 2025 12:02:00 GMT", 2 * MINUTE),
        ("Saturday, 01-Nov-25 12:02:00 GMT", 2 * MINUTE),
        ("Sat, 01 Nov 2025 11:00:00 GMT", timedelta()),
        ("Sat, 01 Nov 2035 11:00:00 GMT", LONGEST_PAUSE),
        ("Sat, 01 Nov 2025 12:02:00", 2 * MINUTE),
        ("-1", None),
        ("soon", None),
        ("", None),
        ("1.5", None),
        ("\u0661", None),
        ("Sat, 99 Nov 2025 12:02:00 GMT", None),
    ],
)
def test_retry_after_is_read_in_both_its_forms_and_bounded(value: str, pause: timedelta | None) -> None:
    assert read_retry_after([(b"Retry-After", value.encode())], now=NOW) == pause


def test_an_answer_without_retry_after_asks_for_no_pause() -> None:
    assert read_retry_after([(b"Content-Type", b"text/plain")]) is None


@pytest.mark.parametrize("status", [429, 503])
async def test_the_job_is_tried_again_when_the_endpoint_said(endpoint: Endpoint, hooks: Hooks, status: int) -> None:
    subscription = hooks.subscribe(endpoint.url)
    endpoint.status, endpoint.headers = status, {"Retry-After": "120"}
    with pytest.raises(Retry, match=f"answered {status}") as raised:
        await send_webhook(hooks.context(), hooks.change(subscription))
    assert raised.value.after == 2 * MINUTE
    with pytest.raises(Snooze) as waiting:
        await send_webhook(hooks.context(), hooks.change(subscription))
    assert MINUTE < waiting.value.for_ <= 2 * MINUTE + timedelta(seconds=12)
    assert len(endpoint.received) == len(hooks.events()) == 1
    assert hooks.subscription()["consecutive_failures"] == (0 if status == 429 else 1)


@pytest.mark.parametrize(("status", "asked"), [(500, "120"), (429, "0"), (503, "soon")])
async def test_other_failures_and_what_asks_for_no_pause_are_tried_again_by_policy(
    endpoint: Endpoint, hooks: Hooks, status: int, asked: str
) -> None:
    endpoint.status, endpoint.headers = status, {"Retry-After": asked}
    with pytest.raises(DeliveryFailedError):
        await send_webhook(hooks.context(), hooks.change(hooks.subscribe(endpoint.url)))
    assert (hooks.subscription()["pause"] or timedelta()) <= timedelta()


async def disable(endpoint: Endpoint, hooks: Hooks) -> None:
    endpoint.status = 500
    data = hooks.change(hooks.subscription()["subscription_id"])
    for _ in range(5):
        with pytest.raises(DeliveryFailedError):
            await send_webhook(hooks.context(), data)
    endpoint.received.clear()


async def test_five_failures_in_a_row_disable_a_subscription_and_its_owner_is_told(
    endpoint: Endpoint, hooks: Hooks, caplog: pytest.LogCaptureFixture
) -> None:
    subscription = hooks.subscribe(endpoint.url)
    await disable(endpoint, hooks)
    row = hooks.subscription()
    assert (row["is_enabled"], row["consecutive_failures"]) == (False, 5)
    assert row["disabled_reason"] == "5 deliveries in a row failed"
    assert hooks.notices() == [("disabled", "5 deliveries in a row failed")]
    assert f"Webhook subscription {subscription} is now disabled" in caplog.text
    with pytest.raises(Snooze) as waiting:
        await send_webhook(hooks.context(), hooks.change(subscription))
    assert timedelta() < waiting.value.for_ <= COOL_DOWN * 1.1
    assert endpoint.received == []
    assert len(hooks.events()) == 5


async def test_a_success_forgets_the_failures_before_it(endpoint: Endpoint, hooks: Hooks) -> None:
    subscription = hooks.subscribe(endpoint.url)
    for status in (500, 500, 200, 500):
        endpoint.status = status
        try:
            await send_webhook(hooks.context(), hooks.change(subscription))
        except DeliveryFailedError:
            assert status == 500
    row = hooks.subscription()
    assert (row["is_enabled"], row["consecutive_failures"], row["disabled_reason"]) == (True, 1, None)


async def test_a_probe_that_succeeds_enables_the_subscription_again(endpoint: Endpoint, hooks: Hooks) -> None:
    subscription = hooks.subscribe(endpoint.url)
    await disable(endpoint, hooks)
    hooks.let_pass(COOL_DOWN)
    endpoint.status = 200
    assert await send_webhook(hooks.context(), hooks.change(subscription)) == {"statusCode": 200}
    row = hooks.subscription()
    assert (row["is_enabled"], row["consecutive_failures"], row["resume_at"]) == (True, 0, None)
    assert [kind for kind, _ in hooks.notices()] == ["disabled", "enabled"]


async def test_a_probe_that_fails_lengthens_the_pause(endpoint: Endpoint, hooks: Hooks) -> None:
    subscription = hooks.subscribe(endpoint.url)
    await disable(endpoint, hooks)
    for minutes in (2, 4, 8):
        hooks.let_pass(timedelta(hours=1))
        with pytest.raises(DeliveryFailedError):
            await send_webhook(hooks.context(), hooks.change(subscription))
        assert timedelta() < minutes * MINUTE - hooks.subscription()["pause"] < timedelta(seconds=20)
    assert [kind for kind, _ in hooks.notices()] == ["disabled"]


async def test_of_many_that_wait_one_probes(endpoint: Endpoint, hooks: Hooks) -> None:
    subscription = hooks.subscribe(endpoint.url)
    await disable(endpoint, hooks)
    hooks.let_pass(COOL_DOWN)
    endpoint.hold.clear()
    attempts = [asyncio.create_task(send_webhook(hooks.context(), hooks.change(subscription))) for _ in range(8)]
    waiting = set(attempts)
    while len(waiting) > 1:
        _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    endpoint.hold.set()
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    assert sorted(type(one).__name__ for one in outcomes) == ["DeliveryFailedError"] + ["Snooze"] * 7
    assert len(endpoint.received) == 1


async def test_those_that_fail_together_disable_it_once_and_lengthen_no_pause(endpoint: Endpoint, hooks: Hooks) -> None:
    subscription = hooks.subscribe(endpoint.url)
    endpoint.status = 500
    endpoint.hold.clear()
    attempts = [asyncio.create_task(send_webhook(hooks.context(), hooks.change(subscription))) for _ in range(8)]

    async def all_arrived() -> bool:
        return len(endpoint.received) == len(attempts)

    await eventually(all_arrived, "all are under way")
    endpoint.hold.set()
    await asyncio.gather(*attempts, return_exceptions=True)
    row = hooks.subscription()
    assert (row["consecutive_failures"], row["failed_probes"]) == (8, 0)
    assert timedelta() < row["pause"] <= COOL_DOWN
    assert [kind for kind, _ in hooks.notices()] == ["disabled"]


async def test_an_endpoint_that_is_gone_ends_its_subscription_at_once(endpoint: Endpoint, hooks: Hooks) -> None:
    subscription = hooks.subscribe(endpoint.url)
    endpoint.status = 410
    with pytest.raises(EndpointGoneError, match="answered 410"):
        await send_webhook(hooks.context(), hooks.change(subscription))
    row = hooks.subscription()
    assert (row["is_enabled"], row["resume_at"], row["consecutive_failures"]) == (False, None, 0)
    assert hooks.notices() == [("ended", "The endpoint answered 410: it is gone for good")]
    with pytest.raises(Cancel, match="is disabled: nothing was sent"):
        await send_webhook(hooks.context(), hooks.change(subscription))
    assert [event["error"] for event in hooks.events()] == [
        "The endpoint answered 410.",
        "The subscription is disabled.",
    ]
    assert len(endpoint.received) == 1


async def test_what_fails_after_a_week_ends_its_subscription_and_what_waited_leaves_its_rows(
    endpoint: Endpoint, hooks: Hooks
) -> None:
    subscription = hooks.subscribe(endpoint.url)
    await disable(endpoint, hooks)
    hooks.let_pass(GIVEN_UP_AFTER)
    for outcome in (DeliveryFailedError, Cancel, Cancel):
        with pytest.raises(outcome):
            await send_webhook(hooks.context(), hooks.change(subscription))
    assert len(endpoint.received) == 1
    assert [event["error"] for event in hooks.events()[6:]] == ["The subscription is disabled."] * 2
    reason = "Not one delivery succeeded in 7 days (5 deliveries in a row failed)"
    assert hooks.notices()[1:] == [("ended", reason)]


async def test_a_subscription_can_be_enabled_again_by_hand(endpoint: Endpoint, hooks: Hooks) -> None:
    subscription = hooks.subscribe(endpoint.url)
    endpoint.status = 410
    with pytest.raises(EndpointGoneError):
        await send_webhook(hooks.context(), hooks.change(subscription))
    async with await psycopg.AsyncConnection.connect(hooks.dsn) as connection:
        await Subscriptions(connection, hooks.tenant).enable(subscription)
    row = hooks.subscription()
    assert (row["is_enabled"], row["consecutive_failures"], row["disabled_reason"]) == (True, 0, None)
    endpoint.status = 200
    assert await send_webhook(hooks.context(), hooks.change(subscription)) == {"statusCode": 200}


async def test_one_endpoints_failures_are_not_anothers(endpoint: Endpoint, hooks: Hooks) -> None:
    failing = hooks.subscribe(endpoint.url)
    await disable(endpoint, hooks)
    endpoint.status = 200
    assert await send_webhook(hooks.context(), hooks.change(hooks.subscribe(endpoint.url))) == {"statusCode": 200}
    with pytest.raises(Snooze):
        await send_webhook(hooks.context(), hooks.change(failing))


def test_a_success_leaves_nothing_of_the_failures_before_it() -> None:
    assert judge(replace(Standing(), consecutive_failures=4), answered(200), NOW, is_probe=False) == Standing()
