"""A worker that code without an event loop starts and stops."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest

from jobcore import BlockingJobApp, JobContext, JobData, JobState, job
from jobcore.errors import ConfigurationError
from jobcore.memory import MemoryRunner
from jobcore.testing.apps import quiet_settings

TENANT = uuid4()
begun, release = threading.Event(), threading.Event()


class Data(JobData):
    n: int = 0


@job("hold")
def hold(ctx: JobContext, data: Data) -> int:
    begun.set()
    assert release.wait(10)
    return data.n


@job("double")
async def double(ctx: JobContext, data: Data) -> int:
    return data.n * 2


@job("parent")
def parent(ctx: JobContext, data: Data) -> str:
    child = ctx.blocking.enqueue(double, Data(n=data.n), delay=timedelta(milliseconds=1))
    return str(child.job_id)


@pytest.fixture
def app():
    begun.clear()
    release.clear()
    settings = quiet_settings(plugins={"allow": []})
    with BlockingJobApp(settings, runner=MemoryRunner(mode="worker"), handlers=[hold, double, parent]) as app:
        yield app


def test_it_works_while_the_caller_goes_on_and_drains(app: BlockingJobApp) -> None:
    worker = app.worker(concurrency=2)
    worker.start()
    handle = app.enqueue(hold, Data(n=4), tenant=TENANT)
    assert begun.wait(10)
    assert [claim.job_id for claim in worker.running()] == [handle.job_id]
    threading.Timer(0.05, release.set).start()
    worker.drain()
    assert handle.status().status is JobState.COMPLETED
    assert handle.result() == 4
    worker.wait_closed()


def test_running_jobs_are_handed_back_by_a_stop(app: BlockingJobApp) -> None:
    worker = app.worker(["double"])
    assert worker.worker_id != app.worker(["double"]).worker_id
    worker.start()
    worker.stop(timedelta())
    handle = app.enqueue(double, Data(n=1), tenant=TENANT)
    assert handle.status().status is JobState.QUEUED


def test_run_worker_outside_the_main_thread_is_refused_before_it_works(app: BlockingJobApp) -> None:
    refusals: list[ConfigurationError] = []

    def run() -> None:
        try:
            app.run_worker()
        except ConfigurationError as error:
            refusals.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(10)
    assert "which only the main thread gets: call it there, or make a worker()" in str(refusals[0])
    handle = app.enqueue(double, Data(n=1), tenant=TENANT)
    assert handle.status().status is JobState.QUEUED


def test_a_handler_in_a_thread_enqueues_a_follow_up(app: BlockingJobApp) -> None:
    worker = app.worker()
    worker.start()
    child = app.enqueue(parent, Data(n=21), tenant=TENANT).result(timeout=10)
    assert app.handle(TENANT, child).result(timeout=10) == 42
    worker.stop()
