"""The schedules: the `ScheduleStore` part of the store. Their firing stands in `firing`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from jobcore.errors import ScheduleNotFoundError
from jobcore.models import Enqueued, NewJob, Schedule
from jobcore.policies.due import fire_times
from jobcore.ports.store import ScheduleStore
from jobcore_postgres import wire
from jobcore_postgres.database import Connection, Database
from jobcore_postgres.firing import Firing
from jobcore_postgres.queries import affected_by, row_of, rows_of, value_of
from jobcore_postgres.quotas import within_quotas
from jobcore_postgres.rows import duration, schedule_record


class PostgresScheduleStore(ScheduleStore):
    """One row of `cron_jobs` a schedule; the database's clock says what is due."""

    database: Database

    async def put_schedule(self, schedule: Schedule) -> Schedule:
        """See the port. A replaced schedule keeps its id; its grid begins anew if its times changed.

        Raises:
            InvalidScheduleError: if the pattern, the interval or the time zone cannot be used.
            PayloadLimitError: if PostgreSQL cannot store the payload.
            QuotaExceededError: if the key is new, and the tenant may have no further schedule.
        """
        key = {"tenant": schedule.tenant, "key": wire.plain_text(schedule.key, "The schedule's key")}
        payload = wire.stored_json(schedule.payload, f"The payload of schedule {schedule.key!r}").decode()

        async def work(connection: Connection) -> dict[str, Any]:
            async with connection.transaction():
                known = (await rows_of(connection, "schedule_lock", key))[0]
                with within_quotas():
                    await value_of(connection, "quota_schedule", key)
                anchor = schedule.anchor or (known["anchor"] if _same_times(known, schedule) else None) or known["now"]
                next_fire = fire_times(replace(schedule, anchor=anchor)).next_after(known["now"])
                row = {**_columns(schedule), "payload": payload, "anchor": anchor, "next_fire": next_fire}
                await affected_by(connection, "schedule_put", row)
                return await self._read(connection, schedule.tenant, schedule.key)

        return schedule_record(await self.database.repeatable(work))

    async def get_schedule(self, tenant: UUID, key: str) -> Schedule:
        async def work(connection: Connection) -> dict[str, Any]:
            return await self._read(connection, tenant, key)

        return schedule_record(await self.database.repeatable(work))

    async def list_schedules(self, tenant: UUID | None = None) -> Sequence[Schedule]:
        rows = await self.database.repeatable(
            lambda connection: rows_of(connection, "schedule_list", {"tenant": tenant})
        )
        return [schedule_record(row) for row in rows]

    async def set_schedule_enabled(self, tenant: UUID, key: str, enabled: bool) -> Schedule:
        """See the port. Slots that passed while it was off are not made up for."""

        async def work(connection: Connection) -> dict[str, Any]:
            async with connection.transaction():
                identity = {"tenant": tenant, "key": key}
                locked = (await rows_of(connection, "schedule_lock", identity))[0]
                schedule = schedule_record(await self._read(connection, tenant, key))
                next_fire = fire_times(schedule).next_after(locked["now"])
                change = {**identity, "enabled": enabled, "next_fire": next_fire}
                await affected_by(connection, "schedule_enable", change)
                return await self._read(connection, tenant, key)

        return schedule_record(await self.database.repeatable(work))

    async def delete_schedule(self, tenant: UUID, key: str) -> bool:
        async with self.database.connection() as connection:
            return await affected_by(connection, "schedule_delete", (tenant, key)) > 0

    async def fire_due(
        self,
        plan_fire: Callable[[Schedule, datetime], NewJob],
        submit: Callable[[Sequence[NewJob], Any], Awaitable[Sequence[Enqueued]]],
        *,
        limit: int = 1000,
    ) -> int:
        """See the port. Raises `StorageUnavailableError`; then nothing was fired, and the next call fires it."""
        async with self.database.transaction() as connection:
            return await Firing(connection, plan_fire, submit).run(limit)

    async def seconds_to_next_fire(self) -> float | None:
        return await self.database.repeatable(lambda connection: value_of(connection, "schedules_next"))

    async def _read(self, connection: Connection, tenant: UUID, key: str) -> dict[str, Any]:
        row = await row_of(connection, "schedule_get", {"tenant": tenant, "key": key})
        if row is None:
            known = await value_of(connection, "schedule_keys", (tenant,))
            raise ScheduleNotFoundError(
                f"Tenant {tenant} has no schedule {key!r}; it has {', '.join(map(repr, known)) or 'none'}."
            )
        return row


def _same_times(known: dict[str, Any], schedule: Schedule) -> bool:
    times = (known["pattern"], duration(known["interval_ms"]), known["timezone"])
    return times == (schedule.pattern, schedule.interval, schedule.timezone)


def _columns(schedule: Schedule) -> dict[str, Any]:
    return {
        "tenant": schedule.tenant,
        "schedule_id": schedule.schedule_id,
        "key": schedule.key,
        "name": wire.plain_text(schedule.name, "The schedule's name"),
        "handler": wire.plain_text(schedule.handler, "The handler's name"),
        "pattern": schedule.pattern,
        "interval_ms": wire.milliseconds(schedule.interval),
        "timezone": schedule.timezone,
        "enabled": schedule.enabled,
        "max_attempts": schedule.max_attempts,
        "backoff_ms": wire.milliseconds(schedule.backoff),
        "missed": schedule.missed.value,
        "missed_limit": schedule.missed_limit,
        "overlap": schedule.overlap.value,
        "jitter_ms": wire.milliseconds(schedule.jitter),
        "runner_type": schedule.runner_type,
    }
