"""`JobApp` for code that blocks: Django, Flask, scripts. Every call waits for its answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack, overload

from jobcore.app import assembly
from jobcore.app.blocking_handle import BlockingJobHandle
from jobcore.app.blocking_schedules import BlockingSchedules
from jobcore.app.blocking_worker import BlockingWorker
from jobcore.app.facade import JobApp
from jobcore.app.flows import Flow
from jobcore.app.health import AppHealth
from jobcore.app.loop_thread import LoopThread
from jobcore.app.move_counts import CutoverProgress
from jobcore.app.queries import JobId, Relative, TenantId
from jobcore.app.reload import Reload
from jobcore.app.services import ServiceContainer
from jobcore.handlers.definition import HandlerDefinition
from jobcore.handlers.registry import AnyHandler, JobHandlerRegistry
from jobcore.models import (
    Cutover,
    DetailRecord,
    JobFilter,
    JobMetrics,
    JobRecord,
    OnDemand,
    Pause,
    Quota,
    Schedule,
    TenantQuota,
)
from jobcore.ports.handle import EnqueueOptions
from jobcore.ports.middleware import Middleware
from jobcore.ports.observer import Observer
from jobcore.ports.reasons import Explanation
from jobcore.ports.reload import Reloadable
from jobcore.ports.runner import JobRunner
from jobcore.ports.store import JobStore
from jobcore.settings import Settings

if TYPE_CHECKING:
    from types import TracebackType

DataT = TypeVar("DataT")
ResultT = TypeVar("ResultT")


class BlockingJobApp:
    """The twin of `JobApp`, with the same arguments; opened by the first call, or by `open` or `with`.

    It runs a `JobApp` on an event loop in a thread of its own. Any thread may call it, also a thread pool's within an
    asynchronous program; a call from an event loop's own thread is refused with `ConfigurationError`. Calls raise what
    their twins raise.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        handlers: Iterable[assembly.HandlerSource] = (),
        plugins: Iterable[Any] = (),
        services: Iterable[Any] | Mapping[type, Any] = (),
        runner: str | JobRunner | None = None,
        store: str | JobStore | None = None,
        middleware: Iterable[Middleware] = (),
        observers: Iterable[Observer] = (),
    ) -> None:
        self._loop = LoopThread("jobcore-blocking-app")
        self.app = JobApp(
            settings,
            handlers=handlers,
            plugins=plugins,
            services=services,
            runner=runner,
            store=store,
            middleware=middleware,
            observers=observers,
        )
        self.schedules = BlockingSchedules(self._loop, lambda: self._opened().schedules)

    @property
    def settings(self) -> Settings:
        return self.app.settings

    @property
    def registry(self) -> JobHandlerRegistry:
        return self.app.registry

    @property
    def services(self) -> ServiceContainer:
        return self.app.services

    @property
    def is_open(self) -> bool:
        return self.app.is_open

    @property
    def default_runner(self) -> str:
        return self.app.default_runner

    def open(self) -> Self:
        """Connect; harmless if connected."""
        self._loop.run(self.app.open())
        return self

    def close(self) -> None:
        """Disconnect and end the thread."""
        if self.app.is_open:
            self._loop.run(self.app.close())
        self._loop.stop()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @overload
    def enqueue(
        self, job: HandlerDefinition[DataT, ResultT], data: DataT, **options: Unpack[EnqueueOptions]
    ) -> BlockingJobHandle[ResultT]: ...

    @overload
    def enqueue(self, job: str, data: Any = None, **options: Unpack[EnqueueOptions]) -> BlockingJobHandle[Any]: ...

    def enqueue(self, job: Any, data: Any = None, **options: Unpack[EnqueueOptions]) -> BlockingJobHandle[Any]:
        return BlockingJobHandle(self._loop, self._loop.run(self._opened().enqueue(job, data, **options)))

    @overload
    def enqueue_many(
        self, job: HandlerDefinition[DataT, ResultT], data: Iterable[DataT], **options: Unpack[EnqueueOptions]
    ) -> Sequence[BlockingJobHandle[ResultT]]: ...

    @overload
    def enqueue_many(
        self, job: str, data: Iterable[Any], **options: Unpack[EnqueueOptions]
    ) -> Sequence[BlockingJobHandle[Any]]: ...

    def enqueue_many(
        self, job: Any, data: Iterable[Any], **options: Unpack[EnqueueOptions]
    ) -> Sequence[BlockingJobHandle[Any]]:
        handles = self._loop.run(self._opened().enqueue_many(job, data, **options))
        return OnDemand(len(handles), lambda at: BlockingJobHandle(self._loop, handles[at]))

    def enqueue_flow(
        self, flow: Flow, *, tenant: TenantId | None = None, connection: Any = None
    ) -> list[BlockingJobHandle[Any]]:
        handles = self._loop.run(self._opened().enqueue_flow(flow, tenant=tenant, connection=connection))
        return [BlockingJobHandle(self._loop, handle) for handle in handles]

    def handle(self, tenant: TenantId, job_id: JobId) -> BlockingJobHandle[Any]:
        return BlockingJobHandle(self._loop, self._opened().handle(tenant, job_id))

    def get_job(self, tenant: TenantId, job_id: JobId) -> JobRecord:
        return self._loop.run(self._opened().get_job(tenant, job_id))

    def find_jobs(self, tenant: TenantId | None = None, where: JobFilter | None = None) -> Sequence[JobRecord]:
        return self._loop.run(self._opened().find_jobs(tenant, where))

    def details(self, tenant: TenantId, job_id: JobId) -> Sequence[DetailRecord]:
        return self._loop.run(self._opened().details(tenant, job_id))

    def relatives(self, tenant: TenantId, job_id: JobId) -> Sequence[Relative]:
        return self._loop.run(self._opened().relatives(tenant, job_id))

    def metrics(self, tenant: TenantId | None = None) -> JobMetrics:
        return self._loop.run(self._opened().metrics(tenant))

    def cancel(
        self, tenant: TenantId, job_id: JobId, *, reason: str | None = None, cancelled_by: str | None = None
    ) -> bool:
        return self._loop.run(self._opened().cancel(tenant, job_id, reason=reason, cancelled_by=cancelled_by))

    def retry(self, tenant: TenantId, job_id: JobId) -> bool:
        return self._loop.run(self._opened().retry(tenant, job_id))

    def why(self, job_id: JobId, *, tenant: TenantId, for_operator: bool = False) -> Explanation:
        return self._loop.run(self._opened().why(job_id, tenant=tenant, for_operator=for_operator))

    def pause(
        self,
        *,
        queue: str | None = None,
        handler: AnyHandler | str | None = None,
        tenant: TenantId | None = None,
        reason: str | None = None,
        paused_by: str | None = None,
    ) -> bool:
        return self._loop.run(
            self._opened().pause(queue=queue, handler=handler, tenant=tenant, reason=reason, paused_by=paused_by)
        )

    def resume(
        self, *, queue: str | None = None, handler: AnyHandler | str | None = None, tenant: TenantId | None = None
    ) -> bool:
        return self._loop.run(self._opened().resume(queue=queue, handler=handler, tenant=tenant))

    def pauses(self) -> Sequence[Pause]:
        return self._loop.run(self._opened().pauses())

    def set_quota(self, tenant: TenantId | None, quota: Quota) -> None:
        self._loop.run(self._opened().set_quota(tenant, quota))

    def clear_quota(self, tenant: TenantId | None) -> bool:
        return self._loop.run(self._opened().clear_quota(tenant))

    def get_quota(self, tenant: TenantId | None) -> Quota | None:
        return self._loop.run(self._opened().get_quota(tenant))

    def quotas(self) -> Sequence[TenantQuota]:
        return self._loop.run(self._opened().quotas())

    def schedule(self, key: str, job: AnyHandler | str, when: Any, data: Any = None, **options: Any) -> Schedule:
        return self._loop.run(self._opened().schedule(key, job, when, data, **options))

    def trigger_schedule(self, tenant: TenantId, key: str) -> BlockingJobHandle[Any]:
        return BlockingJobHandle(self._loop, self._loop.run(self._opened().trigger_schedule(tenant, key)))

    def health(self) -> AppHealth:
        return self._loop.run(self._opened().health())

    def queue_sizes(self, queues: Sequence[str] | None = None) -> dict[str, int]:
        return self._loop.run(self._opened().queue_sizes(queues))

    def reload(self) -> Reload:
        return self._loop.run(self.app.reload())

    def takes_over(self, part: Reloadable) -> None:
        self.app.takes_over(part)

    def cutover(
        self,
        source: str,
        target: str,
        *,
        handler: str | None = None,
        tenant: TenantId | None = None,
        dry_run: bool = False,
        progress: CutoverProgress | None = None,
    ) -> Cutover:
        return self._loop.run(
            self._opened().cutover(source, target, handler=handler, tenant=tenant, dry_run=dry_run, progress=progress)
        )

    def worker(self, queues: Iterable[str] | None = None, concurrency: int | None = None) -> BlockingWorker:
        return BlockingWorker(self._loop, self._opened().worker(queues, concurrency))

    def run_worker(
        self, queues: Iterable[str] | None = None, concurrency: int | None = None, *, handle_signals: bool = True
    ) -> None:
        self.worker(queues, concurrency).work_until_stopped(handle_signals=handle_signals)

    def _opened(self) -> JobApp:
        if not self.app.is_open:
            self.open()
        return self.app
