"""The handle of an accepted job: where it stands, how to cancel it, and its result."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import timedelta
from types import NoneType
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, get_type_hints
from uuid import UUID

from pydantic import PydanticSchemaGenerationError, ValidationError

from jobcore.app.options import as_timeout
from jobcore.errors import JobCancelledError, JobcoreError, JobFailedError, ResultTimeoutError
from jobcore.handlers.definition import HandlerDefinition
from jobcore.handlers.payload import adapter_of, problems_of
from jobcore.models import JobRecord, JobStatus
from jobcore.states import JobState

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp

ResultT = TypeVar("ResultT")

FIRST_LOOK = 0.01
WATCH_POLL = 0.5
"""Seconds between two looks at a job that is watched, where nothing is told of it."""
LONGEST_PAUSE = 1.0
"""Seconds between two looks at a job that somebody waits for: each pause is half as long again as the one before."""
LAST_READ = 5.0
"""Seconds that a look which is under way at the deadline may take."""


class ResultInvalidError(JobcoreError):
    """A job's stored result is not what its handler's return type says."""


class AppJobHandle(Generic[ResultT]):
    """A job of one `JobApp` (the `JobHandle` protocol)."""

    def __init__(
        self,
        app: JobApp,
        tenant: UUID,
        job_id: UUID,
        *,
        deduplicated: bool = False,
        external_id: str | None = None,
        definition: HandlerDefinition[Any, ResultT] | None = None,
    ) -> None:
        self._app = app
        self._tenant = tenant
        self._job_id = job_id
        self._deduplicated = deduplicated
        self._external_id = external_id
        self._definition = definition

    def __eq__(self, other: object) -> bool:
        """Whether both lead to the same job."""
        return isinstance(other, AppJobHandle) and (self._tenant, self._job_id) == (other.tenant, other.job_id)

    def __hash__(self) -> int:
        return hash((self._tenant, self._job_id))

    @property
    def job_id(self) -> UUID:
        return self._job_id

    @property
    def tenant(self) -> UUID:
        return self._tenant

    @property
    def deduplicated(self) -> bool:
        """Whether the call found a job that already stood for it; `job_id` is that job's."""
        return self._deduplicated

    @property
    def external_id(self) -> str | None:
        """The engine's own name for the job, if it has one by now."""
        return self._external_id

    async def status(self) -> JobStatus:
        """Read where the job stands. Raises `JobNotFoundError` before the caller's own transaction commits."""
        return (await self._app.get_job(self._tenant, self._job_id)).as_status

    async def watch(self) -> AsyncGenerator[JobStatus]:
        """Yield where the job stands, at once and whenever that changes, until it has ended.

        Progress is pushed as it is written, at most once a second; what changes otherwise is seen within half a second.

        Raises:
            JobNotFoundError: if there is no such job, or the caller's own transaction has not committed it.
            StorageUnavailableError: if the database cannot be reached.
        """
        seen: JobStatus | None = None
        async with self._app.store.watch(self._tenant, self._job_id) as watch:
            while seen is None or not seen.status.is_terminal:
                status = await self.status()
                if status != seen:
                    seen = status
                    yield status
                else:
                    await (asyncio.sleep(WATCH_POLL) if watch is None else watch.changed(WATCH_POLL))

    async def cancel(self, reason: str | None = None) -> bool:
        """Cancel the job; false if it had ended."""
        return await self._app.cancel(self._tenant, self._job_id, reason=reason)

    async def result(self, timeout: timedelta | float | None = None) -> ResultT:
        """Wait for the job to end and return what its handler returned, as the type that the handler names.

        Args:
            timeout: how long to wait, in seconds if a number; without it, for ever.

        Raises:
            JobFailedError, JobCancelledError: if it ended so.
            ResultTimeoutError: if it did not end in time; the job itself goes on.
            ResultInvalidError: if what is stored does not fit the handler's return type.
        """
        record = await wait_for_end(
            lambda: self._app.get_job(self._tenant, self._job_id), as_timeout(timeout), self._job_id
        )
        if record.status is JobState.FAILED:
            raise JobFailedError(f"Job {record.type} {record.job_id} failed: {record.as_status.error or 'no reason'}")
        if record.status is JobState.CANCELLED:
            reason = record.as_status.error or "no reason given"
            raise JobCancelledError(f"Job {record.type} {record.job_id} was cancelled: {reason}")
        return cast("ResultT", decode_result(self._definition or self._app.registry.find(record.type), record))

    def __repr__(self) -> str:
        return f"<JobHandle {self._job_id} of tenant {self._tenant}>"


async def wait_for_end(read: Callable[[], Awaitable[JobRecord]], seconds: float | None, job_id: UUID) -> JobRecord:
    """Read the job, at growing intervals and at least once, until it has ended. Raises `ResultTimeoutError`.

    A read that is under way at the deadline may take `LAST_READ` seconds more.
    """
    deadline = math.inf if seconds is None else asyncio.get_running_loop().time() + seconds
    too_late = ResultTimeoutError(f"Job {job_id} did not end within {seconds or 0:g} seconds; it goes on.")
    pause = FIRST_LOOK
    while True:
        record = await _read_by(read, deadline + LAST_READ, too_late)
        if record.status.is_terminal:
            return record
        left = deadline - asyncio.get_running_loop().time()
        if left <= 0:
            raise too_late
        await asyncio.sleep(min(pause, left))
        pause = min(pause * 1.5, LONGEST_PAUSE)


async def _read_by(read: Callable[[], Awaitable[JobRecord]], instant: float, too_late: Exception) -> JobRecord:
    limit = asyncio.timeout_at(None if instant == math.inf else instant)
    try:
        async with limit:
            return await read()
    except TimeoutError:
        if not limit.expired():
            raise
        raise too_late from None


def decode_result(definition: HandlerDefinition[Any, Any] | None, record: JobRecord) -> Any:
    """Return a job's stored result as the type that its handler returns; as JSON values where that says nothing."""
    annotation = None if definition is None else get_type_hints(definition.function).get("return")
    if annotation is None or annotation is NoneType:
        return record.result
    try:
        return adapter_of(annotation).validate_python(record.result)
    except PydanticSchemaGenerationError:
        return record.result
    except ValidationError as error:
        lines = "; ".join(f"{problem.path or '(result)'}: {problem.message}" for problem in problems_of(error))
        raise ResultInvalidError(
            f"The result of job {record.type} {record.job_id} does not fit its handler's return type: {lines}. "
            "Read it as it is stored with app.get_job(...).result."
        ) from None
