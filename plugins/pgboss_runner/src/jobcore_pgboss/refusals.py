"""What pg-boss would refuse, refused before it is written: its bounds, and the policies of its queues."""

from __future__ import annotations

from datetime import timedelta

from jobcore.errors import CapabilityError, InputError
from jobcore.models import NewJob
from jobcore_pgboss.bridges import sqlstate_of

LONGEST_EXPIRATION = 24 * 3600
"""Seconds that pg-boss lets a job be active; also the longest interval of its duties."""
SHORTEST_HEARTBEAT = 10
"""Seconds between heartbeats that pg-boss asks for at least."""

_LONGEST_TIMEOUT = timedelta(seconds=LONGEST_EXPIRATION)
_OF_POLICIES = {"23505", "23514"}
"""The SQLSTATEs of `pgboss_refuse`."""
_OF_PARENTS = "23503"
"""The SQLSTATE of `admission_add`."""


class QueueRefusalError(InputError):
    """A queue's policy, which Node gave it, does not let a job in; nothing was written."""


def check_timeout(job: NewJob) -> NewJob:
    """Return the job. Raises `CapabilityError` if it may run longer than pg-boss lets one be active."""
    if job.timeout > _LONGEST_TIMEOUT:
        raise CapabilityError(
            f"Job {job.name!r} has a time-out of {job.timeout}; pg-boss lets a job be active for 24 hours at most. "
            "Give its handler a shorter time-out, and let it enqueue what is left."
        )
    return job


def refusal_in(error: Exception) -> InputError | None:
    """Return what our functions refused, whichever library reports it; `None` for any other error."""
    state = sqlstate_of(error)
    if state != _OF_PARENTS and state not in _OF_POLICIES:
        return None
    message = str(error).partition("\n")[0]
    kind = InputError if state == _OF_PARENTS else QueueRefusalError
    return kind(f"{message[:1].upper()}{message[1:]}.")
