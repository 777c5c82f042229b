"""Runs one handler as a worker would: with a full context, its policies, and its record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from jobcore.errors import JobFailedError
from jobcore.handlers.definition import HandlerDefinition
from jobcore.handlers.payload import TENANT_FIELD, dump_payload
from jobcore.handlers.registry import AnyHandler
from jobcore.memory.runner import MemoryMode, MemoryRunner
from jobcore.memory.store import MemoryStore
from jobcore.models import DetailRecord, JobFilter, JobRecord
from jobcore.ports.context import JobContext
from jobcore.ports.middleware import CallNext
from jobcore.testing.apps import memory_app

DataT = TypeVar("DataT")
ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class JobRun(Generic[ResultT]):
    """One attempt, as it ended."""

    result: ResultT
    """What the handler returned."""
    record: JobRecord
    """The job's row: state, progress, metadata."""
    details: Sequence[DetailRecord]
    """Its steps and items."""
    enqueued: Sequence[JobRecord]
    """The follow-up jobs that the handler enqueued, newest first."""


async def run_job(
    definition: HandlerDefinition[DataT, ResultT],
    data: DataT,
    *,
    tenant: UUID | str | None = None,
    attempt: int = 1,
    max_attempts: int | None = None,
    services: Iterable[Any] | Mapping[type, Any] = (),
    handlers: Iterable[AnyHandler] = (),
    cancelled: str | None = None,
) -> JobRun[ResultT]:
    """Run one attempt of a handler on a memory application of its own.

    Args:
        data: the payload; without a tenant in it or in `tenant`, the system tenant's.
        attempt: which attempt the handler sees.
        max_attempts: instead of the handler's own.
        services: what it finds under `ctx.services`.
        handlers: the handlers of the jobs that it enqueues.
        cancelled: a reason: the job is cancelled just before the handler runs, so that it finds `ctx.signal` aborted.

    Raises:
        PayloadInvalidError: if the payload does not fit.
        JobFailedError: if the attempt failed outside the handler, for instance by its time-out.
        Exception: whatever the handler raises, `Retry`, `Snooze` and `Cancel` included.
    """
    runner = MemoryRunner(mode=MemoryMode.MANUAL)
    witness = _Witness(runner, cancelled)
    app = memory_app(runner=runner, handlers=[definition, *handlers], services=services, middleware=[witness])
    async with app:
        owner = tenant or (None if dump_payload(data).get(TENANT_FIELD) else "system")
        handle = await app.enqueue(definition, data, tenant=owner, max_attempts=max_attempts)
        _pretend_attempts(runner.store, handle.tenant, handle.job_id, attempt - 1)
        record = await runner.run_one()
        if witness.error is not None:
            raise witness.error
        if record is None or not witness.returned:
            raise JobFailedError(f"Job {definition.name!r} did not return: {record and record.as_status.error}")
        return JobRun(
            result=witness.result,
            record=record,
            details=await app.details(handle.tenant, handle.job_id),
            enqueued=await app.find_jobs(handle.tenant, JobFilter(parent_job_id=handle.job_id)),
        )


class _Witness:
    """A middleware that remembers how the handler ended."""

    def __init__(self, runner: MemoryRunner, cancelled: str | None) -> None:
        self._runner = runner
        self._cancelled = cancelled
        self.returned = False
        self.result: Any = None
        self.error: Exception | None = None

    async def __call__(self, ctx: JobContext, call_next: CallNext) -> Any:
        if self._cancelled is not None:
            await self._runner.cancel(ctx.tenant_id, ctx.job_id, reason=self._cancelled)
        try:
            self.result = await call_next()
        except Exception as error:
            self.error = error
            raise
        self.returned = True
        return self.result


def _pretend_attempts(store: MemoryStore, tenant: UUID, job_id: UUID, attempts: int) -> None:
    row = store.tables.row(tenant, job_id)
    row.attempt = attempts
    row.max_attempts = max(row.max_attempts, attempts + 1)
