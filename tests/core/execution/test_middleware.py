"""Middleware around handlers, and observers beside them."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from jobcore import JobContext, job
from jobcore.execution import Snooze, compose_observers
from jobcore.models import Claim, Outcome
from jobcore.ports import Observer
from jobcore.ports.middleware import CallNext
from support.execution import Bench

order: list[str] = []


@job("act")
async def act(ctx: JobContext, data: dict[str, Any]) -> str:
    order.append("handler")
    return "result"


@job("act-in-thread")
def act_in_thread(ctx: JobContext, data: dict[str, Any]) -> str:
    order.append("handler")
    return "result"


def named(name: str) -> Any:
    async def middleware(ctx: JobContext, call_next: CallNext) -> Any:
        order.append(f"{name} in")
        result = await call_next()
        order.append(f"{name} out")
        return f"{name}({result})"

    return middleware


@pytest.mark.parametrize("handler", [act, act_in_thread], ids=lambda handler: handler.name)
async def test_the_first_middleware_is_the_outermost(handler: Any) -> None:
    order.clear()
    async with Bench(handler, middleware=[named("a"), named("b")]) as bench:
        settlement = await bench.run(handler)
    assert order == ["a in", "b in", "handler", "b out", "a out"]
    assert settlement.result == b'"a(b(result))"'


async def test_a_middleware_that_raises_fails_the_attempt_without_the_handler() -> None:
    order.clear()

    async def refuses(ctx: JobContext, call_next: CallNext) -> Any:
        raise PermissionError("not today")

    settlement = await Bench(act, middleware=[refuses]).run(act)
    assert settlement.outcome is Outcome.RETRY
    assert settlement.error["message"] == "not today"
    assert order == []


async def test_a_middleware_that_swallows_an_error_completes_the_job_with_its_answer() -> None:
    async def swallows(ctx: JobContext, call_next: CallNext) -> Any:
        try:
            return await call_next()
        except LookupError as error:
            return f"instead of {error}"

    @job("lookup")
    async def lookup(ctx: JobContext, data: dict[str, Any]) -> str:
        raise LookupError("nothing")

    settlement = await Bench(lookup, middleware=[swallows]).run(lookup)
    assert (settlement.outcome, settlement.result) == (Outcome.COMPLETED, b'"instead of nothing"')


async def test_without_call_next_the_handler_does_not_run() -> None:
    order.clear()

    async def answers(ctx: JobContext, call_next: CallNext) -> Any:
        return "cached"

    settlement = await Bench(act, middleware=[answers]).run(act)
    assert (settlement.outcome, settlement.result, order) == (Outcome.COMPLETED, b'"cached"', [])


async def test_a_middleware_that_exits_fails_the_attempt_only() -> None:
    async def exits(ctx: JobContext, call_next: CallNext) -> Any:
        raise SystemExit(1)

    settlement = await Bench(act, middleware=[exits]).run(act)
    assert settlement.outcome is Outcome.RETRY
    assert settlement.error["type"] == "SystemExit"


async def test_a_middleware_may_answer_for_the_handler() -> None:
    async def snoozes(ctx: JobContext, call_next: CallNext) -> Any:
        raise Snooze(timedelta(seconds=9))

    assert (await Bench(act, middleware=[snoozes]).run(act)).outcome is Outcome.SNOOZED


async def test_a_middleware_that_is_no_coroutine_function_fails_the_attempt_only() -> None:
    def broken(ctx: JobContext) -> Any:
        return None

    settlement = await Bench(act, middleware=[broken]).run(act)
    assert settlement.outcome is Outcome.RETRY
    assert settlement.error["type"].endswith("TypeError")


async def test_a_time_out_of_a_middleware_that_hangs_after_a_thread_is_heeded() -> None:
    async def hangs(ctx: JobContext, call_next: CallNext) -> Any:
        await call_next()
        await asyncio.Event().wait()

    @job("quick", timeout=timedelta(milliseconds=50))
    def quick(ctx: JobContext, data: dict[str, Any]) -> None:
        return None

    async with Bench(quick, middleware=[hangs]) as bench:
        settlement = await asyncio.wait_for(bench.run(quick), 5)
    assert settlement.error["type"].endswith("JobTimeoutError")


class Broken(Observer):
    def job_started(self, claim: Claim) -> None:
        raise RuntimeError("observer bug")


class Counting(Observer):
    def __init__(self) -> None:
        self.started: list[str] = []

    def job_started(self, claim: Claim) -> None:
        self.started.append(claim.name)


async def test_an_observer_that_raises_changes_nothing_and_hides_nothing(caplog: pytest.LogCaptureFixture) -> None:
    counting = Counting()
    bench = Bench(act, observer=compose_observers([Broken(), counting]))
    assert (await bench.run(act)).outcome is Outcome.COMPLETED
    assert counting.started == ["act"]
    assert "Observer Broken failed at job_started" in caplog.text


@pytest.mark.parametrize("error", [SystemExit(1), asyncio.CancelledError(), GeneratorExit(), KeyError("k")], ids=repr)
async def test_whatever_an_observer_raises_the_job_runs(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    class Raises(Observer):
        def job_started(self, claim: Claim) -> None:
            raise error

    counting = Counting()
    bench = Bench(act, observer=compose_observers([Raises(), counting]))
    assert (await bench.run(act)).outcome is Outcome.COMPLETED
    assert counting.started == ["act"]
    assert "Raises failed at job_started and was ignored" in caplog.text


async def test_an_operators_interrupt_is_not_an_observers_fault() -> None:
    class Interrupted(Observer):
        def job_started(self, claim: Claim) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compose_observers([Interrupted()]).job_started(None)


async def test_every_call_reaches_every_observer() -> None:
    calls: list[str] = []

    class All(Observer):
        def __getattribute__(self, name: str) -> Any:
            return lambda *facts: calls.append(name)

    composed = compose_observers([All(), All()])
    composed.job_enqueued(None, None)
    composed.job_started(None)
    composed.job_settled(None, True)
    composed.jobs_rescued("memory", [])
    composed.runner_degraded("memory", "gone")
    composed.runner_recovered("memory")
    assert calls == [
        name
        for name in (
            "job_enqueued",
            "job_started",
            "job_settled",
            "jobs_rescued",
            "runner_degraded",
            "runner_recovered",
        )
        for _ in range(2)
    ]
