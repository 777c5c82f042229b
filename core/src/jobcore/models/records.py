"""What is read back of jobs: their rows, their details, counts of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from jobcore.models.jobs import TRIGGER_KEY, Trigger
from jobcore.states import JobState


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """A row of `jobs`."""

    tenant: UUID
    job_id: UUID
    type: str
    status: JobState
    metadata: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime | None
    user_id: UUID
    runner_type: str
    external_id: str | None
    external_run_id: str | None
    payload: Any
    result: Any
    run_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    attempt: int
    max_attempts: int
    rescues: int
    queue: str
    priority: int
    progress: float | None
    progress_message: str | None
    error: Mapping[str, Any] | None
    dedupe_key: str | None
    singleton_key: str | None
    cancel_requested: Mapping[str, Any] | None
    schedule_id: UUID | None
    fire_time: datetime | None
    parent_job_id: UUID | None
    epoch: int

    @property
    def trigger(self) -> Trigger:
        """What asked for this job."""
        if self.schedule_id is not None:
            return Trigger.CRON
        by_hand = self.metadata.get(TRIGGER_KEY) == Trigger.CRON_TRIGGER
        return Trigger.CRON_TRIGGER if by_hand else Trigger.ADHOC

    @property
    def as_status(self) -> JobStatus:
        return JobStatus(
            job_id=self.job_id,
            status=self.status,
            progress=self.progress,
            progress_message=self.progress_message,
            error=None if self.error is None else str(self.error.get("message") or self.error.get("reason") or ""),
            metadata=self.metadata,
            attempt=self.attempt,
            max_attempts=self.max_attempts,
            runner_type=self.runner_type,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStatus:
    """What `get_job_status` answers (R07)."""

    job_id: UUID
    status: JobState
    progress: float | None
    """Percent, 0 to 100."""
    progress_message: str | None
    error: str | None
    metadata: Mapping[str, Any]
    attempt: int
    max_attempts: int
    runner_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailRecord:
    """A row of `job_details`: a failed attempt, a durable step, or an item that a handler reported."""

    tenant: UUID
    detail_id: UUID
    job_id: UUID
    step_name: str
    status: str | None
    result: Any
    processed_at: datetime | None
    retry_count: int
    metadata: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which jobs a listing shows; every field narrows it. `limit` is at most 1,000."""

    ids: tuple[UUID, ...] = ()
    states: tuple[JobState, ...] = ()
    names: tuple[str, ...] = ()
    runner_types: tuple[str, ...] = ()
    external_id: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    parent_job_id: UUID | None = None
    before: UUID | None = None
    """Continue after this job of the page before (newest first)."""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class JobMetrics:
    """How many jobs stand in each state, in all and by runner (D02, D06)."""

    by_state: Mapping[JobState, int]
    by_runner: Mapping[str, Mapping[JobState, int]]
