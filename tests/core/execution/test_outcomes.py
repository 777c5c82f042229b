"""What a handler returns or raises, and what becomes of its job."""

import asyncio
import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel, field_validator

from jobcore import JobContext, JobData, RetryPolicy, job
from jobcore.errors import InputError, NonRetryableError
from jobcore.execution import Cancel, Retry, Snooze
from jobcore.models import Outcome
from support.execution import Bench

POLICY = RetryPolicy(max_attempts=3, initial_interval=timedelta(seconds=7), non_retryable_errors=("KeyError",))


class Greeting(JobData):
    name: str = "world"


class Strict(BaseModel):
    secret: int


def handler_that(behaviour: Any) -> Any:
    @job("act", retry=POLICY)
    async def act(ctx: JobContext, data: dict[str, Any]) -> Any:
        result = behaviour(ctx)
        return await result if asyncio.iscoroutine(result) else result

    return act


async def settle(behaviour: Any, **fields: Any) -> Any:
    handler = handler_that(behaviour)
    return await Bench(handler).run(handler, **fields)


def raising(error: BaseException) -> Any:
    def act(_ctx: JobContext) -> None:
        raise error

    return act


async def test_a_success_completes_the_job_with_its_result_as_json() -> None:
    @job("greet")
    async def greet(ctx: JobContext, data: Greeting) -> dict[str, Any]:
        return {"hello": data.name, "attempt": ctx.attempt}

    settlement = await Bench(greet).run(greet, {"name": "Ada", "tenantId": "system"}, attempt=2)
    assert settlement.outcome is Outcome.COMPLETED
    assert json.loads(settlement.result) == {"hello": "Ada", "attempt": 2}
    assert settlement.started_at is not None
    assert settlement.started_at.tzinfo is not None
    assert settlement.duration >= timedelta()
    assert not settlement.settled


async def test_a_model_is_a_result() -> None:
    settlement = await settle(lambda _ctx: Greeting(name="Ada"))
    assert json.loads(settlement.result)["name"] == "Ada"


async def test_an_ordinary_error_retries_by_the_handlers_policy() -> None:
    settlement = await settle(raising(ValueError("broken")))
    assert settlement.outcome is Outcome.RETRY
    assert settlement.retry_in == timedelta(seconds=7)
    assert settlement.error["type"].endswith("ValueError")
    assert settlement.error["message"] == "broken"
    assert "raising" in settlement.error["traceback"] or "act" in settlement.error["traceback"]
    assert (await settle(raising(ValueError()), attempt=2)).retry_in == timedelta(seconds=14)


async def test_the_last_attempt_fails_for_good() -> None:
    settlement = await settle(raising(ValueError("broken")), attempt=3)
    assert (settlement.outcome, settlement.retry_in) == (Outcome.FAILED, None)


@pytest.mark.parametrize("error", [NonRetryableError("never"), KeyError("gone")])
async def test_an_error_that_cannot_be_retried_fails_at_once(error: Exception) -> None:
    assert (await settle(raising(error))).outcome is Outcome.FAILED


@pytest.mark.parametrize("returned", [False, True])
async def test_retry_waits_as_long_as_it_says(returned: bool) -> None:
    word = Retry("rate limited", after=timedelta(minutes=2))
    settlement = await settle((lambda _ctx: word) if returned else raising(word))
    assert (settlement.outcome, settlement.retry_in) == (Outcome.RETRY, timedelta(minutes=2))
    assert settlement.error["message"] == "rate limited"


async def test_retry_costs_an_attempt_and_takes_the_policys_delay_by_default() -> None:
    assert (await settle(raising(Retry()))).retry_in == timedelta(seconds=7)
    assert (await settle(raising(Retry()), attempt=3)).outcome is Outcome.FAILED


@pytest.mark.parametrize("returned", [False, True])
async def test_snooze_records_no_error_even_at_the_last_attempt(returned: bool) -> None:
    word = Snooze(timedelta(hours=1))
    settlement = await settle((lambda _ctx: word) if returned else raising(word), attempt=3)
    assert (settlement.outcome, settlement.retry_in) == (Outcome.SNOOZED, timedelta(hours=1))
    assert settlement.error is None


@pytest.mark.parametrize("returned", [False, True])
async def test_cancel_ends_the_job_with_its_reason(returned: bool) -> None:
    word = Cancel("the client left")
    settlement = await settle((lambda _ctx: word) if returned else raising(word))
    assert settlement.outcome is Outcome.CANCELLED
    assert settlement.error["reason"] == "the client left"


@pytest.mark.parametrize("wrong", [timedelta(seconds=-1), 5])
def test_an_outcome_refuses_a_wait_that_cannot_be_meant(wrong: Any) -> None:
    with pytest.raises(InputError, match="timedelta from zero to"):
        Snooze(wrong)
    with pytest.raises(InputError):
        Retry(after=wrong)


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text for you")

    __repr__ = __str__


class Poisoned(Exception):
    def __str__(self) -> str:
        raise SystemExit(1)


class Fatal(BaseException):
    pass


@pytest.mark.parametrize(
    "error",
    [
        Unprintable(),
        Poisoned(),
        Fatal("own base exception"),
        SystemExit(3),
        GeneratorExit(),
        KeyboardInterrupt(),
        StopAsyncIteration(),
        asyncio.CancelledError("its own"),
        ExceptionGroup("many", [ValueError(1), TypeError(2)]),
        TimeoutError("the handler's own"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_whatever_a_handler_raises_is_a_failed_attempt_and_nothing_more(error: BaseException) -> None:
    settlement = await settle(raising(error))
    assert settlement.outcome is Outcome.RETRY
    assert type(error).__name__ in settlement.error["type"]


async def test_stop_iteration_is_a_failed_attempt() -> None:
    assert (await settle(raising(StopIteration()))).outcome is Outcome.RETRY


async def test_secrets_in_errors_are_redacted_before_they_are_recorded(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        settlement = await settle(raising(ValueError("could not connect to postgresql://bob:hunter2@db/app")))
    assert "hunter2" not in json.dumps(dict(settlement.error))
    assert "hunter2" not in caplog.text


async def test_a_result_that_is_not_json_completes_the_job_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    settlement = await settle(lambda _ctx: object())
    assert settlement.outcome is Outcome.COMPLETED
    assert "not stored" in settlement.result.decode()
    assert "result was not stored" in caplog.text


async def test_a_result_over_the_limit_is_replaced_by_a_note() -> None:
    settlement = await settle(lambda _ctx: "x" * 100_000)
    assert settlement.outcome is Outcome.COMPLETED
    assert len(settlement.result) < 2_000


async def test_an_unknown_handler_fails_the_attempt_and_retries_by_the_default_policy() -> None:
    bench = Bench(handler_that(lambda _ctx: None))
    settlement = await bench.run("acting")
    assert settlement.outcome is Outcome.RETRY
    assert settlement.retry_in == timedelta(seconds=1)
    assert settlement.error["message"].startswith("No handler registered for job: acting")
    assert "'act'" in settlement.error["message"]
    assert (await bench.run("acting", attempt=3)).outcome is Outcome.FAILED


async def test_a_payload_that_does_not_fit_fails_for_good_with_paths_and_without_values() -> None:
    @job("strict")
    async def strict(ctx: JobContext, data: Strict) -> None:
        raise AssertionError("must not run")

    settlement = await Bench(strict).run(strict, {"secret": "pa55phrase"})
    assert settlement.outcome is Outcome.FAILED
    assert "secret" in settlement.error["message"]
    assert "pa55phrase" not in json.dumps(dict(settlement.error))
    assert (await Bench(strict).run(strict, b"{not json")).outcome is Outcome.FAILED


async def test_a_models_validator_that_breaks_is_a_failed_attempt() -> None:
    class Broken(BaseModel):
        value: int = 0

        @field_validator("value", mode="before")
        @classmethod
        def explode(cls, _value: Any) -> int:
            raise RuntimeError("validator bug")

    async def run(ctx: JobContext, data: Any) -> None:
        raise AssertionError("must not run")

    run.__annotations__["data"] = Broken
    broken = job("broken")(run)
    settlement = await Bench(broken).run(broken, {"value": 1})
    assert settlement.outcome is Outcome.RETRY
    assert settlement.error["message"] == "validator bug"


async def test_a_finished_job_is_one_line_at_info(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "jobcore.execution"):
        await settle(lambda _ctx: None)
    (record,) = caplog.records
    assert record.message == "Job completed successfully"
    assert record.job == "act"
    assert record.jobId


async def test_a_failed_attempt_is_logged_with_error_and_job_id(caplog: pytest.LogCaptureFixture) -> None:
    await settle(raising(ValueError("broken")))
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.error["message"] == "broken"
    assert record.jobId
