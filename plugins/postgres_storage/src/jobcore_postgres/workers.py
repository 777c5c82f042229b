"""Which workers live: the `WorkerRegistry` part of the store."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from jobcore.models import WorkerRecord
from jobcore.ports.store import WorkerRegistry
from jobcore_postgres.database import Database
from jobcore_postgres.queries import affected_by, rows_of, value_of
from jobcore_postgres.rows import worker_record
from jobcore_postgres.wire import json_text, plain_text


class PostgresWorkerRegistry(WorkerRegistry):
    """One row a worker, seen by the database's clock."""

    database: Database

    async def announce(self, worker: WorkerRecord) -> None:
        row = {
            "worker_id": worker.worker_id,
            "runner_type": worker.runner_type,
            "host": worker.host,
            "pid": worker.pid,
            "handlers": list(worker.handlers),
            "queues": list(worker.queues),
            "concurrency": worker.concurrency,
            "started_at": worker.started_at,
            "stopping": worker.stopping,
            "details": json_text(dict(worker.details), "The worker's details"),
        }
        await self.database.repeatable(lambda connection: affected_by(connection, "worker_announce", row))

    async def retire(self, worker_id: UUID) -> None:
        await self.database.repeatable(lambda connection: affected_by(connection, "worker_retire", (worker_id,)))

    async def call_reload(self, called_by: str | None = None) -> int:
        parameters = (plain_text(called_by, "Who calls"),)
        return await self.database.repeatable(lambda connection: value_of(connection, "reload_call", parameters))

    async def last_reload(self) -> int:
        return await self.database.repeatable(lambda connection: value_of(connection, "reload_last"))

    async def live_workers(self) -> Sequence[WorkerRecord]:
        rows = await self.database.repeatable(lambda connection: rows_of(connection, "workers_live"))
        return [worker_record(row) for row in rows]
