"""Observers, middleware and services."""

from __future__ import annotations

from typing import Any

from jobcore.models import Claim, Enqueued, NewJob, Outcome, Settlement
from jobcore.ports.context import JobContext
from jobcore.ports.middleware import CallNext
from jobcore.ports.observer import Observer
from jobcore.states import JobState
from jobcore.testing.runner_contract.harness import RunnerHarness
from jobcore.testing.runner_contract.site import Anything, Stumble, handler, working


class Recorder(Observer):
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def job_enqueued(self, job: NewJob, enqueued: Enqueued) -> None:
        self.told.append(("enqueued", job.name))

    def job_started(self, claim: Claim) -> None:
        self.told.append(("started", claim.name, claim.attempt))

    def job_settled(self, settlement: Settlement, applied: bool) -> None:
        self.told.append(("settled", settlement.claim.name, settlement.outcome, applied))


class Angry(Observer):
    """Raises whatever it is told."""

    def job_enqueued(self, job: NewJob, enqueued: Enqueued) -> None:
        raise Stumble

    def job_started(self, claim: Claim) -> None:
        raise Stumble

    def job_settled(self, settlement: Settlement, applied: bool) -> None:
        raise Stumble


async def test_observers_are_told_once_of_each_thing(harness: RunnerHarness) -> None:
    @handler()
    async def stumbles(ctx: JobContext, data: Anything) -> None:
        if ctx.attempt == 1:
            raise Stumble

    recorder, name = Recorder(), stumbles.name
    async with working(harness, stumbles, observers=[recorder]) as site:
        await site.ended(await site.enqueue(stumbles))
        wanted = [
            ("enqueued", name),
            ("started", name, 1),
            ("settled", name, Outcome.RETRY, True),
            ("started", name, 2),
            ("settled", name, Outcome.COMPLETED, True),
        ]
        await site.until(lambda: len(recorder.told) >= len(wanted), "the observer has heard everything")
    assert recorder.told == wanted


async def test_an_observer_that_raises_changes_nothing(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> str:
        return "done"

    recorder = Recorder()
    async with working(harness, plain, observers=[Angry(), recorder]) as site:
        assert (await site.ended(await site.enqueue(plain))).result == "done"
        await site.until(lambda: len(recorder.told) == 3, "the other observer hears everything")


async def test_middleware_wraps_every_run_the_first_outermost(harness: RunnerHarness) -> None:
    order: list[str] = []

    class Layer:
        def __init__(self, name: str) -> None:
            self.name = name

        async def __call__(self, ctx: JobContext, call_next: CallNext) -> Any:
            order.append(f"{self.name} in")
            result = await call_next()
            order.append(f"{self.name} out")
            return result

    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None:
        order.append("handler")

    async with working(harness, plain, middleware=[Layer("outer"), Layer("inner")]) as site:
        await site.ended(await site.enqueue(plain))
    assert order == ["outer in", "inner in", "handler", "inner out", "outer out"]


async def test_middleware_may_change_the_result_or_fail_the_attempt(harness: RunnerHarness) -> None:
    async def changes(ctx: JobContext, call_next: CallNext) -> Any:
        if ctx.attempt == 1:
            raise Stumble("in the middleware")
        return {"wrapped": await call_next()}

    @handler()
    async def plain(ctx: JobContext, data: Anything) -> int:
        return 1

    async with working(harness, plain, middleware=[changes]) as site:
        job = await site.enqueue(plain)
        record = await site.ended(job)
        assert (record.attempt, record.result) == (2, {"wrapped": 1})
        [attempt] = await site.attempts(job)
        assert attempt.result["message"] == "in the middleware"


async def test_handlers_find_the_applications_services(harness: RunnerHarness) -> None:
    class Mailer:
        def __init__(self) -> None:
            self.sent: list[str] = []

    @handler()
    async def mails(ctx: JobContext, data: Anything) -> None:
        ctx.services.get(Mailer).sent.append(data["to"])

    mailer = Mailer()
    async with working(harness, mails, services=[mailer]) as site:
        await site.ended(await site.enqueue(mails, {"to": "Ada"}))
    assert mailer.sent == ["Ada"]


async def test_a_cancelled_waiting_job_is_not_told_as_a_run(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    recorder = Recorder()
    async with working(harness, plain, observers=[recorder]) as site:
        job = await site.enqueue(plain, delay=3600)
        assert await job.cancel()
        assert (await site.record(job)).status is JobState.CANCELLED
        assert recorder.told == [("enqueued", plain.name)]
