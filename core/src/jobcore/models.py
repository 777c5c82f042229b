"""The values that cross jobcore's borders: what is enqueued, claimed, settled and read back.

They are plain frozen dataclasses. Times are aware datetimes; durations are `timedelta`s; payloads and results are JSON
text as `bytes`, encoded once where they enter and decoded once where they are used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from jobcore.ids import NO_USER
from jobcore.states import JobState

NO_METADATA: Mapping[str, Any] = {}


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
class Gate:
    """One thing that a job has to pass before its engine gets it; gates of one name are one gate."""

    name: str
    limit: int | None = None
    """Jobs that may be in the engine at once, from their admission until they end or are put off."""
    rate: float | None = None
    """Jobs a second that may pass, on average."""
    burst: float | None = None
    """Jobs that may pass at once, where none has passed for a while."""
    weight: float | None = None
    """The tenant's share of the workers, among the tenants whose jobs wait here."""


class OnFailure(StrEnum):
    """What becomes of a job if one after which it was to run failed or was cancelled."""

    CANCEL = "cancel"
    RUN = "run"
    """It runs all the same."""
    WAIT = "wait"
    """It waits until an operator's retry lets that one complete."""


@dataclass(frozen=True, slots=True)
class Parent:
    """A job of the same tenant that has to end first."""

    job_id: UUID
    on_failure: OnFailure = OnFailure.CANCEL


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What holds a job up before its engine gets it."""

    gates: tuple[Gate, ...] = ()
    after: tuple[Parent, ...] = ()


class OnConflict(StrEnum):
    """What a new job does where another one of its tenant and name holds its dedupe key."""

    SKIP = "skip"
    """It is not made: that one stands for it."""
    REPLACE = "replace"
    """It takes the place of one that waits; one that runs goes on."""
    SUPERSEDE = "supersede"
    """It takes the place of one that waits, and one that runs is told to stop."""
    DEBOUNCE = "debounce"
    """As `replace`, and it waits for the window: each call puts it off."""
    THROTTLE = "throttle"
    """It is not made within the window since the last one was, ended or not."""
    QUEUE = "queue"
    """It waits for the end of those that came before."""


class PauseKind(StrEnum):
    """What can be paused."""

    QUEUE = "queue"
    HANDLER = "handler"
    TENANT = "tenant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """What an operator has paused: its jobs are accepted and wait."""

    kind: PauseKind
    name: str
    """The queue's or the handler's name, or the tenant's id."""
    reason: str | None
    paused_by: str | None
    paused_at: datetime


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


class MissedFires(StrEnum):
    """What to do with fires that were missed while no worker ran."""

    SKIP = "skip"
    LATEST = "latest"
    ALL = "all"


class Overlap(StrEnum):
    """What a fire does while the schedule's previous job still runs."""

    ALLOW = "allow"
    SKIP = "skip"
    CANCEL_RUNNING = "cancel_running"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A row of `cron_jobs`. Either `pattern` (5 or 6 fields) or `interval` is set."""

    tenant: UUID
    schedule_id: UUID
    key: str
    """The caller's idempotency key (B05, B18): one schedule a tenant and key."""
    name: str
    handler: str
    pattern: str | None = None
    interval: timedelta | None = None
    timezone: str = "UTC"
    payload: bytes = b"{}"
    enabled: bool = True
    max_attempts: int | None = None
    backoff: timedelta | None = None
    missed: MissedFires = MissedFires.LATEST
    missed_limit: int = 100
    overlap: Overlap = Overlap.ALLOW
    jitter: timedelta = timedelta()
    runner_type: str | None = None
    anchor: datetime | None = None
    """Where the grid of an interval begins; set by the store when the schedule is made."""
    next_fire: datetime | None = None
    last_fire: datetime | None = None
    last_job_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRecord:
    """A worker that announced itself: which handlers it has and which queues it serves."""

    worker_id: UUID
    runner_type: str
    host: str
    pid: int
    handlers: tuple[str, ...]
    queues: tuple[str, ...]
    concurrency: int
    started_at: datetime | None = None
    seen_at: datetime | None = None
    stopping: bool = False
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class PayloadSchema:
    """What the payload of a handler looked like in one version."""

    handler: str
    version: int
    schema: Mapping[str, Any]
    """A JSON schema."""


@dataclass(frozen=True, slots=True)
class WaitingPayload:
    """A job that has not begun, with what it waits to run with."""

    tenant: UUID
    job_id: UUID
    handler: str
    payload: bytes
    """JSON, as it is stored."""
