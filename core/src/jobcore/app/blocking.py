"""`JobApp` for code that blocks: Django, Flask, scripts. Every call waits for its answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, Unpack, overload
from uuid import UUID

from jobcore.app.facade import JobApp
from jobcore.app.flows import Flow
from jobcore.app.handle import AppJobHandle
from jobcore.app.health import AppHealth
from jobcore.app.loop_thread import LoopThread
from jobcore.app.queries import JobId, Relative, TenantId
from jobcore.handlers.definition import HandlerDefinition
from jobcore.handlers.registry import AnyHandler, JobHandlerRegistry
from jobcore.models import DetailRecord, JobFilter, JobMetrics, JobRecord, JobStatus, Schedule
from jobcore.ports.handle import EnqueueOptions
from jobcore.ports.reasons import Explanation

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

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._loop = LoopThread("jobcore-blocking-app")
        self.app = JobApp(*arguments, **options)

    @property
    def registry(self) -> JobHandlerRegistry:
        return self.app.registry

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

    def enqueue_many(
        self, job: HandlerDefinition[DataT, ResultT] | str, data: Iterable[DataT], **options: Unpack[EnqueueOptions]
    ) -> list[BlockingJobHandle[ResultT]]:
        handles = self._loop.run(self._opened().enqueue_many(job, data, **options))
        return [BlockingJobHandle(self._loop, handle) for handle in handles]

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

    def schedule(self, key: str, job: AnyHandler | str, when: Any, data: Any = None, **options: Any) -> Schedule:
        return self._loop.run(self._opened().schedule(key, job, when, data, **options))

    def trigger_schedule(self, tenant: TenantId, key: str) -> BlockingJobHandle[Any]:
        return BlockingJobHandle(self._loop, self._loop.run(self._opened().trigger_schedule(tenant, key)))

    def list_schedules(self, tenant: TenantId | None = None) -> Sequence[Schedule]:
        return self._loop.run(self._opened().schedules.list(tenant))

    def remove_schedule(self, tenant: TenantId, key: str) -> bool:
        return self._loop.run(self._opened().schedules.remove(tenant, key))

    def health(self) -> AppHealth:
        return self._loop.run(self._opened().health())

    def queue_sizes(self, queues: Sequence[str] | None = None) -> dict[str, int]:
        return self._loop.run(self._opened().queue_sizes(queues))

    def _opened(self) -> JobApp:
        if not self.app.is_open:
            self.open()
        return self.app


class BlockingJobHandle(Generic[ResultT]):
    """The twin of a `JobHandle`; every call waits for its answer."""

    def __init__(self, loop: LoopThread, handle: AppJobHandle[ResultT]) -> None:
        self._loop = loop
        self._handle = handle

    @property
    def job_id(self) -> UUID:
        return self._handle.job_id

    @property
    def tenant(self) -> UUID:
        return self._handle.tenant

    @property
    def deduplicated(self) -> bool:
        return self._handle.deduplicated

    def status(self) -> JobStatus:
        return self._loop.run(self._handle.status())

    def cancel(self, reason: str | None = None) -> bool:
        return self._loop.run(self._handle.cancel(reason))

    def result(self, timeout: timedelta | float | None = None) -> ResultT:
        return self._loop.run(self._handle.result(timeout))

    def __repr__(self) -> str:
        return f"<Blocking {self._handle!r}>"
