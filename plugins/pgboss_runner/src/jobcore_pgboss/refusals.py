"""What pg-boss would refuse, refused before it is written: its bounds, and the policies of its queues."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta

from jobcore.errors import CapabilityError, InputError, JobcoreError
from jobcore.models import NewJob
from jobcore_postgres.bridges import sqlstate_of
from jobcore_postgres.refusals import refusal_in

LONGEST_EXPIRATION = 24 * 3600
"""Seconds that pg-boss lets a job be active; also the longest interval of its duties."""
SHORTEST_HEARTBEAT = 10
"""Seconds between heartbeats that pg-boss asks for at least."""

_LONGEST_TIMEOUT = timedelta(seconds=LONGEST_EXPIRATION)
_OF_POLICIES = {"23505", "23514"}
"""The SQLSTATEs of `pgboss_refuse`."""


class QueueRefusalError(InputError):
    """A queue does not let a job in, by the policy that Node gave it or for its id; nothing was written."""


def check_timeout(job: NewJob) -> NewJob:
    """Return the job. Raises `CapabilityError` if it may run longer than pg-boss lets one be active."""
    if job.timeout > _LONGEST_TIMEOUT:
        raise CapabilityError(
            f"Job {job.name!r} has a time-out of {job.timeout}; pg-boss lets a job be active for 24 hours at most. "
            "Give its handler a shorter time-out, and let it enqueue what is left."
        )
    return job


@contextmanager
def refusals() -> Generator[None]:
    """Raise as jobcore's what our functions refuse in the block, and a transaction's end for the sake of another."""
    try:
        yield
    except Exception as error:
        if (refusal := _refusal_in(error)) is None:
            raise
        raise refusal from error


def _refusal_in(error: Exception) -> JobcoreError | None:
    """Return what our functions refused, whichever library reports it; `None` for any other error."""
    if (known := refusal_in(error)) is not None:
        return known
    if sqlstate_of(error) not in _OF_POLICIES:
        return None
    message = str(error).partition("\n")[0]
    return QueueRefusalError(f"{message[:1].upper()}{message[1:]}.")
