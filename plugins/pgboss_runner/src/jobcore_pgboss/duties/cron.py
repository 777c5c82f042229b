"""Fires pg-boss's own schedules."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime

from jobcore.errors import InvalidScheduleError
from jobcore_pgboss import logs
from jobcore_pgboss.duties.desk import Desk, json_of
from jobcore_pgboss.duties.occurrences import BossSchedule

BATCH = 50
"""Filed occurrences that one transaction sends."""


class Cron:
    """Takes the cron pass in turn with all other instances, files due occurrences, and sends what was filed.

    A schedule that only Node can read (an rrule) must not go unread because we took the pass: while there is one,
    passes are left to Node, and ours run beside them. The throttle lets one job through a minute, whoever files it.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._told: frozenset[BossSchedule] = frozenset()

    async def turn(self) -> None:
        """Make a pass, and wait until the next one is due."""
        interval = self._desk.settings.cron_interval_seconds
        schedules = [BossSchedule(*row) for row in await self._desk.rows("cron_schedules")]
        readable = await self._readable(schedules)
        if len(readable) == len(schedules):
            ((claimed, last_pass, age, now),) = await self._desk.rows("cron_claim", interval)
        else:
            ((_, last_pass, age, now),) = await self._desk.rows("cron_peek")
            claimed = True
        if claimed:
            await self._file(readable, now, last_pass)
            age = None
        if schedules:
            await self._forward()
        await asyncio.sleep(interval if age is None else max(0.0, interval - age) + min(1.0, interval / 4))

    async def _file(self, schedules: Iterable[BossSchedule], now: datetime, last_pass: datetime | None) -> None:
        due = [
            {"name": schedule.name, "key": schedule.key, "slot": slot}
            for schedule in schedules
            for slot in schedule.slots(now, last_pass)
        ]
        if due:
            await self._desk.rows("cron_file", json_of(due))

    async def _forward(self) -> None:
        while sent := await self._desk.rows("cron_forward", BATCH):
            for queue, key, _, problem in sent:
                if problem is not None:
                    logs.schedule_not_sent(queue, key, problem)
            if len(sent) < BATCH:
                return

    async def _readable(self, schedules: Iterable[BossSchedule]) -> list[BossSchedule]:
        """Leave out what cannot be read here, and tell of it once."""
        readable: list[BossSchedule] = []
        unreadable: dict[BossSchedule, InvalidScheduleError] = {}
        for schedule in schedules:
            try:
                schedule.check()
            except InvalidScheduleError as error:
                unreadable[schedule] = error
            else:
                readable.append(schedule)
        new = unreadable.keys() - self._told
        if new and not await self._node_is_there():
            for schedule in new:
                await self._warn(schedule, unreadable[schedule])
        self._told = frozenset(unreadable)
        return readable

    async def _node_is_there(self) -> bool:
        return (await self._desk.features()).has_instances and await self._desk.value("live_nodes")

    async def _warn(self, schedule: BossSchedule, error: InvalidScheduleError) -> None:
        await self._desk.warn(
            "invalid_schedule",
            f'Warning: the schedule of queue "{schedule.name}" (key "{schedule.key}") is skipped: {error}',
            {"queue": schedule.name, "key": schedule.key, "cron": schedule.cron, "timezone": schedule.timezone},
        )
