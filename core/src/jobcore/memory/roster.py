"""Which workers live, in memory (the `WorkerRegistry` part of the store)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from jobcore.memory.tables import Tables
from jobcore.models import WorkerRecord
from jobcore.ports.store import WorkerRegistry

LIVES_FOR = timedelta(minutes=1)


class MemoryWorkerRegistry(WorkerRegistry):
    """Workers by id, each with when it was last seen."""

    tables: Tables

    async def announce(self, worker: WorkerRecord) -> None:
        now = self.tables.clock.now()
        known = self.tables.workers.get(worker.worker_id)
        started_at = worker.started_at or (now if known is None else known.started_at)
        self.tables.workers[worker.worker_id] = replace(worker, started_at=started_at, seen_at=now)

    async def retire(self, worker_id: UUID) -> None:
        self.tables.workers.pop(worker_id, None)

    async def live_workers(self) -> Sequence[WorkerRecord]:
        oldest = self.tables.clock.now() - LIVES_FOR
        return [worker for worker in self.tables.workers.values() if worker.seen_at and worker.seen_at >= oldest]
