"""The runner `temporal`: a table of contents of what it does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID
from weakref import WeakSet

import psycopg

from jobcore.errors import EngineUnavailableError, JobcoreError
from jobcore.models import Enqueued, NewJob
from jobcore.ports.runner import Health, JobRunner, Worker, WorkerHost
from jobcore.settings import Settings
from jobcore_postgres.background.endings import limited
from jobcore_postgres.bridges import bridge_to
from jobcore_postgres.outbox import Outbox
from jobcore_postgres.refusals import refusal_in
from jobcore_postgres.store import PostgresStore
from jobcore_temporal.identity import CAPABILITIES, FALLBACK, RUNNER_TYPE, workflow_id
from jobcore_temporal.options import read_options
from jobcore_temporal.settings import TemporalRunnerSettings
from jobcore_temporal.task_queues import check_task_queue

if TYPE_CHECKING:
    from jobcore_temporal.worker import TemporalWorker

HEALTH_PATIENCE = 5.0
BREAKER = ("breaker_failures", "breaker_probe_seconds")
"""What may change while a worker works, beside the fallback."""
NOBODY_FALLS_BACK = (
    f"The fallback to {FALLBACK!r} is on by the settings, and was off when this process began, so that nobody here "
    f"works {FALLBACK!r}: while Temporal is away, jobs go on waiting in the outbox. Restart this process to have it."
)


class TemporalRunner(JobRunner):
    """Jobs as workflows of Temporal. Needs the storage `postgres`, in whose outbox they wait to be handed over: an
    enqueue asks nothing of Temporal, and an outage refuses and loses no job."""

    runner_type = RUNNER_TYPE
    capabilities = CAPABILITIES

    def __init__(self, *, store: PostgresStore, settings: TemporalRunnerSettings, fallback: bool) -> None:
        self._store = store
        self._settings = settings
        self._outbox = Outbox(store.database, RUNNER_TYPE, workflow_id)
        self.fallback = FALLBACK if fallback else None
        self._can_fall_back = fallback
        self._workers: WeakSet[TemporalWorker] = WeakSet()

    async def open(self) -> None:
        """The store is open, and there is nothing else to open: whether Temporal is there, `health` says."""

    async def close(self) -> None:
        """Nothing is under way that the store does not wait for."""

    @property
    def changeable(self) -> frozenset[str]:
        """The fallback among it where it was on at the start: else nobody here works what it would get."""
        breaker = {f"temporal.{key}" for key in BREAKER}
        return frozenset({*breaker, "fallback_to_pgboss"} if self._can_fall_back else breaker)

    def reload(self, settings: Settings) -> Callable[[], None]:
        later = settings.section(RUNNER_TYPE, TemporalRunnerSettings)

        def apply() -> None:
            self.fallback = FALLBACK if self._can_fall_back and settings.fallback_to_pgboss else None
            for worker in self._workers:
                worker.go_by(later, self.fallback)

        return apply

    def caveats(self, settings: Settings) -> Sequence[str]:
        if self._can_fall_back or not settings.fallback_to_pgboss:
            return ()
        return (NOBODY_FALLS_BACK,)

    async def submit(self, jobs: Iterable[NewJob], *, connection: Any = None) -> Sequence[Enqueued]:
        taken = [self._checked(job) for job in jobs]
        if not taken:
            return []
        bridge = None if connection is None else bridge_to(connection)
        try:
            return await (self._outbox.enqueue(taken) if bridge is None else self._outbox.enqueue_on(bridge, taken))
        except Exception as error:
            if (refusal := refusal_in(error)) is None:
                raise
            raise refusal from error

    async def cancel(
        self, tenant: UUID, job_id: UUID, *, reason: str | None = None, cancelled_by: str | None = None
    ) -> bool:
        return await self._outbox.cancel(tenant, job_id, reason, cancelled_by)

    async def retry(self, tenant: UUID, job_id: UUID) -> bool:
        return await self._outbox.retry(tenant, job_id)

    async def queue_sizes(self, queues: Sequence[str] | None = None) -> Mapping[str, int]:
        return await self._outbox.sizes(queues)

    async def health(self) -> Health:
        from jobcore_temporal.connection import Connection

        try:
            sizes = await limited(self.queue_sizes(), HEALTH_PATIENCE)
            await Connection(self._settings).check()
        except TimeoutError:
            return _unwell(f"Nobody has answered within {HEALTH_PATIENCE:.0f} s.")
        except EngineUnavailableError as error:
            meanwhile = f"jobs run on {self.fallback}" if self.fallback else "jobs wait in the outbox"
            return _unwell(f"{error} Until it is back, {meanwhile}.")
        except (JobcoreError, psycopg.Error, OSError) as error:
            return _unwell(str(error))
        return Health(healthy=True, runner_type=RUNNER_TYPE, queue_size=sum(sizes.values()), facts={"queues": sizes})

    def worker(self, host: WorkerHost) -> Worker:
        from jobcore_temporal.worker import TemporalWorker

        worker = TemporalWorker(self._store, self._outbox, self._settings, host, self.fallback)
        self._workers.add(worker)
        return worker

    def _checked(self, job: NewJob) -> NewJob:
        """Return the job. Raises `InputError` if its handler tells Temporal what cannot be meant, or waits where nobody
        may."""
        check_task_queue(job.name, job.queue, self._settings)
        if job.engine_options:
            read_options(job.name, job.engine_options)
        return job


def _unwell(detail: str) -> Health:
    return Health(healthy=False, runner_type=RUNNER_TYPE, detail=detail)
