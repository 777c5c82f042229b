"""`def` handlers: they run in threads, and can be interrupted, lost and replaced."""

import asyncio
import contextvars
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from jobcore import JobContext, RetryPolicy, job
from jobcore.errors import JobcoreError, StaleClaimError
from jobcore.execution import Abort, HandlerInterrupt
from jobcore.models import Execution, Outcome
from support.execution import Bench, until

SOON = timedelta(milliseconds=80)
LATE = timedelta(minutes=10)
tenant_of_request: contextvars.ContextVar[str] = contextvars.ContextVar("tenant_of_request")


def threaded(function: Any, *, timeout: timedelta = LATE, abort_grace: timedelta = SOON) -> Any:
    def act(ctx: JobContext, data: dict[str, Any]) -> Any:
        return function(ctx)

    definition = job("act", timeout=timeout, abort_grace=abort_grace, retry=RetryPolicy())(act)
    assert definition.execution is Execution.THREAD
    return definition


def spin(_ctx: JobContext) -> None:
    while True:
        time.sleep(0.001)


TRACED = sys.gettrace() is not None and sys.version_info < (3, 12)


async def test_a_plain_function_runs_off_the_loop_and_blocks_nobody() -> None:
    loop_thread = threading.get_ident()
    gate = threading.Event()

    def waits(_ctx: JobContext) -> bool:
        return gate.wait(5) and threading.get_ident() != loop_thread

    handler = threaded(waits)
    async with Bench(handler) as bench:
        running = asyncio.create_task(bench.run(handler))
        await asyncio.sleep(0)
        gate.set()
        settlement = await running
    assert (settlement.outcome, settlement.result) == (Outcome.COMPLETED, b"true")


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(1), StopIteration("s"), KeyboardInterrupt()], ids=repr)
async def test_what_a_thread_raises_is_a_failed_attempt(error: BaseException) -> None:
    def fails(_ctx: JobContext) -> None:
        raise error

    handler = threaded(fails)
    async with Bench(handler) as bench:
        assert (await bench.run(handler)).outcome is Outcome.RETRY
        assert (await bench.run(handler)).outcome is Outcome.RETRY


async def test_context_variables_reach_the_thread_and_do_not_leak_back() -> None:
    def reads(_ctx: JobContext) -> str:
        seen = tenant_of_request.get()
        tenant_of_request.set("changed")
        return seen

    handler = threaded(reads)
    async with Bench(handler) as bench:
        tenant_of_request.set("acme")
        assert (await bench.run(handler)).result == b'"acme"'
        assert tenant_of_request.get() == "acme"


async def test_a_time_out_raises_in_the_thread_and_settles_the_job() -> None:
    raised: list[type[BaseException]] = []

    def notices(ctx: JobContext) -> None:
        try:
            spin(ctx)
        except BaseException as error:
            raised.append(type(error))
            raise

    handler = threaded(notices, timeout=SOON)
    async with Bench(handler) as bench:
        settlement = await asyncio.wait_for(bench.run(handler), 5)
        assert settlement.outcome is Outcome.RETRY
        assert settlement.error["type"].endswith("JobTimeoutError")
        assert "spin" in settlement.error["traceback"]
        assert raised == [HandlerInterrupt]
        assert bench.executor.lost_threads() == []


async def test_except_exception_does_not_hold_an_interrupt_up() -> None:
    def swallows(_ctx: JobContext) -> None:
        while True:
            with suppress(Exception):
                time.sleep(0.001)

    handler = threaded(swallows, timeout=SOON)
    async with Bench(handler) as bench:
        assert (await asyncio.wait_for(bench.run(handler), 5)).outcome is Outcome.RETRY
        assert bench.executor.lost_threads() == []


# CPython 3.11 holds the loop up while an exception waits for a traced thread in C code: under coverage, the test
# runs in a process of its own that nobody traces.
@pytest.mark.skipif(TRACED, reason="runs untraced, by the test below")
async def test_a_thread_that_never_ends_is_lost_shown_and_replaced(caplog: pytest.LogCaptureFixture) -> None:
    free = threading.Event()
    calls: list[int] = []

    def hangs_first(_ctx: JobContext) -> str:
        calls.append(threading.get_ident())
        if len(calls) == 1:
            free.wait()  # in C code, where no exception reaches it
        return "fine"

    handler = threaded(hangs_first, timeout=SOON)
    async with Bench(handler, threads=1, cleanup_grace=SOON) as bench:
        settlement = await asyncio.wait_for(bench.run(handler), 5)
        assert settlement.outcome is Outcome.RETRY
        assert "was left behind" in settlement.error["message"]
        (lost,) = bench.executor.lost_threads()
        assert lost == f"act:{settlement.claim.job_id}"
        assert "is lost" in caplog.text
        assert (await bench.run(handler)).result == b'"fine"'
        assert calls[0] != calls[1]
        free.set()
        await until(lambda: not bench.executor.lost_threads())


@pytest.mark.skipif(not TRACED, reason="nobody traces: the test above ran")
def test_a_thread_that_never_ends_is_lost_also_where_this_suite_is_traced() -> None:
    test = f"{__file__}::{test_a_thread_that_never_ends_is_lost_shown_and_replaced.__name__}"
    untraced = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-cov", test],
        env=untraced,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 passed" in run.stdout, run.stdout


async def test_a_cancelled_thread_sees_its_signal_and_may_leave_by_itself() -> None:
    begun = threading.Event()

    def heeds(ctx: JobContext) -> str:
        begun.set()
        assert ctx.signal.wait_blocking(5)
        return ctx.signal.reason or ""

    handler, abort = threaded(heeds), Abort()
    async with Bench(handler) as bench:
        running = asyncio.create_task(bench.run(handler, abort=abort))
        await asyncio.to_thread(begun.wait)
        abort.abort("not wanted", by="ada")
        settlement = await asyncio.wait_for(running, 5)
    assert settlement.outcome is Outcome.CANCELLED
    assert settlement.error == {"reason": "not wanted", "cancelled_by": "ada"}


async def test_a_cancelled_thread_that_does_not_look_is_interrupted_after_the_grace() -> None:
    begun = threading.Event()

    def deaf(ctx: JobContext) -> None:
        begun.set()
        spin(ctx)

    handler, abort = threaded(deaf), Abort()
    async with Bench(handler) as bench:
        running = asyncio.create_task(bench.run(handler, abort=abort))
        await asyncio.to_thread(begun.wait)
        abort.abort("not wanted")
        assert (await asyncio.wait_for(running, 2)).outcome is Outcome.CANCELLED


async def test_a_job_that_waits_for_a_thread_can_be_cancelled() -> None:
    free = threading.Event()
    ran: list[int] = []

    def waits(ctx: JobContext) -> None:
        ran.append(ctx.attempt)
        free.wait()

    handler, abort = threaded(waits), Abort()
    async with Bench(handler, threads=1) as bench:
        first = asyncio.create_task(bench.run(handler, attempt=1))
        await until(lambda: ran)
        second = asyncio.create_task(bench.run(handler, attempt=2, abort=abort))
        await asyncio.sleep(0)
        abort.abort("not wanted")
        assert (await asyncio.wait_for(second, 5)).outcome is Outcome.CANCELLED
        free.set()
        assert (await first).outcome is Outcome.COMPLETED
    assert ran == [1]


async def test_a_handler_in_a_thread_calls_its_context_through_blocking() -> None:
    def works(ctx: JobContext) -> list[Any]:
        ctx.blocking.progress(40, "half way")
        ctx.blocking.heartbeat()
        detail = ctx.blocking.detail("item 1", "done", result={"n": 1})
        value = ctx.blocking.step("count", lambda: {"thread": threading.get_ident()})
        return [str(detail), value["thread"] == threading.get_ident(), ctx.blocking.once("mail")]

    handler = threaded(works)
    async with Bench(handler) as bench:
        settlement = await bench.run(handler)
        again = await bench.run(handler, attempt=2)
    assert settlement.outcome is Outcome.COMPLETED, settlement.error
    assert settlement.result.endswith(b"true,true]")
    assert again.result.endswith(b"false]")
    assert bench.session.progress_rows[0] == (40, "half way")
    assert bench.session.heartbeats == 2
    assert bench.session.details["item 1"] == ("done", {"n": 1})


async def test_a_stale_claim_is_raised_in_the_thread() -> None:
    caught: list[Exception] = []

    def reports(ctx: JobContext) -> None:
        try:
            ctx.blocking.heartbeat()
        except StaleClaimError as error:
            caught.append(error)
            raise

    handler = threaded(reports)
    async with Bench(handler) as bench:
        bench.session.lose()
        assert (await bench.run(handler)).settled
    assert caught


async def test_a_thread_that_waits_for_the_loop_is_woken_by_its_time_out() -> None:
    def waits(ctx: JobContext) -> None:
        ctx.blocking.heartbeat()

    handler = threaded(waits, timeout=SOON)
    async with Bench(handler) as bench:

        async def hang() -> None:
            await asyncio.Event().wait()

        bench.session.heartbeat = hang
        assert (await asyncio.wait_for(bench.run(handler), 5)).outcome is Outcome.RETRY
        assert bench.executor.lost_threads() == []


async def test_blocking_on_the_loop_is_refused_with_what_to_do() -> None:
    @job("wrong")
    async def wrong(ctx: JobContext, data: dict[str, Any]) -> None:
        with pytest.raises(JobcoreError, match="await ctx's own methods"):
            ctx.blocking.heartbeat()

    async with Bench(wrong) as bench:
        assert (await bench.run(wrong)).outcome is Outcome.COMPLETED


async def test_an_interrupt_never_reaches_the_next_job() -> None:
    """Handlers that end at about their time-out: whichever comes first, the thread's next job runs undisturbed."""

    def ends_now(_ctx: JobContext) -> None:
        end = time.monotonic() + 0.02
        while time.monotonic() < end:
            pass

    def innocent(_ctx: JobContext) -> int:
        return sum(range(20_000))

    risky = threaded(ends_now, timeout=timedelta(milliseconds=20))
    plain = job("plain")(lambda_handler(innocent))
    async with Bench(risky, plain, threads=2) as bench:
        for _ in range(40):
            await bench.run(risky)
            settlement = await bench.run(plain)
            assert settlement.outcome is Outcome.COMPLETED, settlement.error


def lambda_handler(function: Any) -> Any:
    def act(ctx: JobContext, data: dict[str, Any]) -> Any:
        return function(ctx)

    return act


async def test_idle_threads_are_reused_and_let_go_at_the_end() -> None:
    idents: set[int] = set()
    handler = threaded(lambda _ctx: idents.add(threading.get_ident()))
    async with Bench(handler) as bench:
        for _ in range(20):
            await bench.run(handler)
    assert len(idents) == 1
    await until(lambda: not any(thread.name.startswith("jobcore-handler") for thread in threading.enumerate()))
