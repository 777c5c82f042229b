"""What Temporal says of the run of a job: a workflow, or an activity without one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from temporalio.client import (
    ActivityExecutionStatus,
    ActivityFailureError,
    ActivityHandle,
    Client,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
)
from temporalio.service import RPCError, RPCStatusCode

from jobcore_postgres.outbox import Entry
from jobcore_temporal.identity import workflow_id
from jobcore_temporal.starting import is_activity

RUNNING = {None, "UNSPECIFIED", "RUNNING", "CONTINUED_AS_NEW", "PAUSED"}
UNKNOWN = "UNKNOWN"
"""The server has no such run."""


@dataclass(frozen=True, slots=True)
class End:
    """How a run ended there."""

    status: str
    """`COMPLETED`, `FAILED`, `CANCELED`, `TERMINATED`, `TIMED_OUT`, or `UNKNOWN`."""
    reason: str = ""


async def running_among(client: Client, entries: list[Entry], patience: timedelta) -> set[str]:
    """Return the ids of those that the server lists as running; its list may lag, so that others may run too.

    Raises `RPCError`.
    """
    workflows = [run_name(entry) for entry in entries if not is_activity(entry.options)]
    activities = [run_name(entry) for entry in entries if is_activity(entry.options)]
    running: set[str] = set()
    if workflows:
        query = f"WorkflowId IN ({_quoted(workflows)}) AND ExecutionStatus = 'Running'"
        listed = client.list_workflows(query, page_size=len(workflows), rpc_timeout=patience)
        running |= {execution.id async for execution in listed}
    if activities:
        query = f"ActivityId IN ({_quoted(activities)}) AND ExecutionStatus = 'Running'"
        found = client.list_activities(query, page_size=len(activities), rpc_timeout=patience)
        running |= {execution.activity_id async for execution in found}
    return running


async def end_of(client: Client, entry: Entry, patience: timedelta) -> End | None:
    """Return how a run ended; `None` if it runs. Raises `RPCError`."""
    handle = _handle(client, entry)
    try:
        status: WorkflowExecutionStatus | ActivityExecutionStatus | None = (
            await handle.describe(rpc_timeout=patience)
        ).status
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return End(UNKNOWN)
    name = None if status is None else status.name
    return None if name in RUNNING or name is None else End(name, await _reason(handle, patience))


async def cancel_run(client: Client, entry: Entry, reason: str, patience: timedelta) -> None:
    """Cancel a run, if the server knows it. Raises `RPCError`."""
    try:
        await _handle(client, entry).cancel(reason=reason, rpc_timeout=patience)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise


def run_name(entry: Entry) -> str:
    """What Temporal calls the run of a job in one epoch."""
    return workflow_id(entry.tenant, entry.job_id, entry.epoch)


def _handle(client: Client, entry: Entry) -> WorkflowHandle[object, object] | ActivityHandle[object]:
    name = run_name(entry)
    return client.get_activity_handle(name) if is_activity(entry.options) else client.get_workflow_handle(name)


async def _reason(handle: WorkflowHandle[object, object] | ActivityHandle[object], patience: timedelta) -> str:
    try:
        if isinstance(handle, WorkflowHandle):
            await handle.result(follow_runs=False, rpc_timeout=patience)
        else:
            await handle.result(rpc_timeout=patience)
    except (WorkflowFailureError, ActivityFailureError) as error:
        return str(error.cause)
    return "it returned"


def _quoted(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
