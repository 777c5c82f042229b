"""What goes between the application, workflows and activities, in the words of the founding documents (T02 to T06)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio.common import RetryPolicy

GENERIC_WORKFLOW = "genericJobWorkflow"
EXECUTE = "executeJobHandler"
UPDATE_STATUS = "updateJobStatus"
CREATE_DETAIL = "createJobDetail"
ASK_TO_STOP = "requestJobCancellation"
SHOW_PROGRESS = "showJobProgress"

BEGIN = "beginJob"
END = "endJob"

LARGEST_RESULT = 64 * 1024
"""Bytes of a result that a workflow carries; a larger one stands in the job's row only."""


@dataclass(frozen=True)
class JobInput:
    """What a workflow, and the activity that runs its handler, are started with."""

    jobId: str  # noqa: N815 - the founding documents' names, here and below
    jobName: str  # noqa: N815
    tenantId: str  # noqa: N815
    data: Any = None
    """The payload as it is stored; the handler gets it from the job's row."""
    epoch: int = 0
    queue: str | None = None
    """The job's queue with us; several share one in Temporal."""
    timeout_seconds: float = 24 * 3600.0
    """After which an attempt counts as stuck; the handler's own time-out comes before."""
    heartbeat_seconds: float = 30.0


@dataclass(frozen=True)
class Receipt:
    """What an activity says of the run."""

    status: str
    """`completed`, `failed`, `cancelled`, or `moved`: the job is not this workflow's any more."""
    recorded: bool = True
    """Whether the job's row says so."""
    result: Any = None
    error: str | None = None
    settlement: dict[str, Any] | None = None
    """What is yet to be recorded."""


@dataclass(frozen=True)
class JobResult:
    """What a workflow returns."""

    success: bool
    jobId: str  # noqa: N815
    status: str = "completed"
    error: str | None = None
    result: Any = None
    completedAt: str | None = None  # noqa: N815


@dataclass(frozen=True)
class CancelJob:
    """The signal `cancelJob`."""

    reason: str | None = None
    cancelledBy: str | None = None  # noqa: N815


@dataclass(frozen=True)
class UpdateProgress:
    """The signal `updateProgress`."""

    progress: float
    message: str | None = None


@dataclass
class JobStateView:
    """The answer to the query `getJobState`."""

    step: str = "queued"
    progress: float = 0.0
    message: str | None = None
    startedAt: str | None = None  # noqa: N815
    completedAt: str | None = None  # noqa: N815
    error: str | None = None


@dataclass(frozen=True)
class StatusUpdate:
    """The input of `updateJobStatus`."""

    jobId: str  # noqa: N815
    tenantId: str  # noqa: N815
    status: str
    error: str | None = None
    metadata: dict[str, Any] | None = None
    settlement: dict[str, Any] | None = None
    """Instead of a bare status: the end of a run, fenced by its lease and epoch."""


@dataclass(frozen=True)
class NewDetail:
    """The input of `createJobDetail`."""

    jobId: str  # noqa: N815
    tenantId: str  # noqa: N815
    stepName: str  # noqa: N815
    status: str
    metadata: dict[str, Any] | None = None
    result: Any = None


@dataclass(frozen=True)
class Stop:
    """The input of `requestJobCancellation`."""

    jobId: str  # noqa: N815
    tenantId: str  # noqa: N815
    epoch: int
    reason: str | None = None
    cancelledBy: str | None = None  # noqa: N815


@dataclass(frozen=True)
class Begin:
    """The input of `beginJob`: a workflow of one's own claims its job."""

    jobId: str  # noqa: N815
    tenantId: str  # noqa: N815
    epoch: int
    run_id: str


@dataclass(frozen=True)
class Finish:
    """The input of `endJob`: how a workflow of one's own ended."""

    jobId: str  # noqa: N815
    tenantId: str  # noqa: N815
    epoch: int
    status: str
    result: Any = None
    error: dict[str, Any] | None = None


@dataclass(frozen=True)
class Progress:
    """The input of `showJobProgress`."""

    jobId: str  # noqa: N815
    tenantId: str  # noqa: N815
    progress: float
    message: str | None = None


SOON = timedelta(milliseconds=50)
LATEST = timedelta(seconds=30)
BACKOFF = 2.0
FOR_EVER = RetryPolicy(initial_interval=SOON, backoff_coefficient=BACKOFF, maximum_interval=LATEST)
"""Attempts without end: `jobs.attempt` decides how often a handler runs, and each failure says when it is next (T07).
These times are for attempts that could not say it, for their worker died: the next one has waited for the heartbeat."""
