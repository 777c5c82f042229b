"""Temporal's five priorities, of which 1 comes first and 3 is the default."""

from __future__ import annotations

VERY = 10
"""From which priority on a job is among the first, and below which negative one among the last."""


def priority_key(priority: int) -> int:
    """Return the key for a priority of ours, where higher is more important; as the SQL function `outbox_rank`."""
    if priority >= VERY:
        return 1
    if priority > 0:
        return 2
    if priority == 0:
        return 3
    return 4 if priority > -VERY else 5
