"""The Temporal runner with what a test wants to know of Temporal: which workflows there are, and how they ended."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle

from contract.temporal_harness import FAST, PLUGINS, TemporalHarness
from jobcore.app import JobApp
from jobcore.testing.apps import quiet_settings
from jobcore.testing.runner_contract.site import Handle, Site
from jobcore_temporal.identity import workflow_id
from support.fleet import eventually

CYCLE = FAST["reconcile_interval_seconds"] + 1.0
"""Seconds within which the reconciler of these tests looks at each workflow once."""
HAPPY_PATH = 11
"""Events of a history in which nothing went wrong."""
FALLBACK = "jobcore-pgboss-runner"


class Stage(TemporalHarness):
    """One database, one server, and a task queue of the test's own.

    Args:
        settings: over the harness's own, by name; `temporal` is laid over its settings of the runner.
    """

    def __init__(self, dsn: str, address: str, **settings: Any) -> None:
        super().__init__(dsn, address)
        self._temporal = {**FAST, **settings.pop("temporal", {})}
        self._settings = settings

    @asynccontextmanager
    async def application(self, **options: Any) -> AsyncGenerator[JobApp]:
        async with JobApp(self.settings(), **options) as app:
            yield app

    def settings(self) -> Any:
        wanted: dict[str, Any] = {
            "database": {"url": self.dsn},
            "temporal": {"address": self.address, "task_queue": self.task_queue, **self._temporal},
            "runner": "temporal",
            "edition": "enterprise",
            "fallback_to_pgboss": False,
            "plugins": {"allow": PLUGINS},
        }
        return quiet_settings(**{**wanted, **self._settings})

    def environment(self) -> dict[str, str]:
        """The same for processes of their own."""
        temporal = {f"JOBCORE_TEMPORAL__{name.upper()}": str(value) for name, value in self._temporal.items()}
        return {
            "DATABASE_URL": self.dsn,
            "EDITION": "enterprise",
            "JOB_RUNNER_TYPE": "temporal",
            "JOB_RUNNER_FALLBACK_TO_PGBOSS": "false",
            "JOBCORE_PLUGINS__ALLOW": ",".join(PLUGINS),
            "TEMPORAL_ADDRESS": self.address,
            "TEMPORAL_JOB_TASK_QUEUE": self.task_queue,
            **temporal,
        }

    async def client(self) -> Client:
        """A plain client of the server itself, whatever stands between it and the application."""
        return await Client.connect(self.address)

    async def workflow(self, job: Handle, epoch: int = 0) -> WorkflowHandle[Any, Any]:
        """The handle to a job's workflow in one epoch, started or not."""
        return (await self.client()).get_workflow_handle(workflow_id(job.tenant, job.job_id, epoch))


async def closed(workflow: WorkflowHandle[Any, Any], patience: float = 20) -> WorkflowExecutionStatus:
    """Wait until a workflow has ended; return how."""
    seen: list[WorkflowExecutionStatus] = []

    async def has_ended() -> bool:
        status = (await workflow.describe()).status
        assert status is not None
        seen.append(status)
        return status is not WorkflowExecutionStatus.RUNNING

    await eventually(has_ended, f"the workflow {workflow.id} ends", patience=patience)
    return seen[-1]


async def events_of(workflow: WorkflowHandle[Any, Any]) -> list[str]:
    """The types of a history's events, in their order: `WORKFLOW_EXECUTION_STARTED`, …"""
    return [event.WhichOneof("attributes") for event in (await workflow.fetch_history()).events]


async def outbox_of(site: Site, job: Handle) -> list[str]:
    """The states of a job's entries in the outbox; none is left of one that has ended."""
    assert isinstance(site.harness, Stage)
    async with site.harness.transaction(site.app) as connection:
        cursor = await connection.execute("select state::text from jobcore.outbox where job_id = %s", (job.job_id,))
        return [state for (state,) in await cursor.fetchall()]


async def is_handed(site: Site, job: Handle) -> bool:
    """Whether Temporal has a job."""
    return await outbox_of(site, job) == ["handed"]
