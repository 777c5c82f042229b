"""One worker of a queue: fetches a batch, has it handled, waits, and begins again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from jobcore_pgboss import logs
from jobcore_pgboss.boss.batch import TROUBLE, Batch, Handler
from jobcore_pgboss.boss.desk import Desk
from jobcore_pgboss.boss.fetching import Fetching
from jobcore_pgboss.boss.models import Job
from jobcore_pgboss.boss.queue_cache import QueueCache
from jobcore_pgboss.boss.settling import Settling
from jobcore_pgboss.boss.transactional import InTransactions
from jobcore_pgboss.boss.wip import WipData
from jobcore_pgboss.boss.work_options import WorkPlan

SHORTEST_WAIT = 0.1
"""Seconds that are worth waiting: pg-boss's measure."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all workers of an instance share."""

    desk: Desk
    queues: QueueCache
    hears: Callable[[], bool]
    """Whether notifications of new jobs are heard now."""


class Worker:
    """One of those that a call of `work` begins. Its loop ends by `stop`, and by nothing that goes wrong."""

    def __init__(self, around: Surroundings, wip: WipData, handler: Any, plan: WorkPlan) -> None:
        self._around = around
        self._wip = wip
        self._handler: Handler = handler
        if plan.transactional:
            self._handler = InTransactions(handler, around.desk, wip.name, plan.transaction_timeout_seconds)
        self._plan = plan
        self._fetching = Fetching(around.desk)
        self._batch: Batch | None = None
        self._woken = asyncio.Event()
        self._stopping = asyncio.Event()
        self._drains = False
        self._grace_over = False
        self.task = asyncio.create_task(self._run(), name=f"jobcore worker of queue {wip.name}")

    @property
    def name(self) -> str:
        return self._wip.name

    @property
    def ids(self) -> set[UUID]:
        """Its own, and that of the call of `work`."""
        return {self._wip.id, self._wip.work_id}

    def wip(self) -> WipData:
        return replace(self._wip, count=0 if self._batch is None else len(self._batch.jobs))

    def wake(self) -> None:
        """There may be jobs: look soon, and go on until a batch is not full."""
        self._woken.set()

    def stop(self) -> None:
        """Fetch no more; the batch in hand goes on."""
        if not self.task.done():
            self._note(state="stopping")
        self._stopping.set()
        self._woken.set()

    async def give_up(self) -> None:
        """Fail the jobs in hand, and those that a fetch under way may bring."""
        self._grace_over = True
        if self._batch is not None:
            await self._batch.give_up()

    async def _run(self) -> None:
        self._note(state="active")
        now = asyncio.get_running_loop().time
        try:
            while not self._stopping.is_set():
                began = now()
                self._drains = self._drains or self._woken.is_set()
                self._woken.clear()
                count = await self._turn()
                duration = now() - began
                self._note(last_job_duration=duration)
                await self._rest(await self._interval(count) - duration)
        finally:
            self._note(state="stopped")
            if isinstance(self._handler, InTransactions):
                await self._handler.close()

    async def _turn(self) -> int:
        """Fetch a batch and have it handled; return how many jobs it had."""
        count = 0
        try:
            jobs = await self._fetch()
            self._note(last_fetched_on=_now())
            count = len(jobs)
            if jobs and self._grace_over:
                await self._refuse(jobs)
            elif jobs:
                self._note(last_job_started_on=_now())
                await self._work(jobs)
                self._note(last_job_ended_on=_now())
        except TROUBLE as error:
            self._note(last_error=error, last_error_on=_now())
            logs.worker_troubled(self.name, error)
            return 0
        return count

    async def _fetch(self) -> Sequence[Job]:
        options = self._plan.fetch_options
        if self._plan.include_metadata:
            return await self._fetching.fetch(self.name, include_metadata=True, **options)
        return await self._fetching.fetch(self.name, **options)

    async def _work(self, jobs: Sequence[Job]) -> None:
        batch = self._batch = Batch(self._around.desk, self.name, jobs, self._handler)
        try:
            await batch.run(self._plan.heartbeat_refresh_seconds, per_job_results=self._plan.per_job_results)
        finally:
            self._batch = None
        await batch.wait_for_handler(self._stopping)

    async def _refuse(self, jobs: Sequence[Job]) -> None:
        await Settling(self._around.desk).fail(self.name, jobs, "pg-boss shut down before the handler started")

    async def _interval(self, count: int) -> float:
        """How long a turn and the rest after it take, in seconds."""
        plan = self._plan
        full = count >= plan.batch_size
        self._drains = self._drains and full
        if self._drains or (full and plan.burst_when_batch_full and plan.batch_size > 1):
            return 0
        queue = await self._queue()
        if full and plan.burst_when_ready_exceeds is not None and queue["ready_count"] > plan.burst_when_ready_exceeds:
            return 0
        if queue["notify"] and self._around.hears():
            return plan.notify_polling_interval_seconds
        return plan.polling_interval_seconds

    async def _queue(self) -> Mapping[str, Any]:
        try:
            return await self._around.queues.row(self.name)
        except TROUBLE:  # of which the fetch has told, or will tell
            return {"notify": False, "ready_count": 0}

    async def _rest(self, seconds: float) -> None:
        if seconds <= SHORTEST_WAIT:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return

    def _note(self, **changes: Any) -> None:
        self._wip = replace(self._wip, **changes)


def _now() -> datetime:
    return datetime.now(UTC)
