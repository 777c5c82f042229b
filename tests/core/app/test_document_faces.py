"""The names of the founding documents: the runner, its factory, the legacy scheduler, and the two guides' faces."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from jobcore import (
    JobContext,
    JobData,
    JobHandlerRegistry,
    JobRunnerConfig,
    JobRunnerFactory,
    JobScheduler,
    JobState,
    PatternScheduler,
    enqueue_job,
    get_available_job_handlers,
    initialize_job_handlers_for_worker,
    initialize_job_runner,
    job,
    make_job,
    register_all_job_handlers,
)
from jobcore.app import JobRunnerFace, ScheduleJobOptions
from jobcore.errors import (
    ConfigurationError,
    DuplicateHandlerError,
    HandlerNotFoundError,
    InputError,
    InvalidHandlerError,
    InvalidScheduleError,
    JobNotFoundError,
    TenantRequiredError,
    UnknownRunnerError,
)
from jobcore.memory import MemoryRunner
from jobcore.plugins import hookimpl
from jobcore.testing import memory_app
from jobcore.testing.apps import quiet_settings

TENANT = str(uuid4())
DATA = {"tenantId": TENANT, "invoice": 7}
ran: list[Any] = []


@pytest.fixture(autouse=True)
def _forget():
    ran.clear()


async def by_id(job_id: str, data: dict[str, Any]) -> None:
    ran.append((job_id, data["invoice"]))


@pytest.fixture
async def face():
    """The runner of R01 on a memory engine that works by hand."""
    async with memory_app() as app:
        face = JobRunnerFace(app)
        face.register_handler(
            {"name": "generate-invoice", "handler": by_id, "retry": {"max_attempts": 3}, "timeout_ms": 300_000}
        )
        yield face


@pytest.fixture
async def engine(face) -> MemoryRunner:
    return await face.app.runner()


class TestRunner:
    async def test_r03_a_job_is_scheduled_and_runs_with_its_id_and_data(self, face, engine):
        scheduled = await face.schedule_job("generate-invoice", DATA)
        await engine.drain()
        assert ran == [(str(scheduled.job_id), 7)]
        status = await face.get_job_status(scheduled.job_id, TENANT)
        assert (status.status, status.progress, status.error) == (JobState.COMPLETED, 100, None)

    async def test_r04_a_job_can_wait_for_an_instant(self, face, engine):
        await face.schedule_job_at("generate-invoice", DATA, datetime(2026, 1, 1, 1, tzinfo=UTC))
        await engine.advance(timedelta(minutes=59))
        assert ran == []
        await engine.advance(timedelta(minutes=1))
        assert len(ran) == 1

    @pytest.mark.parametrize(("interval", "count"), [("0 0 * * *", 2), ("24 hours", 2), ("every 12 hours", 4)])
    async def test_r05_a_job_recurs_by_pattern_or_interval(self, face, engine, interval, count):
        scheduled = await face.schedule_recurring_job("generate-invoice", DATA, interval)
        await engine.advance(timedelta(days=2))
        assert len(ran) == count
        status = await face.get_job_status(scheduled.job_id, TENANT)
        assert status.status is JobState.QUEUED
        assert status.metadata["next_fire"]

    async def test_r05_registering_a_recurring_job_again_makes_no_second_one(self, face, engine):
        first = await face.schedule_recurring_job("generate-invoice", DATA, "24 hours")
        second = await face.schedule_job("generate-invoice", DATA, {"interval": "12 hours"})
        assert first.job_id == second.job_id
        other = await face.schedule_recurring_job("generate-invoice", DATA, "1 hour", {"singletonKey": "other"})
        assert other.job_id != first.job_id

    async def test_r06_waiting_and_recurring_jobs_can_be_cancelled(self, face, engine):
        waiting = await face.schedule_job("generate-invoice", DATA)
        recurring = await face.schedule_recurring_job("generate-invoice", DATA, "24 hours")
        assert await face.cancel_job(waiting.job_id, TENANT)
        assert not await face.cancel_job(waiting.job_id, TENANT)
        assert await face.cancel_job(str(recurring.job_id), TENANT)
        await engine.advance(timedelta(days=2))
        assert ran == []

    async def test_r06_without_a_tenant_only_the_systems_jobs_are_looked_at(self, face):
        own = await face.schedule_job("generate-invoice", {"tenantId": "system", "invoice": 1})
        assert await face.cancel_job(own.job_id)
        others = await face.schedule_job("generate-invoice", DATA)
        with pytest.raises(TenantRequiredError):
            await face.cancel_job(others.job_id)

    async def test_r07_a_job_that_does_not_exist_has_no_status(self, face):
        with pytest.raises(JobNotFoundError):
            await face.get_job_status(uuid4(), TENANT)

    async def test_r11_options_are_honoured_in_either_spelling(self, face, engine):
        user = uuid4()
        first = await face.schedule_job(
            "generate-invoice",
            DATA,
            {"runAt": datetime(2026, 2, 1, tzinfo=UTC), "priority": 9, "userId": str(user), "metadata": {"a": 1}},
        )
        record = await face.app.get_job(TENANT, first.job_id)
        assert (record.priority, record.user_id, record.metadata) == (9, user, {"a": 1})
        assert record.run_at == datetime(2026, 2, 1, tzinfo=UTC)
        await face.schedule_job("generate-invoice", DATA, ScheduleJobOptions(priority=1))

    async def test_r11_options_that_cannot_be_meant_are_refused(self, face):
        with pytest.raises(InputError, match="priorty"):
            await face.schedule_job("generate-invoice", DATA, {"priorty": 1})
        with pytest.raises(InputError, match="not both"):
            await face.schedule_job_at(
                "generate-invoice", DATA, datetime(2026, 1, 1, tzinfo=UTC), {"interval": "1 hour"}
            )

    async def test_r11_options_of_a_single_job_are_refused_for_a_recurring_one(self, face):
        with pytest.raises(InputError, match="does not take priority and run_at"):
            await face.schedule_job(
                "generate-invoice",
                DATA,
                {"interval": "1 hour", "priority": 2, "runAt": datetime(2026, 1, 1, tzinfo=UTC)},
            )

    async def test_r12_data_without_tenant_is_refused(self, face):
        with pytest.raises(TenantRequiredError, match="^tenantId is required in job data$"):
            await face.schedule_job("generate-invoice", {"invoice": 1})

    async def test_r18_a_singleton_key_prevents_duplicates(self, face):
        first = await face.schedule_job("generate-invoice", DATA, {"singletonKey": "k"})
        second = await face.schedule_job("generate-invoice", DATA, {"singleton_key": "k"})
        assert (second.job_id, second.deduplicated) == (first.job_id, True)

    async def test_h07_an_unknown_handler_is_named(self, face):
        with pytest.raises(HandlerNotFoundError, match="^No handler registered for job: nonsense$"):
            await face.schedule_job("nonsense", DATA)

    async def test_r08_it_starts_stops_and_starts_again(self):
        face = JobRunnerFace(memory_app(mode="worker"))
        face.register_handler({"name": "generate-invoice", "handler": by_id})
        assert not await face.is_healthy()
        for n in range(2):
            await face.start()
            await face.start()
            assert await face.is_healthy()
            scheduled = await face.schedule_job("generate-invoice", DATA)
            await face.app.handle(TENANT, scheduled.job_id).result(timeout=5)
            await face.stop()
            assert len(ran) == n + 1
        assert face.get_runner_type() == "memory"


class TestFactory:
    @pytest.fixture(autouse=True)
    async def _reset(self, monkeypatch, tmp_path):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("JOBCORE_STORAGE", "memory")
        monkeypatch.setenv("JOBCORE_PLUGINS__ALLOW", "none-of-them")
        JobRunnerFactory._instance = None
        yield
        await JobRunnerFactory.get_instance().reset()

    async def test_f01_the_process_has_one_factory_and_one_runner(self):
        factory = JobRunnerFactory.get_instance()
        assert factory is JobRunnerFactory.get_instance()
        assert factory.runner is None
        runner = await factory.create_job_runner({"type": "memory"})
        assert await factory.create_job_runner() is runner
        assert await factory.create_job_runner({"type": "memory"}) is runner
        assert await initialize_job_runner() is factory.runner is runner

    async def test_f01_a_second_configuration_is_refused(self):
        await initialize_job_runner({"type": "memory"})
        with pytest.raises(ConfigurationError, match=r"has a runner already \('memory'\)"):
            await initialize_job_runner({"type": "memory", "pgboss": {"retryLimit": 1}})
        with pytest.raises(ConfigurationError, match="has a runner already"):
            await initialize_job_runner(handlers=[])

    async def test_f01_a_reset_allows_another_runner(self):
        first = await initialize_job_runner({"type": "memory"})
        await JobRunnerFactory.get_instance().reset()
        assert await initialize_job_runner({"type": "memory"}) is not first

    async def test_f02_the_environment_chooses_without_a_configuration(self, monkeypatch):
        monkeypatch.setenv("JOB_RUNNER_TYPE", "memory")
        assert (await initialize_job_runner()).get_runner_type() == "memory"

    async def test_f04_a_configuration_is_checked(self):
        with pytest.raises(ConfigurationError, match=r"pgboss.retryLimit: .*greater than or equal to 0"):
            await initialize_job_runner({"pgboss": {"retryLimit": -1}})
        with pytest.raises(ConfigurationError, match="typ"):
            await initialize_job_runner({"typ": "memory"})
        with pytest.raises(UnknownRunnerError, match="nowhere"):
            await initialize_job_runner({"type": "nowhere"})

    def test_r17_a_configuration_fills_the_settings(self):
        config = JobRunnerConfig.of(
            {
                "type": "temporal",
                "pgboss": {"connectionString": "postgresql://u:secret@h/d", "retryLimit": 4, "applicationName": "app"},
                "temporal": {"address": "t.example:7233", "namespace": "n", "taskQueue": "q"},
            }
        )
        settings = config.settings()
        assert settings.runner == "temporal"
        assert settings.database.dsn() == "postgresql://u:secret@h/d"
        assert (settings.temporal.address, settings.temporal.namespace, settings.temporal.task_queue) == (
            "t.example:7233",
            "n",
            "q",
        )
        assert "secret" not in repr(config)
        assert JobRunnerConfig.of(config) is config

    async def test_r17_the_retry_limit_is_for_handlers_that_name_none(self):
        runner = await initialize_job_runner({"type": "memory", "pgboss": {"retryLimit": 4, "retryBackoff": False}})
        plain = runner.register_handler({"name": "plain", "handler": by_id})
        own = runner.register_handler({"name": "own", "handler": by_id, "retry": {"max_attempts": 2}})
        assert (plain.retry.max_attempts, plain.retry.backoff_coefficient) == (5, 1.0)
        assert own.retry.max_attempts == 2

    async def test_p05_the_legacy_scheduler_speaks_its_names(self):
        scheduler = await JobScheduler.get_instance({"type": "memory"})
        scheduler.register_job_handler("old", by_id)
        await scheduler.start()
        app = JobRunnerFactory.get_instance().runner.app
        job_id = await scheduler.schedule_immediate_job("old", {"invoice": 1})
        await app.handle("system", job_id).result(timeout=5)
        at = await scheduler.schedule_scheduled_job("old", datetime(2100, 1, 1, tzinfo=UTC), DATA)
        assert (await app.get_job(TENANT, at)).run_at.year == 2100
        assert await scheduler.cancel_job(at, TENANT)
        recurring = await scheduler.schedule_recurring_job("old", "24 hours")
        assert await scheduler.cancel_job(recurring)
        await scheduler.stop()
        assert ran == [(job_id, 1)]


class TestPatterns:
    @pytest.fixture
    def scheduler(self):
        return PatternScheduler(memory_app())

    async def test_g03_g04_registered_jobs_fire_by_pattern_and_interval(self, scheduler):
        seen: list[tuple[str, Any]] = []

        async def cleanup(ctx: JobContext) -> None:
            """Clean up."""
            seen.append((ctx.job_name, ctx.data))

        def process(ctx: JobContext) -> None:
            seen.append((ctx.job_name, ctx.data))

        scheduler.register_cron("audit.retention", "0 3 * * *", cleanup)
        scheduler.register_interval("email.process-queue", 2 * 3_600_000, process)
        await scheduler.start()
        await (await scheduler.app.runner()).advance(timedelta(hours=4))
        assert [name for name, _ in seen] == ["email.process-queue", "audit.retention", "email.process-queue"]
        assert scheduler.app.registry.get("audit.retention").description == "Clean up."
        await scheduler.shutdown()

    async def test_g05_g06_a_delayed_job_runs_once_after_each_trigger(self, scheduler):
        seen: list[Any] = []

        async def remind(ctx: JobContext) -> None:
            ctx.logger.info("reminding")
            seen.append(ctx.data["who"])

        scheduler.register_delayed("remind", 5000, remind)
        job_id = await scheduler.trigger("remind", {"who": "me"})
        runner = await scheduler.app.runner()
        assert await scheduler.get_queue_size("remind") == 1
        await runner.advance(timedelta(seconds=4))
        assert seen == []
        await runner.advance(timedelta(seconds=1))
        assert seen == ["me"]
        record = await scheduler.app.get_job("system", job_id)
        assert (record.status, record.metadata) == (JobState.COMPLETED, {"trigger": "adhoc"})
        assert await scheduler.get_queue_size("remind") == 0
        await scheduler.shutdown()

    async def test_g08_health_tells_whether_it_works_and_what_waits(self, scheduler):
        assert await scheduler.get_health() == {"healthy": False}
        await scheduler.start()
        await scheduler.start()
        assert await scheduler.get_health() == {"healthy": True, "queueSize": 0}
        await scheduler.shutdown()

    async def test_g13_the_guides_retries_are_the_default(self, scheduler):
        scheduler.register_delayed("remind", 1, lambda ctx: None)
        retry = scheduler.app.registry.get("remind").retry
        assert (retry.max_attempts, retry.initial_interval) == (3, timedelta(seconds=5))

    async def test_g21_g22_a_worker_starts_again_by_hand_after_shutdown(self):
        scheduler = PatternScheduler(memory_app(mode="worker"))
        seen: list[str] = []
        scheduler.register_cron("nightly", "0 3 * * *", lambda ctx: seen.append(ctx.job_name))
        for n in range(2):
            await scheduler.start()
            job_id = await scheduler.trigger("nightly")
            await scheduler.app.handle("system", job_id).result(timeout=5)
            await scheduler.shutdown()
            assert seen == ["nightly"] * (n + 1)

    async def test_mistakes_are_told_at_registration(self, scheduler):
        with pytest.raises(InvalidScheduleError):
            scheduler.register_cron("a", "61 * * * *", lambda ctx: None)
        with pytest.raises(InvalidScheduleError, match="1 second"):
            scheduler.register_interval("a", 10, lambda ctx: None)
        with pytest.raises(InvalidHandlerError, match="takes one argument"):
            scheduler.register_delayed("a", 10, lambda ctx, data: None)
        scheduler.register_delayed("a", 10, lambda ctx: None)
        with pytest.raises(DuplicateHandlerError):
            scheduler.register_delayed("a", 10, lambda ctx: None)


class TestBullMq:
    async def test_b07_b11_priority_is_inverted_and_times_are_milliseconds(self):
        async def send(ctx: JobContext, data: dict[str, Any]) -> None:
            ran.append(data["n"])

        definition = make_job("send", send, priority=1)
        async with memory_app(handlers=[definition]) as app:
            runner = await app.runner()
            await enqueue_job(app, "send", {"n": 1}, priority=10)
            await enqueue_job(app, definition, {"n": 2}, priority=1, attempts=7)
            handle = await enqueue_job(app, "send", {"n": 3}, delay=1500)
            await runner.drain()
            assert ran == [2, 1]
            assert (await handle.status()).status is JobState.QUEUED
            await runner.advance(timedelta(milliseconds=1500))
            assert ran == [2, 1, 3]
            assert [record.max_attempts for record in await app.find_jobs()] == [3, 7, 3]

    async def test_b05_a_dedupe_key_stands_for_one_job(self):
        async with memory_app(handlers=[make_job("send", by_id_ctx)]) as app:
            first = await enqueue_job(app, "send", {"n": 1}, dedupe_key="k")
            assert (await enqueue_job(app, "send", {"n": 2}, dedupe_key="k")).job_id == first.job_id


async def by_id_ctx(ctx: JobContext, data: dict[str, Any]) -> None:
    pass


@job("community-job")
async def community_job(ctx: JobContext, data: JobData) -> None:
    """Do something for everybody."""


@job("enterprise-job", edition="enterprise")
async def enterprise_job(ctx: JobContext, data: JobData) -> None:
    pass


class Pack:
    """A handler pack, as a plugin."""

    @hookimpl
    def jobcore_register_handlers(self, registry: JobHandlerRegistry) -> None:
        registry.register(community_job)
        registry.register(enterprise_job)


class TestRegistration:
    @pytest.fixture
    def app(self):
        return memory_app(plugins=[Pack()])

    def test_h03_a_community_application_has_no_enterprise_handlers(self, app):
        assert register_all_job_handlers(app) == ["community-job"]

    def test_h04_the_list_tells_what_each_is(self, app):
        [info] = get_available_job_handlers(app)
        assert (info.name, info.description, info.max_attempts) == ("community-job", "Do something for everybody.", 3)
        assert get_available_job_handlers(JobHandlerRegistry()) == []

    def test_h03_services_are_found_by_their_type(self, app):
        class JobService: ...

        class StorageService: ...

        register_all_job_handlers(app, {"job_service": JobService(), "storage_service": StorageService()})
        assert JobService in app.services
        assert StorageService in app.services
        with pytest.raises(ConfigurationError, match="pass the JobApp"):
            register_all_job_handlers(JobHandlerRegistry(), job_service=JobService())

    def test_h06_a_workers_handlers_are_logged(self, app, caplog):
        with caplog.at_level("INFO", "jobcore.app"):
            assert initialize_job_handlers_for_worker(app) == ["community-job"]
        assert "1 job handlers registered: community-job" in caplog.text

    def test_h03_a_registry_of_its_own_takes_the_handlers_of_installed_plugins(self, monkeypatch, tmp_path):
        monkeypatch.chdir(tmp_path)
        pack = memory_app(
            plugins=[Pack()], settings=quiet_settings(plugins={"allow": []}, edition="enterprise")
        ).plugins
        seen: list[str] = []

        def load(settings: Any, *_: Any, **__: Any) -> Any:
            seen.append(settings.edition)
            return pack

        monkeypatch.setattr("jobcore.app.assembly.load_plugins", load)
        registry = JobHandlerRegistry()
        both = ["community-job", "enterprise-job"]
        assert register_all_job_handlers(registry, include_enterprise=True) == both
        assert register_all_job_handlers(registry, include_enterprise=False, force=True) == both
        assert seen == ["enterprise", "community"]
