"""pg-boss's own schedules: rows of `pgboss.schedule`, which Node's rules govern."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Unpack

from jobcore.errors import InputError
from jobcore.policies.cron import CronSchedule
from jobcore_pgboss.boss.desk import Verbs
from jobcore_pgboss.boss.errors import QueueNotFoundError
from jobcore_pgboss.boss.options import (
    SendOptions,
    check_limit,
    check_object_name,
    check_queue_name,
    check_send_options,
)


class ScheduleVerbs(Verbs):
    """`schedule`, `unschedule`, `get_schedules`, `get_schedule`, `preview_schedule`."""

    async def schedule(
        self,
        name: str,
        cron: str,
        data: Any = None,
        *,
        tz: str = "UTC",
        key: str = "",
        missed: str | None = None,
        **options: Unpack[SendOptions],
    ) -> None:
        """Make or replace the schedule of a queue under a key.

        Args:
            name: the queue.
            cron: five fields, or six with the seconds first; rrules are Node's alone.
            data: the payload of each job.
            tz: the zone in which the fields are read.
            key: tells several schedules of one queue apart.
            missed: `"once"` sends the latest occurrence that came due while nobody looked; `"skip"` none.
            options: those of each job, as `send` takes them.

        Raises:
            InvalidScheduleError: if the pattern or the zone cannot be read.
            InputError, QueueNotFoundError: as `send`.
        """
        CronSchedule(cron, tz)
        if key:
            check_object_name(key, "key")
        if missed not in {None, "skip", "once"}:
            raise InputError(f"missed must be 'skip' or 'once', not {missed!r}.")
        kept = check_send_options(options)
        kept |= {"tz": tz, "key": key} | ({"missed": missed} if missed else {})
        row = {"key": key, "cron": cron, "tz": tz, "data": data, "options": kept}
        made = await self._desk.ask("schedule", check_queue_name(name), row, connection=options.get("connection"))
        if not made:
            raise QueueNotFoundError(name)

    async def unschedule(self, name: str, key: str = "", *, connection: Any = None) -> None:
        """Delete a schedule; harmless if there is none."""
        await self._desk.ask("unschedule", check_queue_name(name), key, connection=connection)

    async def get_schedules(
        self, name: str | None = None, key: str | None = None, *, limit: int = 1_000
    ) -> Sequence[Mapping[str, Any]]:
        """Return the schedules, of a queue or of all: rows of `pgboss.schedule`. Raises `InputError`."""
        wanted: dict[str, Any] = {"limit": check_limit("get_schedules", limit)}
        if key is not None:
            wanted["key"] = key
        return await self._desk.ask("get_schedules", "" if name is None else check_queue_name(name), wanted)

    async def get_schedule(self, name: str, key: str = "") -> Mapping[str, Any] | None:
        """Return one schedule, or `None`."""
        schedules = await self.get_schedules(name, key)
        return schedules[0] if schedules else None

    def preview_schedule(
        self, cron: str, *, tz: str = "UTC", after: datetime | None = None, count: int = 10
    ) -> list[datetime]:
        """Return the next occurrences of a pattern, in UTC. Raises `InvalidScheduleError`, `InputError`."""
        check_limit("preview_schedule", count)
        pattern = CronSchedule(cron, tz)
        found: list[datetime] = []
        last = datetime.now(UTC) if after is None else after
        for _ in range(count):
            last = pattern.next_after(last)
            found.append(last.astimezone(UTC))
        return found
