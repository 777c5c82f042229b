"""What the context does for a handler: progress, details, steps, children, logging."""

import asyncio
import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from jobcore import JobContext, job
from jobcore.errors import ConfigurationError, InputError
from jobcore.ids import uuid7
from jobcore.models import Enqueued, NewJob, Outcome
from support.execution import TENANT, Bench, Session


class Receipt(BaseModel):
    number: int


def handler_of(function: Any) -> Any:
    @job("act")
    async def act(ctx: JobContext, data: dict[str, Any]) -> Any:
        return await function(ctx)

    return act


async def run(function: Any, *, session: Session | None = None, **options: Any) -> tuple[Any, Session]:
    fields = {key: options.pop(key) for key in ("attempt", "job_id") if key in options}
    handler = handler_of(function)
    session = session or Session()
    settlement = await Bench(handler, **options).run(handler, session=session, **fields)
    return settlement, session


async def completed(function: Any, **options: Any) -> tuple[Any, Session]:
    settlement, session = await run(function, **options)
    assert settlement.outcome is Outcome.COMPLETED, settlement.error
    return None if settlement.result is None else json.loads(settlement.result), session


async def test_the_context_tells_the_handler_which_job_it_is() -> None:
    async def look(ctx: JobContext) -> list[Any]:
        return [str(ctx.job_id), ctx.job_name, str(ctx.tenant_id), ctx.attempt, ctx.max_attempts]

    job_id = uuid7()
    seen, _ = await completed(look, attempt=2, job_id=job_id)
    assert seen == [str(job_id), "act", str(TENANT), 2, 3]


async def test_the_first_and_the_last_progress_are_written_and_few_between() -> None:
    async def reports(ctx: JobContext) -> None:
        for percent in range(101):
            await ctx.progress(percent, f"at {percent}")

    _, session = await completed(reports)
    assert session.progress_rows == [(0, "at 0"), (100, "at 100")]


async def test_progress_that_was_put_off_is_written_a_second_later_while_the_handler_works() -> None:
    written = asyncio.Event()

    class Watched(Session):
        async def progress(self, percent: float, message: str | None) -> None:
            await super().progress(percent, message)
            if percent == 20:
                written.set()

    async def reports(ctx: JobContext) -> None:
        await ctx.progress(10)
        await ctx.progress(20)
        await asyncio.wait_for(written.wait(), 5)

    _, session = await completed(reports, session=Watched())
    assert session.progress_rows == [(10, None), (20, None)]


@pytest.mark.parametrize("wrong", [-1, 101, float("nan"), True, "50"])
async def test_progress_refuses_what_is_no_percentage(wrong: Any) -> None:
    async def reports(ctx: JobContext) -> None:
        with pytest.raises(InputError, match="0 to 100"):
            await ctx.progress(wrong)

    await completed(reports)


async def test_progress_that_cannot_be_written_at_the_end_does_not_undo_the_work(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Breaking(Session):
        async def progress(self, percent: float, message: str | None) -> None:
            if percent > 10:
                raise ConnectionError("database away")

    async def reports(ctx: JobContext) -> None:
        await ctx.progress(10)
        await ctx.progress(20)

    await completed(reports, session=Breaking())
    assert "progress was not written" in caplog.text


async def test_details_are_written_as_json() -> None:
    async def details(ctx: JobContext) -> None:
        await ctx.detail("invoice 1", "sent", result=Receipt(number=1), metadata={"to": "ada"})

    _, session = await completed(details)
    assert session.details == {"invoice 1": ("sent", {"number": 1})}


async def test_a_finished_step_is_not_run_again_by_a_later_attempt() -> None:
    calls: list[str] = []

    async def charge(amount: int) -> dict[str, int]:
        calls.append("charge")
        return {"amount": amount}

    def ship() -> tuple[int, int]:
        calls.append("ship")
        if calls.count("ship") == 1:
            raise ConnectionError("carrier away")
        return (1, 2)

    async def order(ctx: JobContext) -> Any:
        return [await ctx.step("charge", charge, 7), await ctx.step("ship", ship)]

    session = Session()
    first, _ = await run(order, session=session)
    assert first.outcome is Outcome.RETRY
    result, _ = await completed(order, session=session, attempt=2)
    assert result == [{"amount": 7}, [1, 2]]
    assert calls == ["charge", "ship", "ship"]


async def test_steps_of_one_name_are_told_apart_by_their_order_and_loaded_once() -> None:
    async def count(ctx: JobContext) -> list[int]:
        return [await ctx.step("count", lambda number=number: number) for number in range(3)]

    session = Session()
    assert (await completed(count, session=session))[0] == [0, 1, 2]
    assert sorted(session.steps) == ["count#1", "count#2", "count#3"]
    assert session.step_loads == 1


async def test_the_first_stored_result_of_a_step_wins() -> None:
    async def race(ctx: JobContext) -> str:
        def slow() -> str:
            session.steps["pick#1"] = b'"theirs"'  # another attempt, that still runs, was quicker
            return "ours"

        return await ctx.step("pick", slow)

    session = Session()
    assert (await completed(race, session=session))[0] == "theirs"


async def test_a_step_that_returns_a_model_gives_the_model_back_on_every_attempt() -> None:
    async def issue() -> Receipt:
        return Receipt(number=5)

    async def use(ctx: JobContext) -> Any:
        receipt = await ctx.step("issue", issue)
        return [type(receipt).__name__, receipt.number]

    session = Session()
    assert (await completed(use, session=session))[0] == ["Receipt", 5]
    assert (await completed(use, session=session, attempt=2))[0] == ["Receipt", 5]


async def test_a_step_whose_result_is_not_json_fails_for_good_and_names_the_step() -> None:
    async def wrong(ctx: JobContext) -> None:
        await ctx.step("open file", object)

    settlement, _ = await run(wrong)
    assert settlement.outcome is Outcome.FAILED
    assert "open file#1" in settlement.error["message"]


async def test_once_is_true_the_first_time_in_the_life_of_the_job() -> None:
    async def mails(ctx: JobContext) -> list[bool]:
        return [await ctx.once("mail"), await ctx.once("mail"), await ctx.once("fax")]

    session = Session()
    assert (await completed(mails, session=session))[0] == [True, False, True]
    assert (await completed(mails, session=session, attempt=2))[0] == [False, False, False]


async def test_a_steps_name_cannot_collide_with_once() -> None:
    async def wrong(ctx: JobContext) -> None:
        with pytest.raises(InputError, match="must not begin"):
            await ctx.step("#once:mail", int)

    await completed(wrong)


def plan(parent: Any, name: Any, data: Any, delay: timedelta | None, priority: int) -> NewJob:
    return NewJob(
        job_id=uuid7(),
        tenant=parent.tenant,
        name=name,
        payload=json.dumps(data).encode(),
        runner_type="memory",
        queue=name,
        delay=delay,
        priority=priority,
        parent_job_id=parent.job_id,
    )


async def test_a_follow_up_job_is_planned_with_its_parent_and_submitted() -> None:
    submitted: list[tuple[NewJob, Any]] = []

    async def submit(jobs: Any, connection: Any) -> list[Enqueued]:
        submitted.extend((new, connection) for new in jobs)
        return [Enqueued(new.job_id) for new in jobs]

    async def parent(ctx: JobContext) -> str:
        enqueued = await ctx.enqueue("child", {"n": 1}, delay=timedelta(seconds=5), priority=2)
        return str(enqueued.job_id)

    job_id = uuid7()
    result, _ = await completed(parent, plan_child=plan, submit=submit, job_id=job_id)
    ((child, connection),) = submitted
    assert result == str(child.job_id)
    assert (child.parent_job_id, child.tenant, child.priority, connection) == (job_id, TENANT, 2, None)


async def test_what_the_application_did_not_give_is_refused_with_a_clear_error() -> None:
    async def asks(ctx: JobContext) -> None:
        with pytest.raises(ConfigurationError, match="plan_child"):
            await ctx.enqueue("child", {})
        with pytest.raises(ConfigurationError, match="No services"):
            ctx.services.get(Receipt)
        assert Receipt not in ctx.services
        with pytest.raises(ConfigurationError, match="no database"):
            _ = ctx.db

    session = Session()
    session.database = None
    await completed(asks, session=session)


async def test_the_logger_is_bound_to_the_job(caplog: pytest.LogCaptureFixture) -> None:
    async def speaks(ctx: JobContext) -> None:
        ctx.logger.info("sent %d", 3, extra={"to": "ada"})

    job_id = uuid7()
    with caplog.at_level(logging.INFO, "jobcore.execution"):
        await completed(speaks, job_id=job_id)
    record = next(record for record in caplog.records if "sent" in record.message)
    assert record.message == f"[worker][act:{job_id}] sent 3"
    assert (record.job, record.jobId, record.tenantId, record.to) == ("act", str(job_id), str(TENANT), "ada")
