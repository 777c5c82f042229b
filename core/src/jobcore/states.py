"""The life of a job: its states, and the moves between them that are legal.

The same table is enforced by the SQL functions of the PostgreSQL storage; a test compares the two.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType


class JobState(StrEnum):
    """Where a job stands. The names are those of the founding schema's `job_status`, plus `cancelled`."""

    PENDING = "pending"
    """Committed, and not yet admitted to an engine; again so while a job with limits waits for its next attempt."""
    QUEUED = "queued"
    """Admitted to an engine: waiting for a worker, for its time, or for its next attempt."""
    ACTIVE = "active"
    """Claimed by a worker."""
    PROCESSING = "processing"
    """Its handler runs."""
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        """Whether nothing but an operator's retry can change this state any more."""
        return self in TERMINAL_STATES


TERMINAL_STATES = frozenset({JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED})
RUNNING_STATES = frozenset({JobState.ACTIVE, JobState.PROCESSING})
WAITING_STATES = frozenset({JobState.PENDING, JobState.QUEUED})

LEGAL_MOVES = MappingProxyType(
    {
        JobState.PENDING: frozenset(
            {JobState.QUEUED, JobState.ACTIVE, JobState.PROCESSING, JobState.FAILED, JobState.CANCELLED}
        ),
        JobState.QUEUED: frozenset(
            {
                JobState.PENDING,
                JobState.ACTIVE,
                JobState.PROCESSING,
                JobState.COMPLETED,
                JobState.FAILED,
                JobState.CANCELLED,
            }
        ),
        JobState.ACTIVE: frozenset(
            {
                JobState.PENDING,
                JobState.QUEUED,
                JobState.PROCESSING,
                JobState.COMPLETED,
                JobState.FAILED,
                JobState.CANCELLED,
            }
        ),
        JobState.PROCESSING: frozenset(
            {JobState.PENDING, JobState.QUEUED, JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED}
        ),
        JobState.COMPLETED: frozenset[JobState](),
        JobState.FAILED: frozenset({JobState.QUEUED, JobState.PENDING}),
        JobState.CANCELLED: frozenset({JobState.QUEUED, JobState.PENDING}),
    }
)
"""From each state, where a job may go. `queued` may settle at once, because a status write that a later one overtakes
is left out; `failed` and `cancelled` may go back only by an operator's retry, which raises the epoch."""


def is_legal(source: JobState, target: JobState) -> bool:
    """Return whether a job may go from `source` to `target`; staying where it is always is."""
    return source is target or target in LEGAL_MOVES[source]
