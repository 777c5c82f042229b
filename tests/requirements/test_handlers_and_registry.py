"""H01 to H09: handlers and their registry, as the application and its workers use them."""

from __future__ import annotations

import logging
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from jobcore import (
    JobContext,
    JobData,
    JobHandlerRegistry,
    JobRunnerFactory,
    JobState,
    NonRetryableError,
    RetryPolicy,
    get_available_job_handlers,
    initialize_job_handlers_for_worker,
    job,
    register_all_job_handlers,
)
from jobcore.app import JobRunnerFace
from jobcore.errors import DuplicateHandlerError, HandlerNotFoundError, InvalidHandlerError
from jobcore.plugins.manifest import parse_manifest
from jobcore_handlers.files import DirectoryFileStore
from jobcore_postgres.service import JobService
from requirements.words import OTHER_TENANT, TENANT, Tables, ended
from support.fleet import Fleet, eventually

ENTERPRISE = {"cleanup-ai-session-keys"}
PACK = parse_manifest((files("jobcore_handlers") / "jobcore-plugin.toml").read_text("utf-8"), "the pack")
BUILT_IN = sorted(set(PACK.provides.handlers) - ENTERPRISE)
"""Of the Community Edition."""
ATTEMPTS = {
    "generate-invoice": 3,
    "invoice_zip": 3,
    "invoice_email": 3,
    "expired-credits": 3,
    "expiring-credits-notification": 3,
    "credit-reconciliation": 3,
    "asset_import": 3,
    "reconcile-bucket-usage": 3,
    "cleanup-temporary-workflow-forms": 2,
    "renew-microsoft-calendar-webhooks": 3,
    "verify-google-calendar-pubsub": 3,
}


class Greeting(JobData):
    client_name: str


def quick(name: str, handler: Any, attempts: int = 3) -> dict[str, Any]:
    retry = {"max_attempts": attempts, "initial_interval_ms": 50}
    return {"name": name, "handler": handler, "retry": retry, "timeout_ms": 300_000}


async def test_h01_the_application_and_its_workers_share_one_registry(
    factory: JobRunnerFactory, environment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shared_handlers.py").write_text(
        "from jobcore import JobContext, JobData, job\n\n"
        "@job('where-am-i')\n"
        "async def where_am_i(ctx: JobContext, data: JobData) -> int:\n"
        "    import os\n"
        "    return os.getpid()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("JOBCORE_HANDLERS", "shared_handlers")
    runner = await factory.create_job_runner()
    assert runner.app.registry.get("where-am-i") is runner.app.registry.find("where-am-i")
    with Fleet(
        tmp_path, {"DATABASE_URL": environment, "JOBCORE_HANDLERS": "shared_handlers", "PYTHONPATH": str(tmp_path)}
    ) as fleet:
        await fleet.start(1, runner.app)
        (worker,) = fleet.processes
        scheduled = await runner.schedule_job("where-am-i", {"tenantId": TENANT})
        assert await runner.app.handle(TENANT, scheduled.job_id).result(timeout=20) == worker.pid

        async def logged() -> bool:
            return "where-am-i" in fleet.log_of(worker)

        await eventually(logged, "the worker logs its handlers")  # H06


def test_h02_h05_a_registration_is_checked_and_force_replaces() -> None:
    registry = JobHandlerRegistry()

    async def work(job_id: str, data: dict[str, Any]) -> None: ...

    async def other(job_id: str, data: dict[str, Any]) -> None: ...

    registry.register({"name": "work", "handler": work})
    with pytest.raises(DuplicateHandlerError, match="'work'"):
        registry.register({"name": "work", "handler": other})
    replaced = registry.register({"name": "work", "handler": other, "timeout_ms": 1000}, force=True)
    assert registry.get("work") is replaced
    assert registry.get_config("work")["timeout_ms"] == 1000
    for wrong in (
        {"name": "work"},
        {"handler": work},
        {"name": "work", "handler": "work"},
        {"name": "w\0rk", "handler": work},
        {"name": "work", "handler": work, "retry": {"max_attempts": 0}},
        {"name": "work", "handler": work, "timeout_ms": -1},
    ):
        with pytest.raises(InvalidHandlerError):
            JobHandlerRegistry().register(wrong)


def test_h03_h04_all_handlers_are_registered_and_listed(runner: JobRunnerFace, tmp_path: Path) -> None:
    service, store = JobService(runner.app.store), DirectoryFileStore(tmp_path)
    options = {"job_service": service, "storage_service": store, "include_enterprise": False, "force": True}
    assert register_all_job_handlers(runner.app, options) == BUILT_IN
    assert runner.app.services.get(JobService) is service
    assert runner.app.services.get(DirectoryFileStore) is store
    listed = {info.name: info for info in get_available_job_handlers(runner.app)}
    assert list(listed) == BUILT_IN
    assert listed["generate-invoice"].timeout == timedelta(minutes=5)
    assert listed["invoice_zip"].timeout == timedelta(minutes=10)
    assert {name: listed[name].max_attempts for name in ATTEMPTS} == ATTEMPTS
    assert all(info.description and "jobcore-builtin-handlers" in info.source for info in listed.values())


def test_h06_a_worker_registers_and_logs_all_handlers(environment: str, caplog: pytest.LogCaptureFixture) -> None:
    registry = JobHandlerRegistry()
    with caplog.at_level(logging.INFO, "jobcore.app"):
        assert initialize_job_handlers_for_worker(registry) == BUILT_IN
    assert f"{len(BUILT_IN)} job handlers registered: {', '.join(BUILT_IN)}" in caplog.messages


async def test_h07_a_job_without_handler_is_named_at_the_call_and_at_the_worker(runner: JobRunnerFace) -> None:
    with pytest.raises(HandlerNotFoundError, match="^No handler registered for job: generate-invoise") as caught:
        await runner.schedule_job("generate-invoise", {"tenantId": TENANT})
    assert "Did you mean 'generate-invoice'?" in str(caught.value)

    @job("stays", queue="shared")
    async def stays(ctx: JobContext, data: JobData) -> None: ...

    @job("goes", queue="shared")
    async def goes(ctx: JobContext, data: JobData) -> None: ...

    runner.register_handler(stays)
    runner.register_handler(goes)
    handle = await runner.app.enqueue("goes", {"tenantId": TENANT}, max_attempts=1)
    runner.app.registry.unregister("goes")
    await runner.start()
    status = await ended(runner, handle.job_id)
    assert status.status is JobState.FAILED
    assert str(status.error).startswith("No handler registered for job: goes")


async def test_h08_a_handler_is_added_with_typed_data_a_function_and_one_call(runner: JobRunnerFace) -> None:
    greeted: list[str] = []

    @job("greet-client", retry=RetryPolicy(max_attempts=3), timeout=timedelta(milliseconds=300_000))
    async def greet_client(ctx: JobContext, data: Greeting) -> None:
        """Greet a client."""
        greeted.append(data.client_name)

    runner.register_handler(greet_client)
    await runner.start()
    scheduled = await runner.schedule_job("greet-client", {"tenantId": TENANT, "clientName": "Ada"})
    assert (await ended(runner, scheduled.job_id)).status is JobState.COMPLETED
    assert greeted == ["Ada"]
    assert [info.description for info in get_available_job_handlers(runner.app) if info.name == "greet-client"] == [
        "Greet a client."
    ]


class TestDesignRules:
    """H09: what the documents ask of a handler, and what it can rely on."""

    async def test_what_is_raised_is_retried_and_what_ends_well_is_not(self, runner: JobRunnerFace) -> None:
        async def throws(ctx: JobContext, data: dict[str, Any]) -> None:
            if ctx.attempt == 1:
                raise ConnectionError("the mail server is away")

        async def logs_and_completes(ctx: JobContext, data: dict[str, Any]) -> None:
            ctx.logger.warning("client %s is gone; nothing to do", data["client"])

        async def is_final(ctx: JobContext, data: dict[str, Any]) -> None:
            raise NonRetryableError("this invoice was cancelled")

        for name, handler in (("throws", throws), ("logs", logs_and_completes), ("final", is_final)):
            runner.register_handler(quick(name, handler))
        await runner.start()
        jobs = {
            name: await runner.schedule_job(name, {"tenantId": TENANT, "client": 1})
            for name in ("throws", "logs", "final")
        }
        statuses = {name: await ended(runner, scheduled.job_id) for name, scheduled in jobs.items()}
        assert {name: (status.status.value, status.attempt) for name, status in statuses.items()} == {
            "throws": ("completed", 2),
            "logs": ("completed", 1),
            "final": ("failed", 1),
        }

    async def test_steps_make_a_handler_idempotent(self, runner: JobRunnerFace) -> None:
        sent: list[int] = []

        async def send(ctx: JobContext, data: dict[str, Any]) -> None:
            await ctx.step("send", sent.append, ctx.attempt)
            if ctx.attempt == 1:
                raise ConnectionError("lost after the mail was sent")

        runner.register_handler(quick("send", send))
        await runner.start()
        scheduled = await runner.schedule_job("send", {"tenantId": TENANT})
        assert (await ended(runner, scheduled.job_id)).attempt == 2
        assert sent == [1]

    async def test_a_handlers_database_shows_its_own_tenant_only(self, runner: JobRunnerFace, tables: Tables) -> None:
        seen: dict[UUID, set[UUID]] = {}

        async def look(ctx: JobContext, data: dict[str, Any]) -> None:
            async with ctx.db.transaction() as connection:
                cursor = await connection.execute("select distinct tenant from jobs")
                seen[ctx.tenant_id] = {row[0] for row in await cursor.fetchall()}

        runner.register_handler(quick("look", look))
        await runner.start()
        for tenant in (TENANT, OTHER_TENANT):
            scheduled = await runner.schedule_job("look", {"tenantId": tenant})
            await ended(runner, scheduled.job_id, tenant)
        assert len(tables.all("select job_id from jobs")) == 2
        assert seen == {UUID(tenant): {UUID(tenant)} for tenant in (TENANT, OTHER_TENANT)}
