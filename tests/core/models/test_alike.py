"""Jobs that are alike, and sequences that are made on demand."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncGenerator, Iterator
from uuid import UUID

import pytest

from jobcore import Concurrency, JobContext, JobData, job
from jobcore.app import JobApp
from jobcore.ids import SYSTEM_TENANT, uuid7
from jobcore.models import AlikeJobs, NewJob, OnDemand
from jobcore.testing.apps import memory_app

COMMON = NewJob(
    job_id=UUID(int=0),
    tenant=SYSTEM_TENANT,
    name="send",
    payload=b"{}",
    runner_type="memory",
    queue="letters",
    priority=7,
)


class Letter(JobData):
    number: int = 0


@job("send")
async def send(ctx: JobContext, data: Letter) -> None: ...


@job("send-slowly", limits=[Concurrency(1)])
async def send_slowly(ctx: JobContext, data: Letter) -> None: ...


def members(count: int) -> Iterator[tuple[UUID, UUID, bytes]]:
    for number in range(count):
        yield UUID(int=number + 1), SYSTEM_TENANT, b'{"number":%d}' % number


def test_they_are_jobs_like_any_others_and_may_be_read_again() -> None:
    jobs = AlikeJobs(COMMON, members(3))
    first = list(jobs)
    assert [(job.job_id.int, job.payload) for job in first] == [(n + 1, b'{"number":%d}' % n) for n in range(3)]
    assert {(job.name, job.queue, job.priority) for job in first} == {("send", "letters", 7)}
    assert list(jobs) == first


def test_nothing_is_planned_before_it_is_asked_for() -> None:
    jobs = AlikeJobs(COMMON, members(3))
    assert jobs.ids == []
    assert jobs.plan_next()
    assert len(jobs.ids) == len(jobs.tenants) == len(jobs.payloads) == 1
    next(iter(jobs))
    assert len(jobs.ids) == 1
    assert jobs.planned_from(0).ids == jobs.ids
    assert len(list(jobs)) == 3
    assert not jobs.plan_next()
    assert [job.job_id.int for job in jobs.planned_from(1)] == [2, 3]


def test_a_sequence_on_demand_is_read_like_a_list() -> None:
    squares = OnDemand(5, lambda position: position**2)
    assert list(squares) == [0, 1, 4, 9, 16]
    assert (len(squares), squares[-1], squares[1:3], 9 in squares) == (5, 16, [1, 4], True)
    assert not OnDemand(0, str)
    with pytest.raises(IndexError):
        squares[5]


@pytest.fixture
async def app() -> AsyncGenerator[JobApp]:
    async with memory_app(handlers=[send, send_slowly]) as app:
        yield app


async def test_a_call_plans_by_columns_unless_something_looks_at_each_job(app: JobApp) -> None:
    data = [Letter(number=n) for n in range(2)]
    assert isinstance(app.planner.plan_many(send, data, {"tenant": "system"}), AlikeJobs)
    assert isinstance(app.planner.plan_many(send, data, {"tenant": "system", "delay": 5}), AlikeJobs)
    for alone in ({"after": [uuid7()]}, {"dedupe_key": "k"}, {"job_id": uuid7()}):
        assert not isinstance(app.planner.plan_many(send, data, {"tenant": "system", **alone}), AlikeJobs)
    assert not isinstance(app.planner.plan_many(send_slowly, data, {"tenant": "system"}), AlikeJobs)


async def test_both_ways_plan_the_same(app: JobApp) -> None:
    data, options = [Letter(number=n) for n in range(2)], {"tenant": uuid7(), "delay": 5, "priority": 3}
    for alike, letter in zip(app.planner.plan_many(send, data, options), data, strict=True):
        alone = app.planner.plan(send, letter, {**options, "job_id": alike.job_id})
        assert alike == alone


async def test_payloads_that_a_generator_makes_are_not_kept(app: JobApp) -> None:
    alive: list[weakref.ref[Letter]] = []

    def letters() -> Iterator[Letter]:
        for number in range(50):
            letter = Letter(number=number)
            alive.append(weakref.ref(letter))
            yield letter

    handles = await app.enqueue_many(send, letters(), tenant="system")
    gc.collect()
    assert [reference() for reference in alive if reference() is not None] == []
    assert [(await app.get_job("system", handle.job_id)).payload["number"] for handle in handles] == list(range(50))
    assert handles[3] == handles[3:][0] != handles[4]
    assert handles[3] in set(handles)


async def test_what_the_caller_changes_meanwhile_changes_nothing(app: JobApp) -> None:
    letters = [Letter(number=n) for n in range(3)]
    enqueueing = app.enqueue_many(send, letters, tenant="system")
    task = asyncio.ensure_future(enqueueing)
    await asyncio.sleep(0)
    letters.clear()
    assert len(await task) == 3


async def test_what_the_making_of_a_payload_raises_is_raised_to_a_second_reader_too() -> None:
    def some() -> Iterator[tuple[UUID, UUID, bytes]]:
        yield from members(2)
        raise LookupError("the third")

    jobs = AlikeJobs(COMMON, some())
    for _ in range(2):
        with pytest.raises(LookupError, match="the third"):
            list(jobs)
