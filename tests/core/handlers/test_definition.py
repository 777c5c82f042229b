from dataclasses import FrozenInstanceError
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from jobcore import JobContext, JobData, RetryPolicy, job
from jobcore.errors import InvalidHandlerError
from jobcore.models import Execution


class Mail(JobData):
    to: str


class Receipt(BaseModel):
    sent: bool


@job("send-mail", retry=RetryPolicy(max_attempts=5), timeout=timedelta(minutes=1), priority=3)
async def send_mail(ctx: JobContext, data: Mail) -> Receipt:
    """Send one mail.

    With a longer story below.
    """
    return Receipt(sent=data.to != "")


def resize(ctx: JobContext, data: dict[str, Any]) -> None: ...


async def no_annotation(ctx: JobContext, data) -> None: ...


async def one_parameter(ctx: JobContext) -> None: ...


class Account(BaseModel):
    password: SecretStr | None = None


class Login(JobData):
    accounts: list[Account]


async def wants_secret(ctx: JobContext, data: Login) -> None: ...


async def unresolved(ctx: JobContext, data: "NowhereToBeFound") -> None: ...  # noqa: F821 - that is the point


def test_a_definition_holds_the_name_the_payload_and_the_policies() -> None:
    assert send_mail.name == send_mail.queue == "send-mail"
    assert send_mail.payload_type is Mail
    assert send_mail.retry.max_attempts == 5
    assert send_mail.timeout == timedelta(minutes=1)
    assert send_mail.execution is Execution.ASYNC
    assert send_mail.description == "Send one mail."
    assert send_mail.location == f"{__name__}:send_mail"


async def test_a_definition_stays_callable() -> None:
    context: Any = object()
    assert await send_mail(context, Mail(to="a@example.com")) == Receipt(sent=True)


def test_a_definition_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        send_mail.name = "other"  # type: ignore[misc]


def test_the_defaults_are_those_of_the_founding_documents() -> None:
    handler = job("resize")(resize)
    assert handler.execution is Execution.THREAD
    assert handler.timeout == timedelta(minutes=10)
    assert (handler.retry.max_attempts, handler.retry.backoff_coefficient) == (3, 2.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: job("x")(no_annotation), "annotate 'data'"),
        (lambda: job("x")(one_parameter), r"must take exactly \(ctx, data\), not \(ctx"),
        (lambda: job("x")(unresolved), "outside TYPE_CHECKING"),
        (lambda: job("x")(wants_secret), "payload's accounts.password.SecretStr would be stored as stars"),
        (lambda: job("x", execution="thread")(send_mail.function), "write 'def' to run it in a thread"),
        (lambda: job("x", execution="async")(resize), "would block the event loop"),
        (lambda: job("x", execution="fiber")(resize), "'async', 'thread' or 'process', not 'fiber'"),
        (lambda: job("x", timeout=timedelta())(resize), "timeout must be a timedelta above zero"),
        (lambda: job("x", timeout=30)(resize), "timeout must be a timedelta above zero, not 30"),
        (lambda: job("x", retry=3)(resize), "retry must be a RetryPolicy, not 3"),
        (lambda: job(resize), r'Write @job\("a-name"\) above .*:resize'),
    ],
)
def test_a_function_that_cannot_serve_is_refused_with_the_reason(make: Any, message: str) -> None:
    with pytest.raises(InvalidHandlerError, match=message):
        make()
