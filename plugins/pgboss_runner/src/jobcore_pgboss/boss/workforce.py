"""The workers of one instance: begun, woken, and stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from jobcore.errors import InputError
from jobcore_pgboss.boss.desk import Desk
from jobcore_pgboss.boss.queue_cache import QueueCache
from jobcore_pgboss.boss.wip import WipData
from jobcore_pgboss.boss.work_options import plan_work
from jobcore_pgboss.boss.worker import Surroundings, Worker
from jobcore_pgboss.identity import WORK_CHANNEL
from jobcore_pgboss.settings import PgBossSettings, listening_of
from jobcore_postgres.background.endings import end_tasks
from jobcore_postgres.background.link import Link
from jobcore_postgres.background.listener import Listener
from jobcore_postgres.background.roles import Roles

LAST_WORD = 5.0
"""Seconds that stopped handlers get to end, and that the database gets to take the last writes."""


class Workforce:
    """Begins workers between `open` and `close`; the first one begins to listen for new jobs."""

    def __init__(self, desk: Desk, *, listens: bool) -> None:
        self._desk = desk
        self._listens = listens
        self._is_open = False
        self._workers: dict[UUID, Worker] = {}
        self._link: Link | None = None
        self._listener: Listener | None = None
        self._roles = Roles()
        self._around = Surroundings(desk, QueueCache(desk), self._hears)

    def open(self) -> None:
        self._is_open = True
        self._roles = Roles()

    def hire(self, name: str, handler: Any, options: dict[str, Any]) -> UUID:
        """Begin workers. Raises `InputError`."""
        plan = plan_work(options)
        if not callable(handler):
            raise InputError("work: the handler must be an async function that takes a list of jobs.")
        if not self._is_open:
            raise InputError("Workers are disabled: this PgBoss is not started, or stopped.")
        self._begin_listening()
        work_id = uuid4()
        for worker_id in (work_id, *(uuid4() for _ in range(plan.local_concurrency - 1))):
            wip = _beginning(worker_id, work_id, name, options)
            self._workers[worker_id] = worker = Worker(self._around, wip, handler, plan)
            worker.task.add_done_callback(lambda _, gone=worker_id: self._workers.pop(gone, None))
        return work_id

    async def dismiss(self, name: str, worker_id: UUID | None, *, wait: bool) -> None:
        """Stop workers of a queue; wait until what they work on has ended."""
        leaving = [
            worker
            for worker in self._workers.values()
            if worker.name == name and (worker_id is None or worker_id in worker.ids)
        ]
        await self._stop(leaving, None if wait else 0)

    def wip(self) -> list[WipData]:
        return [wip for worker in self._workers.values() if (wip := worker.wip()).state != "stopped"]

    def wake(self, worker_id: UUID) -> None:
        """Let one worker look now; harmless if there is none."""
        if (worker := self._workers.get(worker_id)) is not None:
            worker.wake()

    def hint(self) -> None:
        """Notifications may have been missed: let all look."""
        for worker in self._workers.values():
            worker.wake()

    def hint_queue(self, queue: str) -> None:
        """A queue was told to have a new job."""
        for worker in self._workers.values():
            if worker.name == queue:
                worker.wake()

    async def close(self, *, graceful: bool, timeout: float) -> None:
        """Stop all. Handlers that still run after `timeout` seconds are cancelled, and their jobs fail."""
        self._is_open = False
        workers = list(self._workers.values())
        try:
            await self._stop(workers, timeout if graceful else 0)
        finally:
            left = [worker for worker in workers if not worker.task.done()]
            await self._give_up(left)
            await self._roles.close()
            if self._link is not None:
                await self._link.close()
            self._link = self._listener = None

    async def _stop(self, workers: Iterable[Worker], timeout: float | None) -> None:
        tasks = [worker.task for worker in workers]
        for worker in workers:
            worker.stop()
        if tasks:
            await asyncio.wait(tasks, timeout=timeout)

    async def _give_up(self, workers: list[Worker]) -> None:
        """Fail what still runs, then end the loops, whatever the database says to it."""
        for tasks in ([asyncio.create_task(worker.give_up()) for worker in workers], [each.task for each in workers]):
            if tasks:
                await asyncio.wait(tasks, timeout=LAST_WORD)
                await end_tasks(tasks)

    def _begin_listening(self) -> None:
        if self._listens and self._listener is None:
            self._link = Link(self._desk.database, "boss listener")
            self._listener = Listener(
                self._link, listening_of(PgBossSettings()), {WORK_CHANNEL: self.hint_queue}, self.hint
            )
            self._roles.begin("listener", self._listener.turn)

    def _hears(self) -> bool:
        return self._listener is not None and self._listener.hears


def _beginning(worker_id: UUID, work_id: UUID, name: str, options: dict[str, Any]) -> WipData:
    return WipData(
        id=worker_id,
        work_id=work_id,
        name=name,
        options=options,
        state="created",
        count=0,
        created_on=datetime.now(UTC),
        last_fetched_on=None,
        last_job_started_on=None,
        last_job_ended_on=None,
        last_job_duration=None,
        last_error=None,
        last_error_on=None,
    )
