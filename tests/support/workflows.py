"""What Temporal itself says of the workflows of a test."""

from __future__ import annotations

from uuid import UUID

from temporalio.client import Client

from support.history import WorkflowRun


async def ended_workflows(address: str, namespace: str) -> list[WorkflowRun]:
    """Return the workflows of jobs that have ended; the server's list lags by some seconds."""
    client = await Client.connect(address, namespace=namespace)
    found: list[WorkflowRun] = []
    async for execution in client.list_workflows("ExecutionStatus != 'Running'"):
        job_id, _, rest = execution.id.partition(".")
        status, closed_at = execution.status, execution.close_time
        assert status is not None
        assert closed_at is not None
        found.append(WorkflowRun(UUID(job_id), int(rest.partition("@")[0]), status.name, closed_at))
    return found
