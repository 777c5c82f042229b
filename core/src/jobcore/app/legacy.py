"""The legacy `JobScheduler` (P05), for applications that still speak it: a thin face of the process's runner."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from jobcore.app.factory import Config, initialize_job_runner
from jobcore.app.runner_face import JobRunnerFace
from jobcore.handlers.payload import TENANT_FIELD


class JobScheduler:
    """Its document knows no tenants: data without a `tenantId` belongs to the system tenant."""

    def __init__(self, runner: JobRunnerFace) -> None:
        self._runner = runner

    @classmethod
    async def get_instance(cls, config: Config = None, **app_options: Any) -> JobScheduler:
        """Return the scheduler of the process's runner, which is made if there is none yet."""
        return cls(await initialize_job_runner(config, **app_options))

    def register_job_handler(self, name: str, handler: Callable[..., Any]) -> None:
        """Add a handler `(job_id, data)` or `(ctx, data)`. Raises `InvalidHandlerError`, `DuplicateHandlerError`."""
        self._runner.register_handler({"name": name, "handler": handler})

    async def schedule_immediate_job(self, name: str, data: Mapping[str, Any] | None = None) -> str:
        """Enqueue a job now and return its id; raises as `JobApp.enqueue`."""
        return str((await self._runner.schedule_job(name, _with_tenant(data))).job_id)

    async def schedule_scheduled_job(self, name: str, run_at: datetime, data: Mapping[str, Any] | None = None) -> str:
        """Enqueue a job for an instant with a time zone, and return its id."""
        return str((await self._runner.schedule_job_at(name, _with_tenant(data), run_at)).job_id)

    async def schedule_recurring_job(
        self, name: str, interval: str | timedelta, data: Mapping[str, Any] | None = None
    ) -> str:
        """Make or replace a recurring job by cron pattern or interval, and return its schedule's id."""
        return str((await self._runner.schedule_recurring_job(name, _with_tenant(data), interval)).job_id)

    async def cancel_job(self, job_id: str, tenant_id: str = "system") -> bool:
        """Cancel a job or stop a recurring one; false if there is nothing to cancel."""
        return await self._runner.cancel_job(job_id, tenant_id)

    async def start(self) -> None:
        """Work the registered handlers' jobs in this process."""
        await self._runner.start()

    async def stop(self) -> None:
        """Wait for the running jobs, then close."""
        await self._runner.stop()


def _with_tenant(data: Mapping[str, Any] | None) -> dict[str, Any]:
    return {TENANT_FIELD: "system", **(data or {})}
