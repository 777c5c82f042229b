"""Begins the run of a job in Temporal: once for each epoch, however often it is tried."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import orjson
from temporalio.client import Client
from temporalio.common import ActivityIDReusePolicy, Priority, WorkflowIDReusePolicy
from temporalio.exceptions import ActivityAlreadyStartedError, WorkflowAlreadyStartedError

from jobcore_postgres.outbox import Handover
from jobcore_temporal.attributes import attributes_of
from jobcore_temporal.identity import workflow_id
from jobcore_temporal.messages import FOR_EVER, GENERIC_WORKFLOW, JobInput
from jobcore_temporal.ranks import priority_key
from jobcore_temporal.settings import TemporalRunnerSettings
from jobcore_temporal.task_queues import task_queue_of

LARGEST_DATA = 256 * 1024
"""Bytes of a payload that Temporal is shown; a larger one stands in the job's row only."""
TASK_TIMEOUT = timedelta(seconds=5)
"""How long a worker may take to advance a workflow, which takes milliseconds, before another one does."""
MARGIN = 60.0
"""Seconds after a handler's time-out until its attempt counts as stuck."""


async def start_run(client: Client, job: Handover, settings: TemporalRunnerSettings, patience: timedelta) -> None:
    """Start a job's workflow, or its activity if its handler wishes no workflow, unless that has been done.

    Raises `RPCError`, `RuntimeError` and `TimeoutError`: see `jobcore_temporal.availability`.
    """
    start = _start_activity if is_activity(job.entry.options) else _start_workflow
    common = {
        "id": workflow_id(job.entry.tenant, job.entry.job_id, job.entry.epoch),
        "task_queue": task_queue_of(job.name, job.queue, settings),
        "priority": Priority(priority_key=priority_key(job.priority), fairness_key=str(job.entry.tenant)),
        "rpc_timeout": patience,
    }
    try:
        await start(client, job, settings, common)
    except (WorkflowAlreadyStartedError, ActivityAlreadyStartedError):
        return


def is_activity(options: Mapping[str, Any] | None) -> bool:
    """Whether a job runs as an activity without a workflow."""
    return options is not None and options.get("mode") == "activity"


async def _start_workflow(
    client: Client, job: Handover, settings: TemporalRunnerSettings, common: dict[str, Any]
) -> None:
    given = _input(job, settings)
    await client.start_workflow(
        (job.entry.options or {}).get("workflow") or GENERIC_WORKFLOW,
        given,
        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        memo={"job_id": given.jobId, "tenant": given.tenantId, "queue": job.queue},
        search_attributes=attributes_of(job) if settings.search_attributes else None,
        static_summary=job.name,
        task_timeout=TASK_TIMEOUT,
        request_eager_start=settings.deployment.version is None,  # it would begin on the build that starts it
        **common,
    )


async def _start_activity(
    client: Client, job: Handover, settings: TemporalRunnerSettings, common: dict[str, Any]
) -> None:
    given = _input(job, settings)
    await client.start_activity(
        job.name,
        given,
        id_reuse_policy=ActivityIDReusePolicy.REJECT_DUPLICATE,
        start_to_close_timeout=timedelta(seconds=given.timeout_seconds),
        heartbeat_timeout=timedelta(seconds=given.heartbeat_seconds),
        retry_policy=FOR_EVER,
        summary=given.jobId,
        **common,
    )


def _input(job: Handover, settings: TemporalRunnerSettings) -> JobInput:
    options = job.entry.options or {}
    seconds = options.get("expire_seconds", JobInput.timeout_seconds)  # of a job that was another engine's
    if (timeout_ms := options.get("timeout_ms")) is not None:
        seconds = timeout_ms / 1000 + MARGIN
    return JobInput(
        jobId=str(job.entry.job_id),
        jobName=job.name,
        tenantId=str(job.entry.tenant),
        data=orjson.loads(job.payload) if len(job.payload) <= LARGEST_DATA else None,
        epoch=job.entry.epoch,
        queue=job.queue,
        timeout_seconds=seconds,
        heartbeat_seconds=settings.heartbeat_timeout_seconds,
    )
