"""Outcomes that nobody should return or raise: they cost their own job, and never the worker."""

from datetime import timedelta
from typing import Any

import orjson
import pytest
from pydantic import BaseModel, field_serializer

from jobcore import JobContext, RetryPolicy, job
from jobcore.errors import InputError
from jobcore.execution import Cancel, Retry, Snooze
from jobcore.models import Outcome, Settlement
from support.execution import Bench


class Unwilling(BaseModel):
    value: int = 1

    @field_serializer("value")
    def refuse(self, value: int) -> int:
        raise KeyError("cannot be written")


class Treacherous:
    @property
    def model_dump(self) -> None:
        raise RuntimeError("do not look")


class Hollow(Snooze):
    def __init__(self) -> None:
        """Leave out what a snooze must know."""


async def settle(value: Any) -> Settlement:
    @job("act", retry=RetryPolicy(max_attempts=1))
    async def act(ctx: JobContext, data: dict[str, Any]) -> Any:
        return value

    settlement = await Bench(act).run(act, max_attempts=1)
    orjson.dumps(dict(settlement.error or {}))  # as it is written
    return settlement


@pytest.mark.parametrize("value", [Unwilling(), {"within": Unwilling()}, Treacherous(), {"within": Treacherous()}])
async def test_a_result_that_cannot_be_written_completes_with_a_note(value: Any) -> None:
    settlement = await settle(value)
    assert settlement.outcome is Outcome.COMPLETED
    assert settlement.result is not None
    assert orjson.loads(settlement.result)["jobcore"].startswith("not stored: ")


async def test_an_outcome_of_a_users_own_that_lacks_its_facts_fails_the_attempt() -> None:
    settlement = await settle(Hollow())
    assert settlement.outcome is Outcome.FAILED
    assert settlement.error is not None
    assert "for_" in settlement.error["message"]


async def test_the_reason_of_a_cancellation_is_stored_as_postgresql_can() -> None:
    settlement = await settle(Cancel("gone\x00 \ud800 password=hush-hush " + "x" * 10_000))
    assert settlement.outcome is Outcome.CANCELLED
    assert settlement.error is not None
    reason = settlement.error["reason"]
    assert reason.startswith("gone\ufffd \ufffd ")
    assert "hush-hush" not in reason
    assert len(reason) <= 4_000


def test_the_reason_of_a_cancellation_is_text() -> None:
    with pytest.raises(InputError, match="as text, not int"):
        Cancel(404)  # type: ignore[arg-type]


@pytest.mark.parametrize("wait", [timedelta.max, timedelta(days=200_000 * 365), timedelta(days=-1)])
def test_no_wait_leads_beyond_what_a_datetime_can_tell(wait: timedelta) -> None:
    with pytest.raises(InputError, match="from zero to 3660 days"):
        Snooze(wait)
    with pytest.raises(InputError, match="from zero to 3660 days"):
        Retry(after=wait)
