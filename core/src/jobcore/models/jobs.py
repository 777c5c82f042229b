"""Jobs on their way: enqueued, claimed and settled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from jobcore.ids import NO_USER
from jobcore.models.flow import Admission, OnConflict


class Execution(StrEnum):
    """Where a handler runs."""

    ASYNC = "async"
    THREAD = "thread"
    PROCESS = "process"


TRIGGER_KEY = "trigger"
"""Where the metadata of a schedule's job says what asked for it; a job that says nothing is ad hoc."""


class Trigger(StrEnum):
    """What asked for a job (B21): whoever is no schedule, a schedule's fire, or somebody who triggered one by hand."""

    ADHOC = "adhoc"
    CRON = "cron"
    CRON_TRIGGER = "cronTrigger"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """A job about to be enqueued, with every decision made: nothing downstream looks at the handler again."""

    job_id: UUID
    tenant: UUID
    name: str
    payload: bytes
    """A JSON object; its `tenantId` names the tenant."""
    runner_type: str
    queue: str
    priority: int = 0
    """Higher is more important."""
    run_at: datetime | None = None
    """Not before this instant; `None` is now, by the database's clock."""
    delay: timedelta | None = None
    """Not before now plus this, by the database's clock; excludes `run_at`."""
    max_attempts: int = 3
    retry_delay: timedelta = timedelta(seconds=1)
    retry_backoff: float = 2.0
    retry_delay_max: timedelta = timedelta(seconds=30)
    timeout: timedelta = timedelta(minutes=10)
    user_id: UUID = NO_USER
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])
    dedupe_key: str | None = None
    """While a job of this tenant and name holds this key and has not ended, another is not made."""
    on_conflict: OnConflict = OnConflict.SKIP
    """What it does where its key is held. A plan says `debounce` by a delay, and `queue` by a gate."""
    window: timedelta | None = None
    """Of a throttle: within which time one job is made."""
    singleton_key: str | None = None
    schedule_id: UUID | None = None
    fire_time: datetime | None = None
    parent_job_id: UUID | None = None
    trace_context: Mapping[str, str] | None = None
    engine_options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What its handler tells the chosen engine beside; JSON, and opaque to everybody else."""
    admission: Admission | None = None
    """What it has to pass first; `None`, as most: its engine gets it at once."""


@dataclass(frozen=True, slots=True)
class Enqueued:
    """What became of an enqueue.

    `job_id` is always that of a job that exists: on a conflict it is the existing job's, and `deduplicated` is true.
    """

    job_id: UUID
    deduplicated: bool = False
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of one worker to write for one attempt of one job.

    `token` is unique to the claim; the store refuses a write whose token is no longer the job's.
    """

    job_id: UUID
    tenant: UUID
    attempt: int
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A job in a worker's hands."""

    lease: Lease
    name: str
    queue: str
    payload: bytes
    max_attempts: int
    created_at: datetime
    priority: int = 0
    runner_type: str
    retry_delay: timedelta | None = None
    """The first delay between attempts where the job's schedule names one; `None` leaves it to the handler's policy."""
    next_delay: timedelta | None = None
    """The delay before the next attempt where the job's sender says it; `None` leaves it to the handler's policy."""
    receipt: object = None
    """What the engine needs to settle this claim; opaque to everybody else."""

    @property
    def job_id(self) -> UUID:
        return self.lease.job_id

    @property
    def tenant(self) -> UUID:
        return self.lease.tenant

    @property
    def attempt(self) -> int:
        return self.lease.attempt

    @property
    def is_last_attempt(self) -> bool:
        return self.lease.attempt >= self.max_attempts


class Outcome(StrEnum):
    """How one attempt ended."""

    COMPLETED = "completed"
    FAILED = "failed"
    """For good: no attempt is left, or the error cannot be retried."""
    RETRY = "retry"
    """Failed, and to be tried again after `Settlement.retry_in`."""
    SNOOZED = "snoozed"
    """To be run again after `Settlement.retry_in`; costs no attempt."""
    CANCELLED = "cancelled"
    RELEASED = "released"
    """Handed back by a worker that shuts down; costs no attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """The end of one attempt, ready to be written."""

    claim: Claim
    outcome: Outcome
    result: bytes | None = None
    """The handler's return value as JSON."""
    error: Mapping[str, Any] | None = None
    """`type`, `message` and `traceback`, redacted and bounded; for a cancelled job `reason`, `cancelled_by`
    and, if it did not heed its signal, what became of the `handler`."""
    retry_in: timedelta | None = None
    started_at: datetime | None = None
    duration: timedelta = timedelta()
    settled: bool = False
    """True when the handler committed the settlement itself, through `complete_in`: there is nothing left to write."""
