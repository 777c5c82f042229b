"""`JobHandle` for code that blocks."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from datetime import timedelta
from typing import Generic, TypeVar
from uuid import UUID

from jobcore.app.handle import AppJobHandle
from jobcore.app.loop_thread import LoopThread
from jobcore.models import JobStatus

ResultT = TypeVar("ResultT")


class BlockingJobHandle(Generic[ResultT]):
    """The twin of a `JobHandle`; every call waits for its answer."""

    def __init__(self, loop: LoopThread, handle: AppJobHandle[ResultT]) -> None:
        self._loop = loop
        self._handle = handle

    def __eq__(self, other: object) -> bool:
        """Whether both lead to the same job."""
        return isinstance(other, BlockingJobHandle) and (self.tenant, self.job_id) == (other.tenant, other.job_id)

    def __hash__(self) -> int:
        return hash((self.tenant, self.job_id))

    @property
    def job_id(self) -> UUID:
        return self._handle.job_id

    @property
    def tenant(self) -> UUID:
        return self._handle.tenant

    @property
    def deduplicated(self) -> bool:
        return self._handle.deduplicated

    @property
    def external_id(self) -> str | None:
        return self._handle.external_id

    def status(self) -> JobStatus:
        return self._loop.run(self._handle.status())

    def watch(self) -> Generator[JobStatus]:
        changes = self._handle.watch()
        try:
            while (status := self._loop.run(_next_of(changes))) is not None:
                yield status
        finally:
            self._loop.run(changes.aclose())

    def cancel(self, reason: str | None = None) -> bool:
        return self._loop.run(self._handle.cancel(reason))

    def result(self, timeout: timedelta | float | None = None) -> ResultT:
        return self._loop.run(self._handle.result(timeout))

    def __repr__(self) -> str:
        return f"<Blocking {self._handle!r}>"


async def _next_of(changes: AsyncGenerator[JobStatus]) -> JobStatus | None:
    return await anext(changes, None)
