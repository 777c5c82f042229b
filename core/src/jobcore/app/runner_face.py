"""The founding documents' runner (R01-R12): one interface for every engine, over the application."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from jobcore.app.config import ScheduleJobOptions
from jobcore.app.facade import JobApp
from jobcore.app.handle import AppJobHandle
from jobcore.app.options import as_uuid
from jobcore.app.workers import AppWorker
from jobcore.errors import InputError, JobNotFoundError, TenantRequiredError
from jobcore.handlers.registry import AnyHandler
from jobcore.ids import SYSTEM_TENANT, parse_tenant
from jobcore.models import JobStatus, Schedule
from jobcore.policies.retry import RetryPolicy
from jobcore.ports.handle import EnqueueOptions
from jobcore.states import JobState

Options = ScheduleJobOptions | Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class ScheduledJob:
    """The answer of a scheduling call; `job_id` is that of a job, or of a recurring job's schedule."""

    job_id: UUID
    external_id: str | None = None
    deduplicated: bool = False


class JobRunnerFace:
    """What `JobRunnerFactory.create_job_runner` returns. A job's data names its tenant (`tenantId`, R12)."""

    def __init__(self, app: JobApp, *, default_retry: RetryPolicy | None = None) -> None:
        self.app = app
        self._default_retry = default_retry
        self._worker: AppWorker | None = None

    def register_handler(self, config: AnyHandler | Mapping[str, Any], *, force: bool = False) -> AnyHandler:
        """Add a handler: a definition, or a mapping with `name`, `handler`, `retry`, `timeout_ms` (R13).

        Register before `start`. Raises `InvalidHandlerError`, `DuplicateHandlerError`.
        """
        definition = self.app.registry.register(config, force=force)
        if isinstance(config, Mapping) and config.get("retry") is None and self._default_retry is not None:
            return self.app.registry.register(replace(definition, retry=self._default_retry), force=True)
        return definition

    async def schedule_job(self, name: str, data: Any, options: Options = None) -> ScheduledJob:
        """Enqueue a job now, or as its options say (R03); raises as `JobApp.enqueue`."""
        chosen = ScheduleJobOptions.of(options)
        if chosen.interval is not None:
            return await self.schedule_recurring_job(name, data, chosen.interval, chosen)
        return _scheduled(await self.app.enqueue(name, data, **_enqueue_options(chosen)))

    async def schedule_job_at(self, name: str, data: Any, run_at: datetime, options: Options = None) -> ScheduledJob:
        """Enqueue a job for an instant with a time zone (R04); one in the past runs now."""
        chosen = ScheduleJobOptions.of(options).model_copy(update={"run_at": run_at})
        return _scheduled(await self.app.enqueue(name, data, **_enqueue_options(chosen)))

    async def schedule_recurring_job(
        self, name: str, data: Any, interval: str | timedelta, options: Options = None
    ) -> ScheduledJob:
        """Make or replace a recurring job (R05); returns the schedule's id, which `cancel_job` takes.

        A tenant has one recurring job of a name, unless `singleton_key` tells several apart.

        Args:
            interval: a cron pattern ("0 0 * * *") or an interval ("24 hours").

        Raises:
            InvalidScheduleError: if the interval does not parse.
            InputError: if an option belongs to a single job.
        """
        chosen = ScheduleJobOptions.of(options)
        _refuse_single_options(chosen)
        schedule = await self.app.schedules.put(chosen.singleton_key or name, name, interval, data, name=name)
        return ScheduledJob(schedule.schedule_id)

    async def cancel_job(self, job_id: UUID | str, tenant_id: UUID | str | None = None) -> bool:
        """Cancel a waiting or running job, or stop a recurring one (R06). False if there is nothing to cancel.

        Without a tenant it looks among the system tenant's jobs. Raises `TenantRequiredError` if it is not there.
        """
        tenant = SYSTEM_TENANT if tenant_id is None else parse_tenant(tenant_id)
        if (schedule := await self._find_schedule(tenant, job_id)) is not None:
            return await self.app.schedules.remove(tenant, schedule.key)
        if tenant_id is None:
            await self._require_system_job(job_id)
        return await self.app.cancel(tenant, job_id)

    async def get_job_status(self, job_id: UUID | str, tenant_id: UUID | str) -> JobStatus:
        """Read where a job stands (R07); of a recurring job, that it waits, and for when. Raises `JobNotFoundError`."""
        tenant = parse_tenant(tenant_id)
        try:
            return (await self.app.get_job(tenant, job_id)).as_status
        except JobNotFoundError:
            schedule = await self._find_schedule(tenant, job_id)
            if schedule is None:
                raise
            return _status_of(schedule, self.get_runner_type())

    async def start(self) -> None:
        """Open the application and start a worker for all registered handlers; harmless if it works already."""
        await self.app.open()
        if self._worker is None:
            worker = self.app.worker()
            await worker.start()
            self._worker = worker

    async def stop(self) -> None:
        """Wait for the running jobs, up to the configured grace, then close (R08). `start` may be called again."""
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.stop()
        await self.app.close()

    async def is_healthy(self) -> bool:
        """Ask the storage and the engine (R09)."""
        return self.app.is_open and (await self.app.health()).healthy

    def get_runner_type(self) -> str:
        """Return the name of the runner that jobs go to unless they are routed elsewhere (R10)."""
        return self.app.default_runner

    async def _find_schedule(self, tenant: UUID, schedule_id: UUID | str) -> Schedule | None:
        wanted = as_uuid("job_id", schedule_id)
        schedules = await self.app.schedules.list(tenant)
        return next((schedule for schedule in schedules if schedule.schedule_id == wanted), None)

    async def _require_system_job(self, job_id: UUID | str) -> None:
        try:
            await self.app.get_job(SYSTEM_TENANT, job_id)
        except JobNotFoundError:
            raise TenantRequiredError from None


def _scheduled(handle: AppJobHandle[Any]) -> ScheduledJob:
    return ScheduledJob(handle.job_id, handle.external_id, handle.deduplicated)


def _refuse_single_options(options: ScheduleJobOptions) -> None:
    given = sorted(options.model_dump(exclude_none=True).keys() - {"interval", "singleton_key"})
    if given:
        raise InputError(
            f"A recurring job does not take {' and '.join(given)}: its fires follow the interval and take priority and "
            "retries from their handler. Use app.schedules.put() for what a schedule may say."
        )


def _enqueue_options(options: ScheduleJobOptions) -> EnqueueOptions:
    if options.interval is not None and options.run_at is not None:
        raise InputError("Give either interval or run_at, not both: one recurs, the other does not.")
    return {
        "run_at": options.run_at,
        "priority": options.priority,
        "dedupe_key": options.singleton_key,
        "user_id": options.user_id,
        "metadata": options.metadata,
    }


def _status_of(schedule: Schedule, default_runner: str) -> JobStatus:
    return JobStatus(
        job_id=schedule.schedule_id,
        status=JobState.QUEUED if schedule.enabled else JobState.PENDING,
        progress=None,
        progress_message=None,
        error=None,
        metadata={
            "recurring": schedule.pattern or str(schedule.interval),
            "next_fire": None if schedule.next_fire is None else schedule.next_fire.isoformat(),
            "last_job_id": None if schedule.last_job_id is None else str(schedule.last_job_id),
        },
        attempt=0,
        max_attempts=schedule.max_attempts or 0,
        runner_type=schedule.runner_type or default_runner,
    )
