"""What the outbox is asked and answers: jobs on their way to an engine, and what became of their runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from jobcore.models import Claim, JobRecord


@dataclass(frozen=True, slots=True)
class Entry:
    """A job of one epoch in the outbox."""

    tenant: UUID
    job_id: UUID
    epoch: int
    tries: int = 0
    options: Mapping[str, Any] | None = None
    stop: Mapping[str, Any] | None = None
    """Why the job is to be cancelled, if that was asked for."""

    @property
    def reference(self) -> dict[str, Any]:
        """As the SQL functions take it."""
        return {"tenant": self.tenant, "job_id": self.job_id, "epoch": self.epoch}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a job stands in the outbox."""

    epoch: int
    state: str
    """`due`, `handed` or `ending`."""
    try_at: datetime
    tries: int
    options: Mapping[str, Any] | None
    error: str | None
    """Of the last try."""

    def entry(self, job: JobRecord) -> Entry:
        return Entry(job.tenant, job.job_id, self.epoch, self.tries, self.options)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """A job that is to be handed to its engine."""

    entry: Entry
    name: str
    queue: str
    priority: int
    payload: bytes


class Verdict(StrEnum):
    """What became of a claim."""

    CLAIMED = "claimed"
    MOVED = "moved"
    """The job is another engine's or of another epoch now, or waits to be admitted again: this run is over."""
    ENDED = "ended"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to a claim."""

    verdict: Verdict
    claim: Claim | None = None
    """If claimed."""
    took_over: bool = False
    """Whether another run had it, whose worker is gone."""
    stop: Mapping[str, Any] | None = None
    """Why the job is to be cancelled, if it is."""
    status: str | None = None
    result: bytes | None = None
    error: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a settlement."""

    applied: bool
    follow: str | None
    """The job's state now, if it was applied."""
    wait: timedelta = timedelta()
    """How long until the next run, if there is one."""
