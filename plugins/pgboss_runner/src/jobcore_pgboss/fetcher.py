"""Claims jobs: as many as there are free slots, and a little ahead of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from math import inf
from time import monotonic
from typing import Any
from uuid import UUID

import orjson
from psycopg import errors as pg

from jobcore.models import Claim, Lease
from jobcore.ports.runner import WorkerHost
from jobcore_pgboss import logs
from jobcore_pgboss.identity import RUNNER_TYPE
from jobcore_pgboss.low_water import EVERYTHING, LowWater
from jobcore_pgboss.runs import Receipt, Run, Runs
from jobcore_pgboss.settings import PgBossSettings
from jobcore_pgboss.slots import Slots
from jobcore_pgboss.statements import statement
from jobcore_postgres.background.link import Link

SHORTEST_WAIT = 0.005
"""Seconds between two looks at a queue whose next job is just becoming due."""
LULL = 0.02
"""Seconds without a hint after which it is worth asking when the next delayed job is due."""


class Fetcher:
    """Asks the queues whenever there may be work and there is room for it.

    One statement asks all queues, beginning with another one each time, so that none starves the others.
    """

    def __init__(
        self,
        link: Link,
        settings: PgBossSettings,
        host: WorkerHost,
        runs: Runs,
        slots: Slots,
    ) -> None:
        self._link = link
        self._settings = settings
        self._queues = sorted(host.queues)
        self._new_abort = host.new_abort
        self._runs = runs
        self._slots = slots
        self._hint = asyncio.Event()
        self._hint.set()
        self._claiming = asyncio.Lock()
        self._low_water = LowWater()
        limits = {name: limit.model_dump() for name, limit in settings.group_limits.items() if name in host.queues}
        self._group_limits = orjson.dumps(limits).decode() if limits else None

    def hint(self) -> None:
        """There may be work: look soon."""
        self._hint.set()

    def hint_queue(self, queue: str) -> None:
        """A queue was told to have work."""
        if queue in self._queues:
            self._hint.set()

    async def pause(self) -> None:
        """Claim no more. Returns when no claim is under way, which must not be interrupted: nobody would know of it."""
        await self._claiming.acquire()

    async def turn(self) -> None:
        """Wait until there may be work and there is room for it; claim it, and give it to the slots."""
        await self._wait_for_hint()
        room = await self._slots.wait_for_room()
        self._hint.clear()
        async with self._claiming:
            rows = await self._fetch(room)
            now = monotonic()
            self._slots.give([self._receive(row, now) for row in rows])
        if len(rows) >= room:
            self._hint.set()

    async def _wait_for_hint(self) -> None:
        """Wait for a hint, for the next delayed job's time, or for a poll that finds a job which was told to nobody.

        Idle, this is one statement each poll interval, however many queues there are.
        """
        if await self._hinted(LULL):
            return
        next_due, _, is_below = await self._look_ahead()
        poll = self._settings.poll_interval_seconds
        while not await self._hinted(min(poll, max(SHORTEST_WAIT, next_due))):
            is_due = next_due <= poll
            if not is_due:
                next_due, is_due, is_below = await self._look_ahead()
            if is_due:
                if is_below:
                    self._low_water.forget()
                self._hint.set()

    async def _hinted(self, seconds: float) -> bool:
        """Wait for a hint for so long, and return whether one came."""
        if self._hint.is_set():
            return True
        try:
            async with asyncio.timeout(seconds):
                await self._hint.wait()
        except TimeoutError:
            return False
        return True

    async def _fetch(self, room: int) -> Sequence[Any]:
        self._queues = [*self._queues[1:], *self._queues[:1]]
        try:
            return await self._claim(self._queues, room)
        except pg.UniqueViolation:
            # A queue with a policy refused a second running job. Ask each alone: only that one comes back empty.
            return [row for queue in self._queues for row in await self._claim_alone(queue)]

    async def _claim(self, queues: list[str], limit: int) -> Sequence[Any]:
        lease, begin = self._settings.lease_seconds, monotonic()
        if self._group_limits is not None:
            return await self._link.rows(statement("fetch_limited"), queues, limit, lease, self._group_limits)
        seconds = self._low_water.look_back(begin)
        if seconds < EVERYTHING:
            return await self._link.rows(statement("fetch_recent"), queues, limit, lease, seconds)
        rows = await self._link.rows(statement("fetch"), queues, limit, lease)
        self._low_water.saw_everything(begin, monotonic(), len(rows), left_some=len(rows) >= limit)
        return rows

    async def _claim_alone(self, queue: str) -> Sequence[Any]:
        try:
            return await self._claim([queue], 1)
        except pg.UniqueViolation:
            logs.fetch_conflict(queue)
            return []

    async def _look_ahead(self) -> tuple[float, bool, bool]:
        """Return the seconds until the next delayed job, whether one should have been claimed, and whether one of these
        lies below the mark."""
        back = self._low_water.look_back(monotonic())
        ((seconds, is_late, is_below),) = await self._link.rows(statement("next_due"), self._queues, back)
        return (inf if seconds is None else seconds), is_late, is_below

    def _receive(self, row: tuple[Any, ...], now: float) -> Run:
        queue: str
        job_id: UUID
        tenant: UUID
        created_on: datetime
        *claimed, stop, retry_delay_ms, next_delay_ms = row
        queue, job_id, tenant, name, payload, retry_count, started_us, max_attempts, priority, created_on = claimed
        claim = Claim(
            lease=Lease(job_id, tenant, retry_count + 1, f"{retry_count}.{started_us}"),
            name=name,
            queue=queue,
            payload=payload,
            max_attempts=max_attempts,
            created_at=created_on,
            priority=priority,
            runner_type=RUNNER_TYPE,
            retry_delay=None if retry_delay_ms is None else timedelta(milliseconds=retry_delay_ms),
            next_delay=None if next_delay_ms is None else timedelta(milliseconds=next_delay_ms),
        )
        receipt = Receipt(queue, retry_count, started_us)
        run = Run(claim=claim, abort=self._new_abort(), receipt=receipt, fetched_at=now, extended_at=now, stop=stop)
        self._runs.add(run)
        return run
