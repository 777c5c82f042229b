"""Claims of other payload versions than the handler's: run, or recorded as what they are."""

from typing import Any

import pytest

from jobcore import JobContext, JobData, RetryPolicy, job
from jobcore.models import Outcome
from support import process_handlers
from support.execution import Bench


class Parcel(JobData):
    grams: int


@job("weigh", version=2)
async def weigh(ctx: JobContext, data: Parcel) -> int:
    return data.grams


@weigh.upcast(from_version=1)
def in_grams(payload: dict[str, Any]) -> dict[str, Any]:
    return {**payload, "grams": round(payload.pop("kilos") * 1000)}


async def test_an_older_claim_reaches_the_handler_as_its_own_model() -> None:
    settlement = await Bench(weigh).run(weigh, {"kilos": 1.5})
    assert (settlement.outcome, settlement.result) == (Outcome.COMPLETED, b"1500")


async def test_an_older_claim_reaches_a_handler_in_a_process_too() -> None:
    async with Bench(process_handlers.measured) as bench:
        settlement = await bench.run(process_handlers.measured, {"amount": "12 pcs"})
    assert settlement.result == b"12", settlement.error


async def test_an_upcaster_that_raises_fails_the_attempt_and_names_itself() -> None:
    settlement = await Bench(weigh).run(weigh, {"pounds": 3})
    assert settlement.outcome is Outcome.RETRY
    assert settlement.error["type"] == "jobcore.errors.UpcastError"
    assert "the upcaster from version 1" in settlement.error["message"]
    assert "in_grams, raised KeyError: 'kilos'" in settlement.error["message"]
    assert (await Bench(weigh).run(weigh, {"pounds": 3}, attempt=3)).outcome is Outcome.FAILED


async def test_an_attempt_at_a_newer_claim_fails_and_leaves_it_to_a_newer_worker() -> None:
    settlement = await Bench(weigh).run(weigh, {"payloadVersion": 3, "grams": 1})
    assert settlement.outcome is Outcome.RETRY
    assert "is of version 3, and this build knows version 2 at most" in settlement.error["message"]


async def test_an_older_payload_that_does_not_fit_fails_for_good_and_says_of_which_version_it_is() -> None:
    @job("weigh", version=2, retry=RetryPolicy(max_attempts=9))
    async def without_upcaster(ctx: JobContext, data: Parcel) -> None: ...

    settlement = await Bench(without_upcaster).run(without_upcaster, {"kilos": 1})
    assert settlement.outcome is Outcome.FAILED
    assert "grams: Field required" in settlement.error["message"]
    assert "is of version 1, and this build takes version 2" in settlement.error["message"]


@pytest.mark.parametrize("attempt", [1, 3])
async def test_an_upcaster_that_exits_ends_the_attempt_and_not_the_worker(attempt: int) -> None:
    @job("weigh", version=2)
    async def handler(ctx: JobContext, data: Parcel) -> None: ...

    @handler.upcast(from_version=1)
    def leaves(payload: dict[str, Any]) -> dict[str, Any]:
        raise SystemExit(3)

    settlement = await Bench(handler).run(handler, {"kilos": 1}, attempt=attempt)
    assert settlement.outcome is (Outcome.RETRY if attempt == 1 else Outcome.FAILED)
    assert "raised SystemExit: 3" in settlement.error["message"]
