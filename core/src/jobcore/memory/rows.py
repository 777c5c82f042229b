"""The rows of the memory storage: what `jobs` and `job_details` are in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from jobcore.handlers.payload import decode_json
from jobcore.models import DetailRecord, JobRecord, NewJob, OnFailure
from jobcore.states import JobState

if TYPE_CHECKING:
    from jobcore.memory.connection import MemoryConnection

JobKey = tuple[UUID, UUID]
"""Tenant, then job id: the tenant leads every key."""


@dataclass(slots=True, eq=False)
class JobRow:
    """One job. The plan never changes; the fields below it are its life."""

    plan: NewJob
    status: JobState
    created_at: datetime
    run_at: datetime
    max_attempts: int
    metadata: dict[str, Any]
    number: int = 0
    """The order of insertion."""
    written_by: MemoryConnection | None = None
    """The unit of work that has not committed this row yet; nobody else sees it."""
    ticket: int = 0
    """Which entry of the waiting line is this row's; older entries are void."""
    updated_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    attempt: int = 0
    rescues: int = 0
    epoch: int = 0
    lease_token: str | None = None
    result: bytes | None = None
    error: Mapping[str, Any] | None = None
    progress: float | None = None
    progress_message: str | None = None
    cancel_requested: Mapping[str, Any] | None = None
    external_id: str | None = None
    external_run_id: str | None = None
    parents: dict[UUID, OnFailure] = field(default_factory=dict[UUID, OnFailure])
    """The jobs that have to end first."""
    lane: str | None = None
    """Where it waits for its admission; `None` if it does not."""
    seats: list[str] = field(default_factory=list[str])
    """The gates that it holds, from its admission on."""

    @property
    def key(self) -> JobKey:
        return (self.plan.tenant, self.plan.job_id)

    def as_record(self) -> JobRecord:
        plan = self.plan
        return JobRecord(
            tenant=plan.tenant,
            job_id=plan.job_id,
            type=plan.name,
            status=self.status,
            metadata=dict(self.metadata),
            created_at=self.created_at,
            updated_at=self.updated_at,
            user_id=plan.user_id,
            runner_type=plan.runner_type,
            external_id=self.external_id,
            external_run_id=self.external_run_id,
            payload=decode_json(plan.payload),
            result=None if self.result is None else decode_json(self.result),
            run_at=self.run_at,
            started_at=self.started_at,
            completed_at=self.completed_at,
            attempt=self.attempt,
            max_attempts=self.max_attempts,
            rescues=self.rescues,
            queue=plan.queue,
            priority=plan.priority,
            progress=self.progress,
            progress_message=self.progress_message,
            error=self.error,
            dedupe_key=plan.dedupe_key,
            singleton_key=plan.singleton_key,
            cancel_requested=self.cancel_requested,
            schedule_id=plan.schedule_id,
            fire_time=plan.fire_time,
            parent_job_id=plan.parent_job_id,
            epoch=self.epoch,
        )


@dataclass(slots=True, kw_only=True)
class DetailRow:
    """One detail of a job; unique by its step name."""

    detail_id: UUID
    step_name: str
    status: str | None
    result: bytes | None
    processed_at: datetime
    retry_count: int = 0
    metadata: Mapping[str, Any] | None = field(default=None)

    def as_record(self, key: JobKey) -> DetailRecord:
        return DetailRecord(
            tenant=key[0],
            detail_id=self.detail_id,
            job_id=key[1],
            step_name=self.step_name,
            status=self.status,
            result=None if self.result is None else decode_json(self.result),
            processed_at=self.processed_at,
            retry_count=self.retry_count,
            metadata=self.metadata,
        )
