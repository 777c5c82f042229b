"""`JobApp.why`: what core finds on every engine, and what plugins add."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from pydantic import field_validator

from jobcore import (
    BlockingJobApp,
    Concurrency,
    JobApp,
    JobContext,
    JobData,
    JobState,
    RateLimit,
    RetryPolicy,
    job,
)
from jobcore.app import why
from jobcore.errors import ConfigurationError, ConflictError, JobNotFoundError, NonRetryableError
from jobcore.ids import uuid7
from jobcore.models import NewJob, WorkerRecord
from jobcore.plugins import hookimpl
from jobcore.ports import Explanation, Question, Reason, Severity
from jobcore.testing import memory_app

TENANT, OTHER = uuid4(), uuid4()


class Order(JobData):
    number: int = 0

    @field_validator("number")
    @classmethod
    def check_number(cls, number: int) -> int:
        if number == 13:
            raise RuntimeError("13 is secret")
        return number


@job("ship")
async def ship(ctx: JobContext, data: Order) -> None: ...


@job("pack", limits=[Concurrency(1), RateLimit(1)])
async def pack(ctx: JobContext, data: Order) -> None: ...


@job("break", retry=RetryPolicy(max_attempts=1))
async def break_down(ctx: JobContext, data: Order) -> None:
    raise NonRetryableError("it broke")


@pytest.fixture
async def app() -> AsyncGenerator[JobApp]:
    async with memory_app(handlers=[ship, pack, break_down], mode="worker") as app:
        yield app


async def reasons(app: JobApp, handle: Any, **options: Any) -> dict[str, Reason]:
    explanation = await app.why(handle.job_id, tenant=handle.tenant, **options)
    return {reason.code: reason for reason in explanation.reasons}


async def announce(app: JobApp, **facts: Any) -> None:
    defaults: dict[str, Any] = {
        "worker_id": uuid7(),
        "runner_type": "memory",
        "host": "box",
        "pid": 7,
        "handlers": ("ship",),
        "queues": ("ship",),
        "concurrency": 1,
    }
    await app.store.announce(WorkerRecord(**{**defaults, **facts}))


async def test_a_job_that_nothing_keeps_is_said_to_be_ready(app: JobApp) -> None:
    await announce(app)
    handle = await app.enqueue(ship, Order(), tenant=TENANT)
    explanation = await app.why(handle.job_id, tenant=TENANT)
    assert (explanation.name, explanation.status, explanation.queue) == ("ship", JobState.QUEUED, "ship")
    assert [reason.code for reason in explanation.reasons] == ["ready"]
    assert not explanation.needs_attention


async def test_a_job_that_every_limit_lets_pass_is_said_to_be_about_to_be_admitted(app: JobApp) -> None:
    await announce(app, handlers=("pack",), queues=("pack",))
    first = await app.enqueue(pack, Order(), tenant=TENANT)
    [reason] = (await app.why(first.job_id, tenant=TENANT)).reasons
    assert (reason.code, reason.severity) == ("ready", Severity.INFO)
    assert reason.summary.endswith("a worker should admit it to its engine at any moment.")


async def test_an_ended_job_tells_how_it_ended_and_how_to_run_it_again() -> None:
    async with memory_app(handlers=[ship, break_down]) as app:
        runner: Any = await app.runner()
        done = await app.enqueue(ship, Order(), tenant=TENANT)
        broken = await app.enqueue(break_down, Order(), tenant=TENANT)
        await runner.drain()
        stopped = await app.enqueue(ship, Order(), tenant=TENANT)
        await app.cancel(TENANT, stopped.job_id, reason="no longer wanted", cancelled_by="ada")
        told = {handle: (await reasons(app, handle))["ended"] for handle in (done, broken, stopped)}
    assert "It completed at 2026-01-01 00:00:00Z" in told[done].summary
    assert "at attempt 1 of 1: jobcore.errors.NonRetryableError: it broke" in told[broken].summary
    assert told[broken].remedy.startswith(f"`jobcore jobs retry {broken.job_id} --tenant {TENANT}`")
    assert "by ada: no longer wanted" in told[stopped].summary
    assert {reason.severity for reason in told.values()} == {Severity.INFO}


async def test_without_any_worker_one_is_to_be_started(app: JobApp) -> None:
    reason = (await reasons(app, await app.enqueue(ship, Order(), tenant=TENANT)))["no_worker"]
    assert (reason.severity, reason.summary) == (Severity.BLOCKED, "No worker is live.")
    assert "`jobcore worker`" in reason.remedy


@pytest.mark.parametrize(
    ("worker", "summary", "remedy"),
    [
        ({"runner_type": "other"}, "works the runner 'memory': 1 worker of other", "settings use 'memory'"),
        ({"queues": ("mail",), "handlers": ("mail",)}, "1 worker of others: mail", "has the handler 'ship'"),
        ({"stopping": True}, "is stopping", "If nothing replaces them"),
        (
            {"queues": ("fast",), "details": {"queue_of": {"ship": "fast"}}},
            "No live worker serves the queue 'ship'",
            "jobs of 'ship' in the queue fast",
        ),
    ],
)
async def test_workers_that_do_not_take_the_job_are_told_apart(
    app: JobApp, worker: dict[str, Any], summary: str, remedy: str
) -> None:
    await announce(app, **worker)
    reason = (await reasons(app, await app.enqueue(ship, Order(), tenant=TENANT)))["no_worker"]
    assert reason.severity is Severity.BLOCKED
    assert summary in reason.summary
    assert remedy in reason.remedy


async def test_a_worker_of_the_queue_without_the_handler_is_named_to_operators_only(app: JobApp) -> None:
    await announce(app, handlers=("mail",))
    handle = await app.enqueue(ship, Order(), tenant=TENANT)
    told, told_tenant = await reasons(app, handle, for_operator=True), await reasons(app, handle)
    assert "No live worker of the queue 'ship' has the handler 'ship'" in told["no_handler"].summary
    assert "box:7" in told["no_handler"].remedy
    assert "box" not in str(told_tenant)
    await announce(app)
    some_lack_it = (await reasons(app, handle))["no_handler"]
    assert some_lack_it.severity is Severity.INFO
    assert some_lack_it.summary.startswith("1 of 2 live workers of the queue 'ship' lack the handler 'ship'")


async def test_a_payload_that_no_longer_fits_is_told_by_field_and_never_by_value(app: JobApp) -> None:
    for number in ("hunter2", 13):
        handle = await app.enqueue("ship", {}, tenant=TENANT, delay=60)
        row: Any = app.store.tables.row(TENANT, handle.job_id)  # type: ignore[attr-defined]
        row.plan = with_payload(row.plan, number)
        explanation = await app.why(handle.job_id, tenant=TENANT)
        reason = next(reason for reason in explanation.reasons if reason.code == "payload")
        assert reason.severity is Severity.BLOCKED
        assert ("number: int_parsing" if number == "hunter2" else "RuntimeError") in reason.summary
        assert "hunter2" not in str(explanation)
        assert "secret" not in str(explanation)


def with_payload(plan: NewJob, number: object) -> NewJob:
    from dataclasses import replace

    import orjson

    return replace(plan, payload=orjson.dumps({"tenantId": str(plan.tenant), "number": number}))


async def test_a_job_of_another_runner_is_told_as_such(app: JobApp) -> None:
    plan = NewJob(job_id=uuid7(), tenant=TENANT, name="ship", payload=b"{}", runner_type="lunar", queue="ship")
    await app.store.create_job(plan)
    found = {reason.code: reason for reason in (await app.why(plan.job_id, tenant=TENANT)).reasons}
    assert found["other_runner"].severity is Severity.UNKNOWN
    assert "'lunar', which is not installed here" in found["other_runner"].summary


async def test_a_job_that_was_only_recorded_is_told_as_such(app: JobApp) -> None:
    await announce(app)
    plan = NewJob(job_id=uuid7(), tenant=TENANT, name="ship", payload=b"{}", runner_type="memory", queue="ship")
    await app.store.create_job(plan)
    explanation = await app.why(str(plan.job_id), tenant=str(TENANT))
    assert explanation.reasons[0].code == "not_enqueued"
    assert explanation.needs_attention


async def test_the_job_that_holds_a_dedupe_key_says_so(app: JobApp) -> None:
    first = await app.enqueue(ship, Order(), tenant=TENANT, dedupe_key="order 7")
    second = await app.enqueue(ship, Order(), tenant=TENANT, dedupe_key="order 7")
    assert second.deduplicated
    assert "holds the dedupe key 'order 7'" in (await reasons(app, second))["dedupe_key"].summary
    assert second.job_id == first.job_id


async def test_a_job_that_is_not_there_is_refused(app: JobApp) -> None:
    handle = await app.enqueue(ship, Order(), tenant=TENANT)
    with pytest.raises(JobNotFoundError):
        await app.why(handle.job_id, tenant=OTHER)


async def test_an_application_that_is_not_open_is_told_to_open() -> None:
    with pytest.raises(ConfigurationError, match="not open"):
        await memory_app(handlers=[ship]).why(uuid7(), tenant=TENANT)


def test_the_blocking_twin_answers_the_same() -> None:
    from jobcore.memory import MemoryRunner

    with BlockingJobApp(handlers=[ship], runner=MemoryRunner(mode="worker")) as app:
        handle = app.enqueue(ship, Order(), tenant=TENANT)
        answer = app.why(handle.job_id, tenant=TENANT)
    assert isinstance(answer, Explanation)
    assert [reason.code for reason in answer.reasons] == ["no_worker"]


# -- plugins -----------------------------------------------------------------------------------------------------------


class Says:
    """A finder that answers what it is given, or raises it."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    async def explain(self, question: Question) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Hangs:
    async def explain(self, question: Question) -> Reason | None:
        await asyncio.Event().wait()


class Finders:
    """The application's own plugin with these finders."""

    def __init__(self, runner: str | None = None, **finders: Any) -> None:
        self.finders = finders
        self.runner = runner

    @hookimpl
    def jobcore_register_reasons(self, registry: Any) -> None:
        for code, finder in self.finders.items():
            registry.add(code, finder, runner=self.runner)


BUDGET = Reason(severity=Severity.BLOCKED, summary="The budget is spent.", remedy="Raise it.", facts={"budget": 5})


async def ask_with(*plugins: Finders) -> Explanation:
    async with memory_app(handlers=[ship], mode="worker", plugins=plugins) as app:
        await announce(app)
        return await app.why((await app.enqueue(ship, Order(), tenant=TENANT, delay=60)).job_id, tenant=TENANT)


async def test_a_plugins_reason_stands_among_the_others_under_its_code_and_by_its_gravity() -> None:
    told = await ask_with(Finders(budget=Says(BUDGET), nothing=Says(None)))
    assert [(reason.code, reason.severity) for reason in told.reasons] == [
        ("budget", "blocked"),
        ("not_due", "waiting"),
    ]
    assert told.reasons[0].facts == {"budget": 5}
    assert told.needs_attention


async def test_a_finder_that_raises_is_told_redacted_and_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(why, "EXPLAIN_SECONDS", 0.05)
    raises = Says(KeyError("password=hunter2"))
    told = await ask_with(
        Finders(broken=raises, hangs=Hangs(), late=Says(TimeoutError("mine")), odd=Says("a text"), budget=Says(BUDGET))
    )
    found = {reason.code: reason for reason in told.reasons}
    assert list(found) == ["budget", "not_due", "broken", "hangs", "late", "odd"]
    assert {found[code].severity for code in ("broken", "hangs", "late", "odd")} == {Severity.UNKNOWN}
    assert "the application (plugin 'Finders') raised KeyError" in found["broken"].summary
    assert "did not answer within 0.05 s" in found["hangs"].summary
    assert "raised TimeoutError: mine" in found["late"].summary
    assert "answered with a str instead of a Reason" in found["odd"].summary
    assert "hunter2" not in str(told)


async def test_a_runners_own_finder_takes_the_place_of_the_general_one() -> None:
    told = await ask_with(Finders(budget=Says(ValueError("asked in vain"))), Finders("memory", budget=Says(BUDGET)))
    assert told.reasons[0].summary == "The budget is spent."
    told = await ask_with(Finders(budget=Says(BUDGET)), Finders("other", budget=Says(ValueError("asked in vain"))))
    assert told.reasons[0].summary == "The budget is spent."


async def test_two_plugins_with_one_code_stop_the_start() -> None:
    with pytest.raises(ConflictError, match="Two plugins register the reason 'ended'"):
        await ask_with(Finders(ended=Says(BUDGET)))


async def test_a_delayed_job_waits_whatever_else_is_known() -> None:
    told = await ask_with(Finders(note=Says(Reason(severity=Severity.INFO, summary="By the way."))))
    assert [reason.code for reason in told.reasons] == ["not_due", "note"]
    assert timedelta(seconds=told.reasons[0].facts["seconds"]) > timedelta(seconds=50)
