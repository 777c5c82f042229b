"""`concurrency` bounds the jobs of a worker over all its task queues; each is asked as long as there is room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest

from contract.temporal_harness import TemporalHarness
from jobcore import HandlerDefinition, JobApp, JobContext, JobData, job
from jobcore.errors import ResultTimeoutError
from jobcore.testing.runner_contract.waiting import eventually
from jobcore_devkit.temporal import TemporalServer

QUEUES = 4


class Work(JobData):
    waits: bool = False


class Floor:
    """One job for each of several task queues, and how many of them run at a time, and where."""

    def __init__(self, harness: TemporalHarness, mode: str = "workflow") -> None:
        marker = uuid4().hex[:8]
        self.harness = harness
        self.names = [f"work-{number}" for number in range(QUEUES)]
        self.tenant = uuid4()
        self.now = 0
        self.most = 0
        self.opens = asyncio.Event()
        """Lets the jobs go that wait for it."""
        self._queues = {name: f"{name}-{marker}" for name in self.names}
        self._mode = mode

    @asynccontextmanager
    async def worker(self, name: str, concurrency: int) -> AsyncGenerator[JobApp]:
        """Have a worker of all these task queues."""
        handlers = [self._handler(job_name, queue, name) for job_name, queue in self._queues.items()]
        async with self.harness.application(handlers=handlers) as app:
            worker = app.worker(concurrency=concurrency)
            await worker.start()
            yield app
            await worker.stop()

    async def enqueue(self, app: JobApp, name: str, *, waits: bool = False) -> Any:
        return await app.enqueue(name, {"waits": waits}, tenant=self.tenant)

    def _handler(self, name: str, queue: str, worker: str) -> HandlerDefinition[Any, Any]:
        @job(name, queue=queue, engines={"temporal": {"mode": self._mode}})
        async def work(ctx: JobContext, data: Work) -> str:
            self.now += 1
            self.most = max(self.most, self.now)
            await (self.opens.wait() if data.waits else asyncio.sleep(0.05))
            self.now -= 1
            return worker

        return work


@pytest.fixture
def harness(database_dsn: str, jobcore_temporal: TemporalServer) -> TemporalHarness:
    return TemporalHarness(database_dsn, jobcore_temporal.address)


@pytest.mark.parametrize("mode", ["workflow", "activity"])
@pytest.mark.parametrize("concurrency", [1, 3])
async def test_a_worker_of_many_task_queues_runs_no_more_jobs_than_it_may(
    harness: TemporalHarness, concurrency: int, mode: str
) -> None:
    floor = Floor(harness, mode)
    async with floor.worker("only", concurrency) as app:
        jobs = [await floor.enqueue(app, name) for name in floor.names * 6]
        assert [await one.result(timeout=60) for one in jobs] == ["only"] * len(jobs)
        assert floor.most == concurrency
        assert {(await app.get_job(floor.tenant, one.job_id)).attempt for one in jobs} == {1}


async def test_what_comes_too_many_goes_to_a_worker_that_has_a_place(harness: TemporalHarness) -> None:
    """A worker whose places are taken has questions out, in the task queues that had no job when it asked."""
    floor = Floor(harness)
    async with floor.worker("one", 1) as app, floor.worker("another", 1):
        for name in floor.names:  # both have asked everywhere
            await (await floor.enqueue(app, name)).result(timeout=20)
        blocking = await floor.enqueue(app, floor.names[0], waits=True)

        async def blocks() -> bool:
            return floor.now == 1

        await eventually(blocks, "one worker is full", 20)
        others = [await floor.enqueue(app, name) for name in floor.names[1:] * 4]
        where = {await one.result(timeout=20) for one in others}
        floor.opens.set()
        assert where == {"one", "another"} - {await blocking.result(timeout=20)}


async def test_a_task_queue_is_asked_again_once_there_is_a_place(harness: TemporalHarness) -> None:
    floor = Floor(harness)
    async with floor.worker("only", 2) as app:
        blocking = [await floor.enqueue(app, name, waits=True) for name in floor.names[:2]]

        async def blocks() -> bool:
            return floor.now == 2

        await eventually(blocks, "the worker is full", 20)
        waiting = [await floor.enqueue(app, name) for name in floor.names]
        with pytest.raises(ResultTimeoutError):
            await waiting[-1].result(timeout=1)
        floor.opens.set()
        assert [await one.result(timeout=20) for one in [*blocking, *waiting]] == ["only"] * 6
        assert floor.most == 2
