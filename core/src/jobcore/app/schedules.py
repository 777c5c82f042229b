"""The application's schedules: make, list, pause, resume, trigger and remove them, effective at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from jobcore.app.handle import AppJobHandle
from jobcore.app.options import as_attempts, as_delay, as_whole
from jobcore.errors import InputError, InvalidScheduleError
from jobcore.handlers.registry import AnyHandler
from jobcore.ids import parse_tenant, uuid7
from jobcore.limits import check_key
from jobcore.models import MissedFires, Overlap, Schedule
from jobcore.policies.cron import CronSchedule
from jobcore.policies.intervals import EPOCH, IntervalSchedule, parse_interval, parse_schedule
from jobcore.policies.missed import MAX_MISSED
from jobcore.policies.wallclock import zone_named

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp


class Schedules:
    """The face `app.schedules`. A schedule is known by its tenant and its key."""

    def __init__(self, app: JobApp) -> None:
        self._app = app

    async def put(
        self,
        key: str,
        job: AnyHandler | str,
        when: str | timedelta,
        data: Any = None,
        *,
        tenant: UUID | str | None = None,
        name: str | None = None,
        timezone: str = "UTC",
        enabled: bool = True,
        max_attempts: int | None = None,
        backoff: timedelta | float | None = None,
        missed: MissedFires | str = MissedFires.LATEST,
        missed_limit: int = 100,
        overlap: Overlap | str = Overlap.ALLOW,
        jitter: timedelta | float | None = None,
        runner: str | None = None,
        remote: bool = False,
    ) -> Schedule:
        """Make the schedule of this key, or replace it.

        Args:
            key: the idempotency key: one schedule a tenant and key.
            job: the handler, or its name.
            when: a cron pattern of 5 or 6 fields, an interval such as "24 hours", or a `timedelta`.
            data: the payload of every fire.
            tenant: whose jobs these are; by default the payload's `tenantId` says.
            name: for people; by default the key.
            timezone: where a cron pattern is read.
            max_attempts: instead of the handler's.
            backoff: the first delay between attempts, in seconds if a number.
            missed: what to do with fires missed while no worker ran: `skip`, `latest` or `all`.
            missed_limit: how many missed fires `all` makes up for, 1 to 1,000.
            overlap: what a fire does while the previous job has not ended: `allow`, `skip` or `cancel_running`.
            jitter: each fire's job is delayed by chance up to this, in seconds if a number.
            remote: the handler lives in another process.

        Raises:
            InvalidScheduleError: if `when` or `timezone` does not parse, with position and reason.
            HandlerNotFoundError: if nobody has the handler.
            CapabilityError: if its runner takes no recurring jobs.
            QuotaExceededError: if the key is new, and the tenant may have no further schedule.
            InputError, PayloadError: as `JobApp.enqueue`.
        """
        definition = self._app.planner.definition_of(job)
        handler = definition.name if definition is not None else str(job)
        if definition is None and not remote:
            await self._app.announced.require(handler)
        owner, payload = self._app.planner.check_payload(handler, definition, data, tenant)
        times = _parse(when, timezone)
        schedule = Schedule(
            tenant=owner,
            schedule_id=uuid7(),
            key=check_key("key", key),
            name=check_key("name", name or key),
            handler=handler,
            pattern=times.pattern if isinstance(times, CronSchedule) else None,
            interval=times.every if isinstance(times, IntervalSchedule) else None,
            timezone=timezone,
            payload=payload,
            enabled=bool(enabled),
            max_attempts=as_attempts(max_attempts),
            backoff=as_delay(backoff),
            missed=_choice("missed", MissedFires, missed),
            missed_limit=as_whole("missed_limit", missed_limit, 1, MAX_MISSED) or MAX_MISSED,
            overlap=_choice("overlap", Overlap, overlap),
            jitter=as_delay(jitter) or timedelta(),
            runner_type=runner,
        )
        fire = self._app.planner.plan_fire(schedule, EPOCH)  # refuses an unknown runner now, not at the first fire
        self._app.planner.require_recurring(fire)
        return await self._app.store.put_schedule(schedule)

    async def get(self, tenant: UUID | str, key: str) -> Schedule:
        """Raises `ScheduleNotFoundError`."""
        return await self._app.store.get_schedule(parse_tenant(tenant), check_key("key", key))

    async def list(self, tenant: UUID | str | None = None) -> Sequence[Schedule]:
        """Return the schedules of a tenant, or of all."""
        return await self._app.store.list_schedules(None if tenant is None else parse_tenant(tenant))

    async def pause(self, tenant: UUID | str, key: str) -> Schedule:
        """Fire no more until `resume`. Raises `ScheduleNotFoundError`."""
        return await self._app.store.set_schedule_enabled(parse_tenant(tenant), check_key("key", key), enabled=False)

    async def resume(self, tenant: UUID | str, key: str) -> Schedule:
        """Fire again from now on; what was missed in the pause stays missed. Raises `ScheduleNotFoundError`."""
        return await self._app.store.set_schedule_enabled(parse_tenant(tenant), check_key("key", key), enabled=True)

    async def remove(self, tenant: UUID | str, key: str) -> bool:
        """Remove a schedule; false if there is none. Its jobs stay."""
        return await self._app.store.delete_schedule(parse_tenant(tenant), check_key("key", key))

    async def trigger(self, tenant: UUID | str, key: str) -> AppJobHandle[Any]:
        """Enqueue a job of this schedule now, beside its fires (B21: `cronTrigger`). Raises `ScheduleNotFoundError`."""
        schedule = await self.get(tenant, key)
        await self._app.announced.learn(schedule.handler)
        plan = self._app.planner.plan_trigger(schedule)
        [enqueued] = await self._app.submission.submit([plan])
        return AppJobHandle(
            self._app,
            plan.tenant,
            enqueued.job_id,
            deduplicated=enqueued.deduplicated,
            external_id=enqueued.external_id,
            definition=self._app.planner.definition_of(schedule.handler),
        )


def _parse(when: str | timedelta, timezone: str) -> CronSchedule | IntervalSchedule:
    zone_named(timezone)
    if isinstance(when, timedelta):
        return IntervalSchedule(parse_interval(when))
    if not isinstance(when, str):  # pyright: ignore[reportUnnecessaryIsInstance] - settings and JSON are not typed
        raise InvalidScheduleError(f"A schedule is a text or a timedelta, not {type(when).__name__}.")
    return parse_schedule(when, timezone=timezone)


def _choice(name: str, kind: Any, value: Any) -> Any:
    try:
        return kind(value)
    except ValueError:
        accepted = ", ".join(repr(member.value) for member in kind)
        raise InputError(f"{name} must be one of {accepted}, not {value!r}.") from None
