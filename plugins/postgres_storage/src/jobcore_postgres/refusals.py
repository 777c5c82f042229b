"""What our functions refuse of an enqueue, whichever library reports it."""

from __future__ import annotations

from jobcore.errors import JobcoreError
from jobcore_postgres.bridges import conflict_in, unknown_parent_in
from jobcore_postgres.quotas import exceeded_quota_in


def refusal_in(error: BaseException) -> JobcoreError | None:
    """Return the error of ours that PostgreSQL's stands for; `None` for any other.

    A parent that is not there, a quota that is used up, a transaction that had to end for the sake of another.
    """
    return unknown_parent_in(error) or exceeded_quota_in(error) or conflict_in(error)
