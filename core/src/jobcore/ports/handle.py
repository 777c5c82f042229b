"""What an enqueue gives back, and what it may be told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol, TypedDict, TypeVar
from uuid import UUID

from jobcore.models import JobStatus, OnConflict, OnFailure

ResultT_co = TypeVar("ResultT_co", covariant=True)


class HasJobId(Protocol):
    """What stands for a job: its handle, or a job of a flow."""

    @property
    def job_id(self) -> UUID: ...


class EnqueueOptions(TypedDict, total=False):
    """The options of every call that enqueues."""

    tenant: UUID | str | None
    """Whose job it is; by default the payload's `tenantId` says."""
    delay: timedelta | float | None
    """Not before this has passed (seconds, if a number); excludes `run_at`."""
    run_at: datetime | None
    """Not before this instant; must have a time zone."""
    priority: int | None
    """Higher is more important."""
    runner: str | None
    """The engine, instead of what routes and settings would choose."""
    max_attempts: int | None
    dedupe_key: str | None
    """While a job of this tenant and name holds the key and has not ended, the call returns that job."""
    on_conflict: OnConflict | str | None
    """What to do instead where the key is held: `replace`, `supersede`, `debounce`, `throttle` or `queue`."""
    window: timedelta | float | None
    """Of a debounce or a throttle (seconds, if a number)."""
    user_id: UUID | None
    metadata: Mapping[str, Any] | None
    job_id: UUID | None
    """The caller's own id, to make the call safe to repeat."""
    parent_job_id: UUID | None
    after: Sequence[UUID | str | HasJobId] | None
    """Jobs of the same tenant that have to end first."""
    on_parent_failure: OnFailure | str | None
    """What becomes of this one if one of those fails or is cancelled: `cancel` (by default), `run` or `wait`."""
    tier: str | None
    """Which of the handler's tiers of concurrency the job belongs to."""
    remote: bool
    """The handler lives in another process: do not ask for it here."""
    connection: Any
    """Enqueue within this connection's transaction: committed with it, or not at all."""


class JobHandle(Protocol[ResultT_co]):
    """A job that was accepted."""

    @property
    def job_id(self) -> UUID: ...

    @property
    def tenant(self) -> UUID: ...

    @property
    def deduplicated(self) -> bool:
        """Whether the call found a job that already stood for it; `job_id` is that job's."""
        ...

    async def status(self) -> JobStatus:
        """Read where the job stands."""
        ...

    def watch(self) -> AsyncIterator[JobStatus]:
        """Yield where the job stands, at once and whenever that changes, until it has ended.

        Progress is pushed; what changes otherwise is seen within half a second.
        """
        ...

    async def cancel(self, reason: str | None = None) -> bool:
        """Cancel the job; false if it had ended."""
        ...

    async def result(self, timeout: timedelta | float | None = None) -> ResultT_co:
        """Wait for the job to end and return what its handler returned.

        Raises:
            JobFailedError, JobCancelledError: if it ended so.
            ResultTimeoutError: after `timeout` (seconds, if a number).
        """
        ...


class Enqueuer(Protocol):
    """Anything that accepts jobs: the facade."""

    async def enqueue(self, job: Any, data: Any = None, **options: Any) -> JobHandle[Any]: ...
