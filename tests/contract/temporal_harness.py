"""The Temporal runner on a real Temporal and a real PostgreSQL, as the contracts see it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import psycopg
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from jobcore.app import JobApp
from jobcore.testing.apps import quiet_settings
from jobcore.testing.runner_contract import RunnerHarness
from jobcore.testing.runner_contract.waiting import eventually
from jobcore_postgres.outbox import Outbox
from jobcore_temporal.identity import CAPABILITIES, RUNNER_TYPE, workflow_id
from jobcore_temporal.settings import TemporalRunnerSettings
from jobcore_temporal.starting import start_run
from jobcore_temporal.task_queues import task_queue_of
from jobcore_temporal.workflow import GenericJobWorkflow

PLUGINS = ["jobcore-postgres-storage", "jobcore-temporal-runner"]
FAST = {
    "heartbeat_timeout_seconds": 2,
    "poll_interval_seconds": 0.2,
    "cancel_poll_seconds": 0.1,
    "probe_interval_seconds": 0.5,
    "reconcile_interval_seconds": 2,
}

MOVES = (
    "update jobcore.outbox set try_at = try_at - %(by)s where state = 'due'",
    "update jobs set run_at = run_at - %(by)s where status = 'queued'",
    "update cron_jobs set next_fire = next_fire - %(by)s, anchor = anchor - %(by)s, last_fire = last_fire - %(by)s",
    # By way of another century, for the unique index is asked row by row: one could move to where the next still is.
    "update jobs set fire_time = fire_time - %(by)s - interval '100 years' where schedule_id is not null",
    "update jobs set fire_time = fire_time + interval '100 years' where schedule_id is not null",
)


class TemporalHarness(RunnerHarness):
    """Applications on one migrated database and one server; tests are kept apart by their tenants and queues."""

    capabilities = CAPABILITIES
    patience = 60.0
    lateness = 5.0
    lease = timedelta(seconds=FAST["heartbeat_timeout_seconds"])
    can_advance = True

    def __init__(self, dsn: str, address: str) -> None:
        self.dsn = dsn
        self.address = address
        self.task_queue = f"contract-{uuid4().hex[:10]}"

    @asynccontextmanager
    async def application(self, *, temporal: Mapping[str, Any] | None = None, **options: Any) -> AsyncGenerator[JobApp]:
        settings = quiet_settings(
            database={"url": self.dsn},
            temporal={"address": self.address, "task_queue": self.task_queue, **FAST, **(temporal or {})},
            runner="temporal",
            edition="enterprise",
            fallback_to_pgboss=False,
            plugins={"allow": PLUGINS},
        )
        async with JobApp(settings, **options) as app:
            yield app

    @asynccontextmanager
    async def transaction(self, app: JobApp) -> AsyncGenerator[Any]:
        async with await psycopg.AsyncConnection.connect(self.dsn) as connection:
            yield connection

    async def advance(self, app: JobApp, by: timedelta) -> None:
        """Bring everything nearer that waits: PostgreSQL's clock is the machine's."""
        async with await psycopg.AsyncConnection.connect(self.dsn) as connection:
            for move in MOVES:
                await connection.execute(move, {"by": by})

    async def line_up(self, app: JobApp) -> None:
        """Start the workflows as the relay does, and have them ask for their handlers, with no worker to run one."""
        settings = app.settings.section(RUNNER_TYPE, TemporalRunnerSettings)
        outbox = Outbox(app.store.database, RUNNER_TYPE, workflow_id)
        client = await Client.connect(self.address)
        jobs = await outbox.take(settings.relay_batch, settings.relay_lease_seconds)
        for job in jobs:
            await start_run(client, job, settings, timedelta(seconds=5))
        await outbox.handed([job.entry for job in jobs], settings.reconcile_interval_seconds)
        waiting = Counter(task_queue_of(job.name, job.queue, settings) for job in jobs)
        async with AsyncExitStack() as workers:
            for task_queue in waiting:
                await workers.enter_async_context(_advancing(client, task_queue))
            for task_queue, number in waiting.items():
                await eventually(partial(_has, client, task_queue, number), "handlers wait", self.patience)


def _advancing(client: Client, task_queue: str) -> Worker:
    return Worker(
        client,
        task_queue=task_queue,
        workflows=[GenericJobWorkflow],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )


async def _has(client: Client, task_queue: str, number: int) -> bool:
    """Whether so many activities wait in the queue."""
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=task_queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
        report_stats=True,
    )
    answer = await client.workflow_service.describe_task_queue(request)
    return answer.stats.approximate_backlog_count == number
