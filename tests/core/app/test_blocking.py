"""The blocking twin, for code without an event loop."""

import asyncio
import os
import threading
from datetime import timedelta
from uuid import uuid4

import pytest

from jobcore import JobContext, JobData, JobState, job
from jobcore.app import BlockingJobApp
from jobcore.errors import ConfigurationError, JobNotFoundError, TenantRequiredError
from jobcore.memory import MemoryRunner
from jobcore.testing.apps import quiet_settings

TENANT = uuid4()


class Data(JobData):
    n: int = 0


@job("double")
async def double(ctx: JobContext, data: Data) -> int:
    return data.n * 2


def new_app(mode: str = "inline") -> BlockingJobApp:
    return BlockingJobApp(quiet_settings(plugins={"allow": []}), runner=MemoryRunner(mode=mode), handlers=[double])


@pytest.fixture
def app():
    with new_app() as app:
        yield app


def test_every_call_waits_for_its_answer(app):
    handle = app.enqueue(double, Data(n=4), tenant=TENANT)
    assert handle.result(timeout=5) == 8
    assert handle.status().status is JobState.COMPLETED
    assert handle.tenant == TENANT
    assert not handle.deduplicated
    assert not handle.cancel("late")
    assert "Blocking" in repr(handle)
    assert app.get_job(TENANT, handle.job_id).payload["n"] == 4
    assert app.handle(TENANT, handle.job_id).result() == 8
    assert len(app.find_jobs(TENANT)) == 1
    assert app.details(TENANT, handle.job_id) == []
    assert app.metrics(TENANT).by_state[JobState.COMPLETED] == 1
    assert app.cancel(TENANT, handle.job_id) is False
    assert app.retry(TENANT, handle.job_id) is False
    assert app.health().healthy
    assert app.queue_sizes() == {}
    assert app.registry.get_registered_names() == ["double"]
    assert [other.result() for other in app.enqueue_many(double, [Data(n=1), Data(n=2)], tenant=TENANT)] == [2, 4]


def test_schedules_are_made_listed_triggered_and_removed(app):
    app.schedule("k", double, timedelta(hours=1), Data(n=3), tenant=TENANT)
    assert [schedule.key for schedule in app.schedules.list(TENANT)] == ["k"]
    assert app.trigger_schedule(TENANT, "k").result() == 6
    assert app.schedules.trigger(TENANT, "k").result() == 6
    assert not app.schedules.pause(TENANT, "k").enabled
    assert app.schedules.resume(TENANT, "k").enabled
    app.schedules.put("k", double, "2 hours", Data(n=3), tenant=TENANT, jitter=3)
    assert app.schedules.get(TENANT, "k").interval == timedelta(hours=2)
    assert app.schedules.remove(TENANT, "k")


def test_queues_are_paused_and_resumed(app):
    assert app.pause(queue="double", reason="upkeep")
    assert [(pause.name, pause.reason) for pause in app.pauses()] == [("double", "upkeep")]
    assert app.resume(queue="double")
    assert app.pauses() == []


def test_errors_are_those_of_the_twin(app):
    with pytest.raises(TenantRequiredError):
        app.enqueue(double, Data())
    with pytest.raises(JobNotFoundError):
        app.get_job(TENANT, uuid4())


def test_the_first_call_opens_it():
    app = new_app()
    assert app.enqueue(double, Data(n=1), tenant=TENANT).result() == 2
    app.close()
    app.close()
    assert app.enqueue(double, Data(n=1), tenant=TENANT).result() == 2
    app.close()


def test_no_thread_is_left_after_close():
    app = new_app().open()
    assert any(thread.name == "jobcore-blocking-app" for thread in threading.enumerate())
    app.close()
    assert not any(thread.name == "jobcore-blocking-app" for thread in threading.enumerate())


def test_many_threads_may_call_it(app):
    results: list[int] = []

    def call(n: int) -> None:
        results.append(app.enqueue(double, Data(n=n), tenant=TENANT).result())

    threads = [threading.Thread(target=call, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [0, 2, 4, 6, 8, 10, 12, 14]


async def test_a_call_from_an_event_loop_is_refused_and_from_its_thread_pool_is_not():
    app = new_app()
    with pytest.raises(ConfigurationError, match=r"use JobApp and await it, or .* asyncio.to_thread"):
        app.enqueue(double, Data(n=1), tenant=TENANT)
    handle = await asyncio.to_thread(app.enqueue, double, Data(n=1), tenant=TENANT)
    assert await asyncio.to_thread(handle.result) == 2
    await asyncio.to_thread(app.close)


def test_a_forked_child_is_told_to_open_it_after_the_fork(app):
    app.enqueue(double, Data(n=1), tenant=TENANT)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            app.health()
            answer = "no error"
        except ConfigurationError as error:
            answer = str(error)
        os.write(writing, answer.encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert b"open it after the fork" in os.read(reading, 1000)
    os.close(reading)
    os.close(writing)
