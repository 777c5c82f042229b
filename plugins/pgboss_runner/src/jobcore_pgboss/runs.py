"""The claims in this worker's hands, from the fetch until their ends are written."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from jobcore_postgres.background.held import HeldClaim


class Receipt(NamedTuple):
    """The fence of a claim: the queue row, still active since `started_us` (microseconds since 1970)."""

    queue: str
    retry_count: int
    started_us: int


@dataclass(slots=True, eq=False, kw_only=True)
class Run(HeldClaim):
    """One claim, and how far it is. Times are of the monotonic clock, which event loops go by, in seconds."""

    receipt: Receipt
    fetched_at: float
    extended_at: float
    stop: Mapping[str, Any] | None = None
    """Why it must not begin, if it was cancelled before it was claimed."""
    started_at: float | None = None
    recorded: bool = False
    """Whether its row in `jobs` says that it runs."""
    recording: asyncio.Future[None] | None = None
    """Somebody waits for that."""

    @property
    def reference(self) -> dict[str, Any]:
        """The claim as the SQL functions take it."""
        return {
            "tenant": self.claim.tenant,
            "job_id": self.claim.job_id,
            "queue": self.receipt.queue,
            "retry_count": self.receipt.retry_count,
            "started_us": self.receipt.started_us,
            "attempt": self.claim.attempt,
        }


@dataclass(slots=True)
class Runs:
    """All of them."""

    _runs: dict[Run, None] = field(default_factory=dict[Run, None])

    def add(self, run: Run) -> None:
        self._runs[run] = None

    def remove(self, run: Run) -> None:
        self._runs.pop(run, None)

    def has_job(self, job_id: UUID) -> bool:
        return any(run.claim.job_id == job_id for run in self._runs)

    def running(self) -> list[Run]:
        """Those whose handlers run now."""
        return [run for run in self._runs if run.started_at is not None and not run.ended]

    def __iter__(self) -> Iterator[Run]:
        return iter(tuple(self._runs))

    def __len__(self) -> int:
        return len(self._runs)
