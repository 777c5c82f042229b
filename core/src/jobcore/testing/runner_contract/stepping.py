"""Durable steps."""

from __future__ import annotations

from datetime import timedelta

from jobcore.errors import NonRetryableError
from jobcore.execution import Snooze
from jobcore.policies.retry import RetryPolicy
from jobcore.ports.context import JobContext
from jobcore.states import JobState
from jobcore.testing.runner_contract.behaviour import needs
from jobcore.testing.runner_contract.harness import RunnerHarness
from jobcore.testing.runner_contract.site import SOON, Anything, Stumble, handler, working

FOUR = RetryPolicy(max_attempts=4, initial_interval=SOON.initial_interval, backoff_coefficient=1.0)


async def test_a_step_runs_once_and_a_retry_gets_what_it_returned(harness: RunnerHarness) -> None:
    calls: list[int] = []

    def pay() -> Anything:
        calls.append(1)
        return {"receipt": len(calls)}

    @handler()
    async def pays(ctx: JobContext, data: Anything) -> Anything:
        receipt = await ctx.step("pay", pay)
        if ctx.attempt < 3:
            raise Stumble
        return receipt

    async with working(harness, pays) as site:
        assert (await site.ended(await site.enqueue(pays))).result == {"receipt": 1}
    assert len(calls) == 1


async def test_an_async_step_gets_its_arguments(harness: RunnerHarness) -> None:
    async def add(first: int, *, second: int) -> int:
        return first + second

    @handler()
    async def adds(ctx: JobContext, data: Anything) -> int:
        return await ctx.step("add", add, 2, second=3)

    async with working(harness, adds) as site:
        assert (await site.ended(await site.enqueue(adds))).result == 5


async def test_steps_of_one_name_are_told_apart_by_their_order(harness: RunnerHarness) -> None:
    calls: list[str] = []

    def send(to: str) -> str:
        calls.append(to)
        return f"sent to {to}"

    @handler()
    async def sends(ctx: JobContext, data: Anything) -> list[str]:
        sent = [await ctx.step("send", send, to) for to in ("a", "b", "c")]
        if ctx.attempt == 1:
            raise Stumble
        return sent

    async with working(harness, sends) as site:
        assert (await site.ended(await site.enqueue(sends))).result == ["sent to a", "sent to b", "sent to c"]
    assert calls == ["a", "b", "c"]


async def test_a_step_that_failed_runs_again(harness: RunnerHarness) -> None:
    calls: list[int] = []

    def fragile() -> int:
        calls.append(1)
        if len(calls) < 3:
            raise Stumble
        return len(calls)

    @handler(retry=FOUR)
    async def steps(ctx: JobContext, data: Anything) -> int:
        return await ctx.step("fragile", fragile)

    async with working(harness, steps) as site:
        assert (await site.ended(await site.enqueue(steps))).result == 3


async def test_finished_steps_are_skipped_up_to_the_one_that_failed(harness: RunnerHarness) -> None:
    calls: list[str] = []

    def note(name: str, *, falls: bool = False) -> None:
        calls.append(name)
        if falls:
            raise Stumble

    @handler()
    async def steps(ctx: JobContext, data: Anything) -> None:
        await ctx.step("first", note, "first")
        await ctx.step("second", note, "second", falls=ctx.attempt == 1)
        await ctx.step("third", note, "third")

    async with working(harness, steps) as site:
        await site.ended(await site.enqueue(steps))
    assert calls == ["first", "second", "second", "third"]


async def test_a_step_survives_a_snooze(harness: RunnerHarness) -> None:
    calls: list[int] = []

    def ask() -> int:
        calls.append(1)
        return len(calls)

    @handler()
    async def waits(ctx: JobContext, data: Anything) -> int:
        answer = await ctx.step("ask", ask)
        if len(site.runs) < 3:
            raise Snooze(timedelta(milliseconds=20))
        return answer

    async with working(harness, waits) as site:
        assert (await site.ended(await site.enqueue(waits))).result == 1


async def test_steps_belong_to_one_job(harness: RunnerHarness) -> None:
    @handler()
    async def steps(ctx: JobContext, data: Anything) -> str:
        return await ctx.step("name", lambda: data["name"])

    async with working(harness, steps) as site:
        jobs = [await site.enqueue(steps, {"name": name}) for name in ("a", "b")]
        assert [record.result for record in await site.all_ended(jobs)] == ["a", "b"]


async def test_once_is_true_the_first_time_in_the_life_of_the_job(harness: RunnerHarness) -> None:
    answers: list[bool] = []

    @handler()
    async def asks(ctx: JobContext, data: Anything) -> None:
        answers.append(await ctx.once("mail"))
        answers.append(await ctx.once("mail"))
        if ctx.attempt == 1:
            raise Stumble
        answers.append(await ctx.once("other"))

    async with working(harness, asks) as site:
        await site.ended(await site.enqueue(asks))
    assert answers == [True, False, False, False, True]


async def test_a_step_that_returned_nothing_has_run_all_the_same(harness: RunnerHarness) -> None:
    calls: list[int] = []

    @handler()
    async def steps(ctx: JobContext, data: Anything) -> bool:
        returned = await ctx.step("note", calls.append, 1)
        if ctx.attempt == 1:
            raise Stumble
        return returned is None

    async with working(harness, steps) as site:
        assert (await site.ended(await site.enqueue(steps))).result is True
    assert len(calls) == 1


async def test_a_revived_job_skips_the_steps_that_it_finished(harness: RunnerHarness) -> None:
    calls: list[int] = []

    def pay() -> int:
        calls.append(1)
        return len(calls)

    @handler()
    async def pays(ctx: JobContext, data: Anything) -> int:
        receipt = await ctx.step("pay", pay)
        if len(site.runs) == 1:
            raise NonRetryableError("the printer is on fire")
        return receipt

    async with working(harness, pays) as site:
        job = await site.enqueue(pays)
        await site.ended(job, JobState.FAILED)
        assert await site.app.retry(job.tenant, job.job_id)
        assert (await site.ended(job)).result == 1


@needs("thread")
async def test_a_handler_in_a_thread_has_steps(harness: RunnerHarness) -> None:
    calls: list[int] = []

    def pay() -> int:
        calls.append(1)
        return len(calls)

    @handler()
    def pays(ctx: JobContext, data: Anything) -> list[object]:
        paid, first = ctx.blocking.step("pay", pay), ctx.blocking.once("mail")
        if ctx.attempt == 1:
            raise Stumble
        return [paid, first]

    async with working(harness, pays) as site:
        assert (await site.ended(await site.enqueue(pays))).result == [1, False]
    assert len(calls) == 1
