"""What this runner is called, and what it can honour."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from jobcore.ports.runner import Capabilities

RUNNER_TYPE = "temporal"

CAPABILITIES = Capabilities(
    ordered=False,
    transactional_enqueue=True,
    complete_in=True,
    flow_control=True,
    cancel_latency=timedelta(seconds=1.5),
)


def workflow_id(tenant: UUID, job_id: UUID, epoch: int) -> str:
    """Return the id of the workflow that runs a job in one epoch; there is never another with it.

    The tenant is part of it: job ids are the callers' to choose, and one tenant may not take another's.
    """
    return f"{job_id}.{epoch}@{tenant}"


def job_of(name: str) -> tuple[UUID, UUID] | None:
    """Return the tenant and the job that a workflow of ours is named after; `None` for any other name."""
    job, _, rest = name.partition(".")
    _, _, tenant = rest.partition("@")
    try:
        return UUID(tenant), UUID(job)
    except ValueError:
        return None


FALLBACK = "pgboss"
"""The runner that takes jobs while Temporal is away (F05)."""
