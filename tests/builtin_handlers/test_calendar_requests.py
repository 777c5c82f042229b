"""Requests to calendar services on real sockets: what is repeated, what is waited for, and what is refused."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builtin_handlers.fake_service import FakeService, Fault, Reply, Request
from jobcore_handlers.calendars.api import ServiceApi
from jobcore_handlers.calendars.errors import (
    CalendarError,
    OutcomeUnknownError,
    ServiceConflictError,
    ServiceGoneError,
    ServiceRefusedError,
    ServiceThrottledError,
    UnexpectedAnswerError,
)
from jobcore_handlers.calendars.graph import GraphSubscriptions, Subscription
from jobcore_handlers.calendars.wire import error_code, parse_answer
from jobcore_handlers.retry_after import retry_after

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


class Echo(FakeService):
    def answer(self, request: Request) -> Reply:
        self.seen = request
        return Reply(200, {"path": request.path})


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    with server.running():
        yield server


@pytest.fixture
def api(echo: Echo) -> Callable[..., ServiceApi]:
    def make(timeout: float = 5, longest_wait: float = 2) -> ServiceApi:
        wait = timedelta(seconds=longest_wait)
        return ServiceApi("Echo", echo.url, timeout=timedelta(seconds=timeout), longest_wait=wait)

    return make


async def test_a_request_carries_the_token_and_json(echo: Echo, api: Any) -> None:
    assert await api().call("POST", "/x", token="abc", json={"a": 1}) == {"path": "/x"}
    assert (echo.seen.bearer, echo.seen.json()) == ("abc", {"a": 1})
    assert echo.seen.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("reply", [Reply(500), Reply(503, b"<html>"), None])
async def test_a_failure_of_the_service_is_tried_again_twice(echo: Echo, api: Any, reply: Reply | None) -> None:
    echo.faults.append(Fault("GET", "/x", reply, times=2))
    assert await api().call("GET", "/x") == {"path": "/x"}
    echo.faults.append(Fault("GET", "/x", reply, times=3))
    with pytest.raises(OutcomeUnknownError):
        await api().call("GET", "/x")
    assert len(echo.requests) == 6


@pytest.mark.parametrize("reply", [Reply(500), None])
async def test_what_may_have_happened_is_not_asked_for_twice(echo: Echo, api: Any, reply: Reply | None) -> None:
    echo.faults.append(Fault("POST", "/x", reply))
    with pytest.raises(OutcomeUnknownError):
        await api().call("POST", "/x", json={}, repeatable=False)
    assert len(echo.requests) == 1


@pytest.mark.parametrize(
    "reply",
    [Reply(429, headers={"Retry-After": "1"}), Reply(403, {"error": {"errors": [{"reason": "rateLimitExceeded"}]}})],
)
async def test_a_throttled_request_waits_as_it_is_told(echo: Echo, api: Any, reply: Reply) -> None:
    echo.faults.append(Fault("POST", "/x", reply))
    began = monotonic()
    assert await api().call("POST", "/x", json={}, repeatable=False) == {"path": "/x"}
    assert monotonic() - began >= (1 if reply.headers else 0.5)


async def test_a_wait_that_is_too_long_is_not_waited_for(echo: Echo, api: Any) -> None:
    echo.faults.append(Fault("GET", "/x", Reply(429, headers={"Retry-After": "3600"})))
    began = monotonic()
    with pytest.raises(ServiceThrottledError, match=r"Echo answered 429\."):
        await api().call("GET", "/x")
    assert (monotonic() - began < 2, len(echo.requests)) == (True, 1)


async def test_one_that_is_throttled_without_end_is_given_up(echo: Echo, api: Any) -> None:
    echo.faults.append(Fault("GET", "/x", Reply(429, headers={"Retry-After": "0"}), times=9))
    with pytest.raises(ServiceThrottledError):
        await api().call("GET", "/x")
    assert len(echo.requests) == 3


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, ServiceRefusedError), (401, ServiceRefusedError), (404, ServiceGoneError), (410, ServiceGoneError),
     (409, ServiceConflictError), (302, ServiceRefusedError)],
)  # fmt: skip
async def test_a_refusal_is_not_repeated(echo: Echo, api: Any, status: int, kind: type[CalendarError]) -> None:
    headers = {"Location": f"{echo.url}/elsewhere"}
    echo.faults.append(Fault("GET", "/x", Reply(status, {"error": {"code": "SomeCode", "message": "m"}}, headers)))
    with pytest.raises(kind, match=rf"^Echo answered {status} \(SomeCode\)\.$"):
        await api().call("GET", "/x", token="secret")
    assert echo.requests == [("GET", "/x")]  # a redirect would take the token elsewhere


async def test_a_service_that_does_not_answer_is_given_up_at_the_deadline(echo: Echo, api: Any) -> None:
    echo.faults.append(Fault("GET", "/x", hold=threading.Event()))
    began = monotonic()
    with pytest.raises(OutcomeUnknownError, match=r"Echo did not answer within 0\.3 seconds"):
        await api(timeout=0.3).call("GET", "/x", repeatable=False)
    assert monotonic() - began < 3


async def test_an_answer_that_is_too_long_or_no_json_is_refused(echo: Echo, api: Any) -> None:
    echo.faults.append(Fault("GET", "/big", Reply(200, b"[" + b"1," * 1_000_000)))
    with pytest.raises(UnexpectedAnswerError, match="longer than 524288 bytes"):
        await api().call("GET", "/big")
    echo.faults.append(Fault("GET", "/page", Reply(200, b"<html>")))
    with pytest.raises(UnexpectedAnswerError, match="it is no JSON"):
        await api().call("GET", "/page")
    echo.faults.append(Fault("GET", "/empty", Reply(204)))
    assert await api().call("GET", "/empty") is None


async def test_a_service_that_is_not_there_was_not_asked(api: Any) -> None:
    closed = Echo()
    closed.server_close()
    with pytest.raises(OutcomeUnknownError, match="could not be reached"):
        await api().call("POST", f"{closed.url}/x", repeatable=False)


async def test_an_answer_without_what_the_protocol_has_names_the_fields_and_no_values(echo: Echo, api: Any) -> None:
    echo.faults.append(Fault("PATCH", "/subscriptions", Reply(200, {"id": "", "clientState": 7, "x": "sally"})))
    with pytest.raises(UnexpectedAnswerError) as raised:
        await GraphSubscriptions(api(), "https://a.example").renew("t", "a/b?c")
    assert str(raised.value) == (
        "Echo gave an answer that is not of its protocol: "
        "wrong or missing: clientState, expirationDateTime, id, notificationUrl."
    )
    assert echo.requests == [("PATCH", "/subscriptions/a/b?c")]  # as it was quoted, in the path


def test_times_of_seven_digits_are_read() -> None:
    document = {"id": "1", "notificationUrl": "u", "expirationDateTime": "2026-05-01T12:00:00.1234567Z"}
    parsed = parse_answer("Graph", Subscription, document)
    assert parsed.expiration_date_time == NOW + timedelta(microseconds=123456)


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"error": "invalid_grant", "error_description": "x"}, "invalid_grant"),
        ({"error": {"code": "ResourceNotFound", "message": "x"}}, "ResourceNotFound"),
        ({"error": {"code": 404, "errors": [{"reason": "notFound"}]}}, "notFound"),
        ({"error": {"code": 404, "errors": []}}, None),
        ({"error": "sally@example.com is unknown"}, None),
        ({"error": {"code": "x" * 61}}, None),
        ([1], None),
        (b"<html>", None),
        (None, None),
    ],
)
def test_an_errors_code_is_found_and_nothing_else(document: Any, code: str | None) -> None:
    assert error_code(document) == code


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        (" 0 ", 0),
        ("Fri, 01 May 2026 12:00:30 GMT", 30),
        ("Fri, 01 May 2026 11:00:00 GMT", 0),
        ("Fri, 01 May 2026 12:00:30 -0000", 30.0),
        ("soon", None),
        ("+9999 May 1:2 9999999999999", None),
        ("-1", None),
        (None, None),
    ],
)
def test_a_retry_after_is_a_number_or_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds


@given(st.text())
def test_whatever_stands_in_retry_after_is_a_time_to_come_or_nothing(value: str) -> None:
    asked = retry_after(value, NOW)
    assert asked is None or asked >= 0


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["error", "errors", "code", "reason"]), inner),
    )
)
def test_whatever_a_service_answers_its_code_is_a_word_or_nothing(document: Any) -> None:
    code = error_code(document)
    assert code is None or (code.isascii() and len(code) <= 60 and "@" not in code and " " not in code)
