"""Time-outs and aborts of handlers on the event loop."""

import asyncio
import gc
import logging
import time
import weakref
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from jobcore import JobContext, RetryPolicy, job
from jobcore.errors import StaleClaimError
from jobcore.execution import Abort, Retry
from jobcore.execution.verdict import LEFT_BEHIND, STOPPED_BY_FORCE
from jobcore.models import Outcome
from support.execution import Bench, until

SOON = timedelta(milliseconds=50)
LATE = timedelta(minutes=10)


def handler_of(function: Any, *, timeout: timedelta = LATE, abort_grace: timedelta = SOON) -> Any:
    async def act(ctx: JobContext, data: dict[str, Any]) -> Any:
        return await function(ctx)

    return job("act", timeout=timeout, abort_grace=abort_grace, retry=RetryPolicy())(act)


async def for_ever(_ctx: JobContext) -> None:
    await asyncio.Event().wait()


async def heeds(ctx: JobContext) -> str:
    await ctx.signal.wait()
    return "left early"


async def swallows(_ctx: JobContext) -> None:
    with suppress(asyncio.CancelledError):
        await asyncio.sleep(30)
    await asyncio.sleep(1)


async def run_and_abort(function: Any, kind: str = "cancelled", **options: Any) -> Any:
    """Run a handler and abort it once it has begun."""
    begun = asyncio.Event()

    async def noticed(ctx: JobContext) -> Any:
        begun.set()
        return await function(ctx)

    handler = handler_of(noticed, **options)
    bench, abort = Bench(handler, cleanup_grace=timedelta(seconds=0.3)), Abort()
    running = asyncio.create_task(bench.run(handler, abort=abort))
    await begun.wait()
    abort.abort("no longer wanted", by="ada", kind=kind)
    return await asyncio.wait_for(running, 5)


async def test_a_time_out_is_a_failed_attempt_that_retries_by_policy() -> None:
    handler = handler_of(for_ever, timeout=SOON)
    settlement = await Bench(handler).run(handler)
    assert settlement.outcome is Outcome.RETRY
    assert settlement.error["type"].endswith("JobTimeoutError")
    assert "time-out of 0:00:00.050000" in settlement.error["message"]
    assert "for_ever" in settlement.error["traceback"]
    assert (await Bench(handler).run(handler, attempt=3)).outcome is Outcome.FAILED


async def test_a_handlers_own_timeout_error_is_its_own() -> None:
    async def impatient(_ctx: JobContext) -> None:
        async with asyncio.timeout(0):
            await asyncio.Event().wait()

    handler = handler_of(impatient)
    settlement = await Bench(handler).run(handler)
    assert settlement.outcome is Outcome.RETRY
    assert settlement.error["type"].rpartition(".")[2] == "TimeoutError"


async def test_a_time_out_sets_the_signal_with_its_reason() -> None:
    seen: list[Any] = []

    async def cleans_up(ctx: JobContext) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            seen.append((ctx.signal.aborted, ctx.signal.reason))

    handler = handler_of(cleans_up, timeout=SOON)
    await Bench(handler).run(handler)
    assert seen == [(True, "The job ran past its time-out of 0:00:00.050000.")]


async def test_a_handler_that_returns_after_its_time_out_has_failed() -> None:
    async def swallows(_ctx: JobContext) -> str:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return "done after all"

    handler = handler_of(swallows, timeout=SOON)
    assert (await Bench(handler).run(handler)).outcome is Outcome.RETRY


async def test_a_handler_that_swallows_cancellation_is_left_behind_and_recorded(
    caplog: pytest.LogCaptureFixture,
) -> None:
    free = asyncio.Event()

    async def stubborn(_ctx: JobContext) -> None:
        while not free.is_set():
            with suppress(asyncio.CancelledError):
                await free.wait()

    handler = handler_of(stubborn, timeout=SOON)
    bench = Bench(handler, cleanup_grace=SOON)
    settlement = await asyncio.wait_for(bench.run(handler), 5)
    assert settlement.outcome is Outcome.RETRY
    assert "was left behind" in settlement.error["message"]
    assert "left behind" in caplog.text
    assert bench.executor.left_behind() == 1
    free.set()
    await until(lambda: not bench.executor.left_behind())


@pytest.mark.parametrize("kind", ["cancelled", "superseded"])
@pytest.mark.parametrize("function", [for_ever, heeds])
async def test_a_cancelled_job_ends_as_cancelled_with_reason_and_who(function: Any, kind: str) -> None:
    settlement = await run_and_abort(function, kind)
    assert settlement.outcome is Outcome.CANCELLED
    assert (settlement.error["reason"], settlement.error["cancelled_by"]) == ("no longer wanted", "ada")
    assert ("handler" in settlement.error) == (function is for_ever)


async def test_the_signal_comes_first_and_the_cancellation_after_the_grace() -> None:
    moments: dict[str, float] = {}

    async def watches(ctx: JobContext) -> None:
        await ctx.signal.wait()
        moments["signal"] = time.monotonic()
        try:
            await asyncio.Event().wait()
        finally:
            moments["cancelled"] = time.monotonic()

    began = time.monotonic()
    await run_and_abort(watches, abort_grace=timedelta(milliseconds=200))
    assert moments["signal"] - began < 0.15
    assert 0.15 < moments["cancelled"] - moments["signal"] < 1


async def test_whatever_a_cancelled_handler_raises_it_stays_cancelled() -> None:
    async def complains(ctx: JobContext) -> None:
        await ctx.signal.wait()
        raise Retry("again please")

    assert (await run_and_abort(complains)).outcome is Outcome.CANCELLED


@pytest.mark.parametrize(("function", "told"), [(for_ever, STOPPED_BY_FORCE), (swallows, LEFT_BEHIND)])
async def test_a_handler_that_ignores_its_cancellation_is_recorded_as_such(function: Any, told: str) -> None:
    settlement = await run_and_abort(function)
    assert settlement.outcome is Outcome.CANCELLED
    assert settlement.error == {"reason": "no longer wanted", "cancelled_by": "ada", "handler": told}


async def test_a_handler_that_raises_when_aborted_is_cancelled() -> None:
    async def polls(ctx: JobContext) -> None:
        while True:
            ctx.signal.raise_if_aborted()
            await asyncio.sleep(0.001)

    assert (await run_and_abort(polls)).outcome is Outcome.CANCELLED


async def test_an_abort_that_the_handler_never_noticed_does_not_undo_its_finished_work() -> None:
    for kind in ("cancelled", "shutdown"):
        gate = asyncio.Event()

        async def works(_ctx: JobContext, gate: asyncio.Event = gate) -> str:
            await gate.wait()
            return "all done"

        handler, abort = handler_of(works, abort_grace=LATE), Abort()
        running = asyncio.create_task(Bench(handler).run(handler, abort=abort))
        await asyncio.sleep(0)
        abort.abort("stop", kind=kind)
        await asyncio.sleep(0)
        gate.set()
        assert (await running).outcome is Outcome.COMPLETED


@pytest.mark.parametrize("function", [for_ever, heeds])
async def test_a_shutdown_hands_the_job_back(function: Any) -> None:
    settlement = await run_and_abort(function, "shutdown")
    assert settlement.outcome is Outcome.RELEASED
    assert not settlement.settled


async def test_a_lost_claim_leaves_nothing_to_write() -> None:
    settlement = await run_and_abort(for_ever, "lost")
    assert (settlement.outcome, settlement.settled) == (Outcome.RELEASED, True)


async def test_a_stale_claim_that_reaches_the_handler_leaves_nothing_to_write() -> None:
    async def reports(ctx: JobContext) -> None:
        await ctx.heartbeat()

    handler = handler_of(reports)
    bench = Bench(handler)
    bench.session.lose()
    settlement = await bench.run(handler)
    assert (settlement.outcome, settlement.settled) == (Outcome.RELEASED, True)
    assert "another worker" in settlement.error["reason"]


async def test_a_job_aborted_before_it_began_never_runs() -> None:
    async def must_not_run(_ctx: JobContext) -> None:
        raise AssertionError

    handler, abort = handler_of(must_not_run), Abort()
    abort.abort("cancelled in the queue")
    assert (await Bench(handler).run(handler, abort=abort)).outcome is Outcome.CANCELLED


async def test_a_cancelled_worker_task_stops_the_handler_and_passes_its_cancellation_on() -> None:
    begun, cleaned = asyncio.Event(), asyncio.Event()

    async def tidy(_ctx: JobContext) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            cleaned.set()

    handler = handler_of(tidy)
    running = asyncio.create_task(Bench(handler).run(handler))
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert cleaned.is_set()


async def test_a_second_cancellation_does_not_wait_for_a_stubborn_handler() -> None:
    begun, free = asyncio.Event(), asyncio.Event()

    async def stubborn(_ctx: JobContext) -> None:
        begun.set()
        while not free.is_set():
            with suppress(asyncio.CancelledError):
                await free.wait()

    handler = handler_of(stubborn)
    bench = Bench(handler, cleanup_grace=LATE)
    running = asyncio.create_task(bench.run(handler))
    await begun.wait()
    running.cancel()
    await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, 5)
    free.set()
    await until(lambda: not bench.executor.left_behind())


async def test_only_the_first_abort_counts_and_any_thread_may_call_it() -> None:
    abort = Abort()
    await asyncio.gather(*(asyncio.to_thread(abort.abort, f"reason {number}") for number in range(8)))
    first = abort.reason
    abort.abort("later", kind="lost")
    assert (abort.reason, abort.kind) == (first, "cancelled")
    await abort.wait()
    assert abort.wait_blocking(0)


async def test_a_hundred_jobs_run_at_once_and_leave_no_task_behind() -> None:
    running, peak = 0, 0
    gate = asyncio.Event()

    async def meets(_ctx: JobContext) -> None:
        nonlocal running, peak
        running += 1
        peak = max(peak, running)
        if running == 100:
            gate.set()
        await gate.wait()
        running -= 1

    handler = handler_of(meets)
    bench = Bench(handler)
    before = len(asyncio.all_tasks())
    settlements = await asyncio.gather(*(bench.run(handler) for _ in range(100)))
    assert peak == 100
    assert {settlement.outcome for settlement in settlements} == {Outcome.COMPLETED}
    assert len(asyncio.all_tasks()) == before


async def test_a_finished_run_is_not_kept_in_memory() -> None:
    contexts: weakref.WeakSet[Any] = weakref.WeakSet()

    async def leaves(ctx: JobContext) -> None:
        contexts.add(ctx)
        await ctx.progress(10)
        await ctx.progress(20)

    handler = handler_of(leaves)
    bench = Bench(handler)
    for _ in range(50):
        await bench.run(handler)
    await asyncio.sleep(0)
    gc.collect()
    assert len(contexts) == 0


async def test_a_stale_claim_error_is_no_retry(caplog: pytest.LogCaptureFixture) -> None:
    async def stale(_ctx: JobContext) -> None:
        raise StaleClaimError("taken")

    handler = handler_of(stale)
    with caplog.at_level(logging.INFO):
        assert (await Bench(handler).run(handler)).settled
    assert "handed back" in caplog.text
