"""The application as its users hold it."""

import asyncio
import logging
import os
import signal
import sys
import types
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from jobcore import JobApp, JobContext, JobData, JobState, RetryPolicy, job
from jobcore.app import ServiceContainer
from jobcore.app.handle import ResultInvalidError
from jobcore.errors import (
    ConfigurationError,
    DuplicateHandlerError,
    HandlerNotFoundError,
    InputError,
    InvalidScheduleError,
    JobCancelledError,
    JobFailedError,
    JobNotFoundError,
    NonRetryableError,
    ResultTimeoutError,
    StorageUnavailableError,
    UnknownRunnerError,
)
from jobcore.ids import uuid7
from jobcore.memory import MemoryRunner, MemoryStore
from jobcore.models import WorkerRecord
from jobcore.plugins import hookimpl
from jobcore.ports import Observer
from jobcore.testing import memory_app
from jobcore.testing.apps import quiet_settings

TENANT = uuid4()


class Data(JobData):
    n: int = 0


class Answer(JobData):
    value: UUID


@job("answer")
async def answer(ctx: JobContext, data: Data) -> Answer:
    """Answer with an id."""
    return Answer(value=UUID(int=data.n))


@job("fail", retry=RetryPolicy(max_attempts=1))
async def fail(ctx: JobContext, data: Data) -> None:
    raise NonRetryableError("it broke")


@job("liar")
async def liar(ctx: JobContext, data: Data) -> int:
    return "no number"  # pyright: ignore[reportReturnType] - what the test is about


@job("loose")
async def loose(ctx: JobContext, data: Data):
    return {"a": 1}


@job("parent")
async def parent(ctx: JobContext, data: Data) -> None:
    await ctx.enqueue("answer", {"n": 5}, priority=3)


@job("orphanage")
async def orphanage(ctx: JobContext, data: Data) -> None:
    await ctx.enqueue("nobody-has-this", {})


ALL = [answer, fail, liar, loose, parent, orphanage]


@pytest.fixture
async def app():
    async with memory_app(mode="inline", handlers=ALL) as app:
        yield app


class TestResults:
    async def test_a_result_has_the_handlers_return_type(self, app):
        handle = await answer.enqueue(app, Data(n=7), tenant=TENANT)
        assert await handle.result() == Answer(value=UUID(int=7))
        assert handle.tenant == TENANT
        assert handle.external_id is None
        assert str(handle.job_id) in repr(handle)

    async def test_without_a_return_type_it_is_json(self, app):
        assert await (await loose.enqueue(app, Data(), tenant=TENANT)).result() == {"a": 1}
        assert await app.handle(str(TENANT), str((await app.find_jobs(TENANT))[0].job_id)).result() == {"a": 1}

    async def test_a_failed_job_raises_with_its_error(self, app):
        handle = await fail.enqueue(app, Data(), tenant=TENANT)
        with pytest.raises(JobFailedError, match="it broke"):
            await handle.result()

    async def test_a_result_that_is_there_needs_no_time(self, app):
        handle = await answer.enqueue(app, Data(), tenant=TENANT)
        assert await handle.result(timeout=0) == await handle.result()

    async def test_a_result_of_another_type_is_told(self, app):
        handle = await liar.enqueue(app, Data(), tenant=TENANT)
        with pytest.raises(ResultInvalidError, match="does not fit its handler's return type"):
            await handle.result()

    async def test_a_job_that_does_not_end_times_out_and_goes_on(self):
        async with memory_app(handlers=ALL) as app:
            handle = await answer.enqueue(app, Data(), tenant=TENANT)
            with pytest.raises(ResultTimeoutError, match=r"within 0.02 seconds"):
                await handle.result(timeout=timedelta(milliseconds=20))
            assert (await handle.status()).status is JobState.QUEUED
            await handle.cancel("enough")
            with pytest.raises(JobCancelledError, match="enough"):
                await handle.result()
            with pytest.raises(InputError, match="timeout"):
                await handle.result(timeout=-1)


class TestJobs:
    async def test_reading_accepts_ids_as_text(self, app):
        handle = await answer.enqueue(app, Data(), tenant=TENANT)
        assert (await app.get_job(str(TENANT), str(handle.job_id))).job_id == handle.job_id
        assert (await app.metrics(TENANT)).by_state[JobState.COMPLETED] == 1
        with pytest.raises(JobNotFoundError):
            await app.get_job("system", handle.job_id)
        with pytest.raises(InputError, match="job_id"):
            await app.get_job(TENANT, "x")
        with pytest.raises(InputError, match="missing"):
            await app.get_job(TENANT, None)

    async def test_what_does_not_exist_cannot_be_cancelled_or_retried(self, app):
        assert await app.cancel(TENANT, uuid4()) is False
        assert await app.retry(TENANT, uuid4()) is False

    async def test_a_child_belongs_to_its_parents_tenant(self, app):
        handle = await parent.enqueue(app, Data(), tenant=TENANT)
        [child] = [record for record in await app.find_jobs(TENANT) if record.type == "answer"]
        assert (child.parent_job_id, child.priority) == (handle.job_id, 3)

    async def test_a_child_that_nobody_could_run_fails_its_parent(self, app):
        handle = await orphanage.enqueue(app, Data(), tenant=TENANT)
        assert "No handler registered for job: nobody-has-this" in (await handle.status()).error


class TestLife:
    async def test_calls_before_open_say_what_to_do(self):
        app = memory_app(handlers=ALL)
        with pytest.raises(ConfigurationError, match="async with JobApp"):
            await app.enqueue("answer", {}, tenant=TENANT)
        assert not app.is_open
        await app.close()

    async def test_open_and_close_may_be_repeated(self):
        app = memory_app(handlers=ALL)
        assert await app.open() is await app.open()
        await app.close()
        await app.close()
        async with app:
            await answer.enqueue(app, Data(), tenant=TENANT)

    async def test_opening_at_the_same_time_opens_once(self):
        opened: list[str] = []

        class Store(MemoryStore):
            async def open(self):
                opened.append("store")
                await asyncio.sleep(0)

        app = memory_app(runner=MemoryRunner(Store()))
        await asyncio.gather(app.open(), app.open())
        assert opened == ["store"]
        await app.close()

    async def test_a_runner_that_cannot_be_opened_leaves_nothing_open(self):
        closed: list[str] = []

        class Store(MemoryStore):
            async def close(self):
                closed.append("store")

        class Away(MemoryRunner):
            async def open(self):
                raise StorageUnavailableError("away")

        app = memory_app(runner=Away(Store()))
        with pytest.raises(StorageUnavailableError):
            await app.open()
        assert closed == ["store"]
        assert not app.is_open

    async def test_a_storage_and_runner_can_be_named(self):
        settings = quiet_settings(plugins={"allow": []}, memory={"mode": "inline"})
        async with JobApp(settings, runner="memory", store="memory", handlers=ALL) as app:
            assert app.default_runner == "memory"
            assert await (await answer.enqueue(app, Data(n=1), tenant="system")).result()

    async def test_a_given_store_serves_the_named_runner(self):
        store = MemoryStore()
        settings = quiet_settings(plugins={"allow": []})
        async with JobApp(settings, runner="memory", store=store, handlers=ALL) as app:
            assert app.store is store
            assert (await app.runner()).store is store

    def test_an_unknown_runner_is_named_with_those_installed(self):
        with pytest.raises(UnknownRunnerError, match="memory"):
            memory_app(runner="nowhere")

    async def test_health_tells_of_an_unreachable_store(self, app, monkeypatch):
        async def away():
            raise StorageUnavailableError("no route")

        monkeypatch.setattr(app.store, "ping", away)
        health = await app.health()
        assert not health.healthy
        assert health.detail == "storage: no route"


class TestParts:
    async def test_handlers_come_as_definitions_modules_configurations_and_setting(self, monkeypatch):
        module = types.ModuleType("my_jobs")
        module.answer = module.again = answer
        module.other = 1
        named = types.ModuleType("named_jobs")
        named.fail = fail
        monkeypatch.setitem(sys.modules, "named_jobs", named)
        settings = quiet_settings(plugins={"allow": []}, handlers=["named_jobs"])
        config = {"name": "old", "handler": lambda job_id, data: None, "retry": {"max_attempts": 2}, "timeout_ms": 5}
        app = memory_app(settings=settings, handlers=[module, config])
        assert app.registry.get_registered_names() == ["answer", "fail", "old"]

    def test_a_module_of_handlers_that_is_missing_or_empty_is_told(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "empty_jobs", types.ModuleType("empty_jobs"))
        for name, text in (("no_such_module_here", "cannot be imported"), ("empty_jobs", "defines no job")):
            with pytest.raises(ConfigurationError, match=text):
                memory_app(settings=quiet_settings(plugins={"allow": []}, handlers=[name]))

    @pytest.mark.parametrize(
        ("source", "told"),
        [
            ("rate = 1 / 0", r"raised ZeroDivisionError .*: division by zero \(.*broken_jobs.py, line 1\)"),
            ("\ndef say(:", r"raised SyntaxError .* \(.*broken_jobs.py, line 2\)"),
        ],
    )
    def test_a_module_of_handlers_that_raises_is_told_with_its_line(self, source, told, tmp_path, monkeypatch):
        (tmp_path / "broken_jobs.py").write_text(source)
        monkeypatch.syspath_prepend(tmp_path)
        with pytest.raises(ConfigurationError, match=f"'broken_jobs' {told}"):
            memory_app(settings=quiet_settings(plugins={"allow": []}, handlers=["broken_jobs"]))

    def test_two_handlers_of_one_name_stop_the_start(self):
        with pytest.raises(DuplicateHandlerError, match="'answer'"):
            memory_app(handlers=[answer, {"name": "answer", "handler": lambda ctx, data: None}])

    async def test_services_reach_handlers_by_type(self):
        class Mailer:
            def __init__(self) -> None:
                self.sent: list[int] = []

        mailer = Mailer()

        @job("mail")
        async def mail(ctx: JobContext, data: Data) -> None:
            ctx.services.get(Mailer).sent.append(data.n)

        async with memory_app(mode="inline", handlers=[mail], services=[mailer]) as app:
            await mail.enqueue(app, Data(n=3), tenant=TENANT)
        assert mailer.sent == [3]

    async def test_middleware_and_observers_hear_of_every_job(self):
        heard: list[str] = []

        async def around(ctx: JobContext, call_next: Any) -> Any:
            heard.append("before")
            result = await call_next()
            heard.append("after")
            return result

        class Ear(Observer):
            def job_enqueued(self, job, enqueued):
                heard.append("enqueued")

            def job_started(self, claim):
                heard.append("started")
                raise RuntimeError("ignored")

            def job_settled(self, settlement, applied):
                heard.append(f"settled {applied}")

        async with memory_app(handlers=ALL, middleware=[around], observers=[Ear()]) as app:
            await answer.enqueue(app, Data(), tenant=TENANT)
            await (await app.runner()).drain()
        assert heard == ["enqueued", "started", "before", "after", "settled True"]

    def test_plugins_hear_that_the_app_is_complete(self):
        class Plugin:
            app: Any = None

            @hookimpl
            def jobcore_app_configured(self, app):
                Plugin.app = app

        app = memory_app(plugins=[Plugin()])
        assert Plugin.app is app


class TestServices:
    def test_a_factory_runs_once_when_first_asked(self):
        made: list[int] = []

        class Thing:
            def __init__(self):
                made.append(1)

        services = ServiceContainer()
        services.provide(Thing, Thing)
        assert Thing in services
        assert made == []
        assert services.get(Thing) is services.get(Thing)
        assert made == [1]

    def test_a_base_class_can_stand_for_a_service(self):
        services = ServiceContainer({object: "text"})
        assert services.get(object) == "text"
        assert str not in services
        assert "text" not in services

    def test_a_missing_service_is_named_with_those_registered(self):
        with pytest.raises(ConfigurationError, match=r"type builtins.int is registered; registered: builtins.str"):
            ServiceContainer(["x"]).get(int)
        with pytest.raises(ConfigurationError, match="registered: none"):
            ServiceContainer().get(int)

    def test_mistakes_are_told(self):
        services = ServiceContainer()
        with pytest.raises(ConfigurationError, match="is a class"):
            services.add(int)
        with pytest.raises(ConfigurationError, match="is no builtins.int"):
            services.add("x", int)


class TestSchedules:
    async def test_a_schedule_is_checked_where_it_is_made(self, app):
        for when, kind, match in (
            ("61 * * * *", InvalidScheduleError, "minute"),
            ("every 5 fortnights", InvalidScheduleError, "fortnights"),
            (timedelta(), InvalidScheduleError, "1 second"),
        ):
            with pytest.raises(kind, match=match):
                await app.schedule("k", answer, when, tenant=TENANT)
        for options, match in (
            ({"timezone": "Mars/Base"}, "Mars/Base"),
            ({"overlap": "never"}, "'allow', 'skip', 'cancel_running', not 'never'"),
            ({"missed": "some"}, "missed must be one of"),
            ({"missed_limit": 0}, "missed_limit"),
        ):
            with pytest.raises(InputError, match=match):
                await app.schedule("k", answer, "0 3 * * *", tenant=TENANT, **options)
        with pytest.raises(HandlerNotFoundError):
            await app.schedule("k", "unknown", "0 3 * * *", tenant=TENANT)
        with pytest.raises(UnknownRunnerError):
            await app.schedule("k", answer, "0 3 * * *", tenant=TENANT, runner="nowhere")
        assert await app.schedules.list() == []

    async def test_a_schedule_keeps_its_policies(self, app):
        schedule = await app.schedule(
            "k", answer, "0 3 * * *", Data(n=1), tenant=TENANT, name="Nightly", timezone="Europe/Berlin", enabled=False,
            max_attempts=2, backoff=5, missed="all", missed_limit=3, overlap="skip", jitter=60, runner="memory",
        )  # fmt: skip
        assert schedule == await app.schedules.get(TENANT, "k")
        assert (schedule.name, schedule.pattern, schedule.backoff) == ("Nightly", "0 3 * * *", timedelta(seconds=5))
        plan = app.planner.plan_fire(schedule, schedule.next_fire)
        assert (plan.max_attempts, plan.retry_delay, plan.fire_time) == (2, timedelta(seconds=5), schedule.next_fire)
        assert schedule.next_fire < plan.run_at < schedule.next_fire + timedelta(minutes=1)
        assert plan.run_at == app.planner.plan_fire(schedule, schedule.next_fire).run_at

    async def test_a_schedule_can_be_triggered_by_hand(self, app):
        await app.schedule("k", answer, "0 3 * * *", Data(n=4), tenant=TENANT)
        handle = await app.trigger_schedule(TENANT, "k")
        assert (await handle.result()).value == UUID(int=4)
        record = await app.get_job(TENANT, handle.job_id)
        assert record.metadata == {"trigger": "cronTrigger", "schedule": "k"}
        assert record.schedule_id is None

    async def test_a_schedule_of_a_remote_handler_fires(self):
        async with memory_app() as app:
            await app.schedule("k", "elsewhere", "1 hour", tenant=TENANT, remote=True)
            await (await app.runner()).advance(timedelta(hours=1))
            [record] = await app.find_jobs(TENANT)
            assert record.type == record.queue == "elsewhere"


class TestWorkers:
    async def test_a_worker_announces_its_handlers_while_it_lives(self):
        async with memory_app(mode="worker", handlers=ALL) as app:
            worker = app.worker(["answer"], concurrency=3)
            await worker.start()
            [record] = await app.store.live_workers()
            assert (record.handlers, record.queues, record.concurrency) == (("answer",), ("answer",), 3)
            assert record.details["queue_of"] == {"answer": "answer"}
            await worker.stop()
            assert await app.store.live_workers() == []

    async def test_the_start_logs_handlers_and_queues_that_nobody_serves(self, caplog):
        async with memory_app(mode="worker", handlers=ALL) as app:
            with caplog.at_level(logging.INFO, "jobcore.app"):
                worker = app.worker(["answer"])
                await worker.start()
                await worker.stop()
        assert "Queue answer: answer" in caplog.text
        assert "Queue fail is served by no live worker, and this one leaves it out: jobs fail will wait" in caplog.text

    async def test_the_start_warns_where_a_live_worker_expects_a_job_in_another_queue(self, caplog):
        async with memory_app(mode="worker", handlers=ALL) as app:
            other = WorkerRecord(
                worker_id=uuid7(), runner_type="memory", host="h", pid=1, handlers=("answer",), queues=("old",),
                concurrency=1, details={"queue_of": {"answer": "old"}},
            )  # fmt: skip
            await app.store.announce(other)
            worker = app.worker()
            await worker.start()
            await worker.stop()
        assert "Job answer is enqueued to queue answer here and expected in queue old" in caplog.text

    async def test_a_worker_without_handlers_warns(self, caplog):
        async with memory_app(mode="worker") as app:
            worker = app.worker()
            await worker.start()
            await worker.stop()
        assert "has no handlers, so it runs nothing" in caplog.text

    async def test_a_worker_goes_on_while_the_store_is_away(self, monkeypatch, caplog):
        monkeypatch.setattr("jobcore.app.workers.ANNOUNCE_EVERY", 0.001)
        async with memory_app(mode="worker", handlers=ALL) as app:
            worker = app.worker()
            await worker.start()
            announce, heard = app.store.announce, asyncio.Event()

            async def away(*_: Any) -> None:
                heard.set()
                raise StorageUnavailableError("no route")

            async def back(record: WorkerRecord) -> None:
                heard.set()
                await announce(record)

            monkeypatch.setattr(app.store, "announce", away)
            await heard.wait()
            heard.clear()
            monkeypatch.setattr(app.store, "announce", back)
            await heard.wait()
            monkeypatch.setattr(app.store, "announce", away)
            monkeypatch.setattr(app.store, "retire", away)
            await worker.drain()
        assert "could not announce itself and will try again: no route" in caplog.text
        assert "could not sign off" in caplog.text

    async def test_workers_that_were_started_are_stopped_if_another_cannot_start(self):
        class Refusing(MemoryRunner):
            runner_type = "refusing"

            def worker(self, host):
                worker = super().worker(host)

                async def start():
                    raise StorageUnavailableError("away")

                worker.start = start
                return worker

        class Plugin:
            @hookimpl
            def jobcore_register_runners(self, registry):
                registry.register_runner("refusing", lambda c: Refusing(c.store), capabilities=Refusing.capabilities)

        @job("elsewhere", runner="refusing")
        async def elsewhere(ctx: JobContext, data: Data) -> None:
            pass

        async with memory_app(mode="worker", handlers=[elsewhere], plugins=[Plugin()]) as app:
            with pytest.raises(StorageUnavailableError):
                await app.worker().start()
            assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("jobcore-memory-worker")]

    async def test_a_remote_job_goes_to_the_queue_that_its_worker_announced(self):
        async with memory_app() as app:
            there = WorkerRecord(
                worker_id=uuid7(), runner_type="memory", host="h", pid=1, handlers=("mail",), queues=("shared",),
                concurrency=1, details={"queue_of": {"mail": "shared"}},
            )  # fmt: skip
            await app.store.announce(there)
            handle = await app.enqueue("mail", tenant=TENANT)
            assert (await app.get_job(TENANT, handle.job_id)).queue == "shared"

    async def test_a_worker_that_died_is_no_longer_believed(self, monkeypatch):
        async with memory_app() as app:
            there = WorkerRecord(
                worker_id=uuid7(),
                runner_type="memory",
                host="h",
                pid=1,
                handlers=("mail",),
                queues=("mail",),
                concurrency=1,
            )
            await app.store.announce(there)
            await app.enqueue("mail", tenant=TENANT)
            await app.store.retire(there.worker_id)
            await app.enqueue("mail", tenant=TENANT)
            monkeypatch.setattr("jobcore.app.announced.BELIEVED_FOR", -1)
            with pytest.raises(HandlerNotFoundError):
                await app.enqueue("mail", tenant=TENANT)

    async def test_a_queue_without_handler_is_refused(self, app):
        with pytest.raises(ConfigurationError, match="queue 'anwser'; did you mean 'answer'"):
            app.worker(["anwser"])
        with pytest.raises(ConfigurationError, match="there are answer, fail"):
            app.worker(["zzz"])

    async def test_a_worker_that_breaks_stops_with_its_error(self, monkeypatch):
        async with memory_app(mode="worker", handlers=ALL) as app:

            async def broken(*_: Any) -> int:
                raise RuntimeError("broken")

            monkeypatch.setattr(app.store, "fire_due", broken)
            with pytest.raises(RuntimeError, match="broken"):
                await app.run_worker(handle_signals=False)

    async def test_a_worker_waits_until_it_is_stopped(self):
        async with memory_app(mode="worker", handlers=ALL) as app:
            worker = app.worker()
            await worker.wait_closed()
            await worker.start()
            await worker.drain()
            await worker.wait_closed()

    async def test_a_signal_drains_the_worker(self):
        @job("signal")
        async def send_signal(ctx: JobContext, data: Data) -> str:
            os.kill(os.getpid(), signal.SIGTERM)
            return "finished"

        async with memory_app(mode="worker", handlers=[send_signal]) as app:
            handle = await send_signal.enqueue(app, Data(), tenant=TENANT)
            await app.run_worker()
            assert await handle.result() == "finished"

    async def test_a_second_signal_hands_running_jobs_back(self):
        @job("signals")
        async def send_signals(ctx: JobContext, data: Data) -> None:
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGINT)
            await ctx.signal.wait()
            ctx.signal.raise_if_aborted()

        async with memory_app(mode="worker", handlers=[send_signals]) as app:
            handle = await send_signals.enqueue(app, Data(), tenant=TENANT)
            await app.run_worker()
            assert (await handle.status()).status is JobState.QUEUED


def test_the_public_names_are_all_there():
    import jobcore

    assert all(getattr(jobcore, name) is not None for name in jobcore.__all__)
    assert set(jobcore.__all__) <= set(dir(jobcore))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = jobcore.nonsense
