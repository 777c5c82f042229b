"""The runner `pgboss`: a table of contents of what it does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import psycopg

from jobcore.errors import JobcoreError, StorageError
from jobcore.models import Enqueued, JobRecord, NewJob
from jobcore.ports.runner import Health, JobRunner, Worker, WorkerHost
from jobcore_pgboss.enqueue import Enqueuer
from jobcore_pgboss.identity import CAPABILITIES, RUNNER_TYPE
from jobcore_pgboss.queues import Queues
from jobcore_pgboss.reasons.unrecorded import find_unrecorded
from jobcore_pgboss.refusals import refusals
from jobcore_pgboss.schema import attach
from jobcore_pgboss.settings import PgBossSettings
from jobcore_pgboss.statements import statement
from jobcore_pgboss.worker import PgBossWorker
from jobcore_postgres.background.endings import limited
from jobcore_postgres.database import Database
from jobcore_postgres.store import PostgresStore

HEALTH_PATIENCE = 5.0


class PgBossRunner(JobRunner):
    """Jobs in PostgreSQL, in pg-boss's own schema. Needs the storage `postgres`, whose pool it shares."""

    runner_type = RUNNER_TYPE
    capabilities = CAPABILITIES

    def __init__(self, *, store: PostgresStore, settings: PgBossSettings) -> None:
        self._store = store
        self._settings = settings
        self._queues = Queues(settings)
        self._enqueuer = Enqueuer(self._database, self._queues, settings)

    @property
    def _database(self) -> Database:
        return self._store.database

    async def open(self) -> None:
        async with self._database.connection() as connection:
            await attach(connection)

    async def close(self) -> None:
        await self._enqueuer.close()

    async def submit(self, jobs: Iterable[NewJob], *, connection: Any = None) -> Sequence[Enqueued]:
        return await self._enqueuer.submit(jobs, connection)

    async def cancel(
        self, tenant: UUID, job_id: UUID, *, reason: str | None = None, cancelled_by: str | None = None
    ) -> bool:
        return bool(await self._ask("cancel", tenant, job_id, reason, cancelled_by))

    async def retry(self, tenant: UUID, job_id: UUID) -> bool:
        with refusals():
            return bool(await self._ask("retry", tenant, job_id))

    async def find_unrecorded(self, tenant: UUID, job_id: UUID) -> JobRecord | None:
        """Return a job that Node sent and no worker of ours has seen, as it would stand in `jobs`."""
        return await find_unrecorded(self._database, tenant, job_id)

    async def queue_sizes(self, queues: Sequence[str] | None = None) -> Mapping[str, int]:
        wanted = {"queues": None if queues is None else list(queues)}
        async with self._database.connection() as connection:
            cursor = await connection.execute(statement("queue_sizes"), wanted)
            found = {name: int(count) for name, count in await cursor.fetchall()}
        return {**dict.fromkeys(queues or (), 0), **found}

    async def unrecorded(self) -> Mapping[str, int]:
        async with self._database.connection() as connection:
            cursor = await connection.execute(statement("unrecorded"))
            return {name: int(count) for name, count in await cursor.fetchall()}

    async def health(self) -> Health:
        try:
            version, sizes = await limited(self._state(), HEALTH_PATIENCE)
        except TimeoutError:
            return _unwell(f"PostgreSQL has not answered within {HEALTH_PATIENCE:g} s.")
        except (JobcoreError, psycopg.Error, OSError) as error:
            return _unwell(str(error))
        facts = {"schema_version": version, "queues": dict(sizes)}
        return Health(healthy=True, runner_type=RUNNER_TYPE, queue_size=sum(sizes.values()), facts=facts)

    async def _state(self) -> tuple[int, Mapping[str, int]]:
        """Return the version of pg-boss's schema, and how many jobs wait in each queue."""
        async with self._database.connection() as connection:
            version = await attach(connection)
        return version, await self.queue_sizes()

    def worker(self, host: WorkerHost) -> Worker:
        return PgBossWorker(self._store, self._settings, self._queues, host)

    async def _ask(self, name: str, *arguments: Any) -> Any:
        """Call a function of one answer, in a transaction of its own."""
        async with self._database.connection() as connection, connection.transaction():
            row = await (await connection.execute(statement(name), arguments)).fetchone()
        if row is None:
            raise StorageError(f"The statement {name} of the pgboss runner answered nothing.")
        return row[0]


def _unwell(detail: str) -> Health:
    return Health(healthy=False, runner_type=RUNNER_TYPE, detail=detail)
