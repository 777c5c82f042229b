"""Makes the SDK's workers: what they run, how they ask for it, and how much of it they take at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import (
    FixedSizeSlotSupplier,
    Interceptor,
    PollerBehaviorAutoscaling,
    PollerBehaviorSimpleMaximum,
    ResourceBasedSlotConfig,
    ResourceBasedSlotSupplier,
    ResourceBasedTunerConfig,
    Worker,
    WorkerDeploymentConfig,
    WorkerTuner,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from jobcore_temporal.places import QueueSlots
from jobcore_temporal.settings import TemporalRunnerSettings
from jobcore_temporal.tuning import PollerSettings, TunerSettings
from jobcore_temporal.versioning import DeploymentSettings

RESTRICTIONS = SandboxRestrictions.default.with_passthrough_modules(
    "jobcore", "jobcore_postgres", "jobcore_temporal", "orjson", "psycopg", "psycopg_pool"
)
"""What workflows of handlers' own, which the SDK keeps in its sandbox, find as it is outside."""
WITHOUT_END = timedelta(days=365)
"""How long the SDK lets activities run when it is shut down: our worker ends them, when it wants to."""
THROTTLE = timedelta(seconds=1)
"""How often a heartbeat is passed on at most: so soon does Temporal tell of a cancellation."""
STICKY = timedelta(seconds=2)
"""How long a workflow waits for the worker that has it in memory, and may be dead, before another goes on with it."""
WORKFLOW_TASKS = 20
"""How many workflows advance at a time, each for milliseconds. These slots are the SDK's own: for an eager start it
asks for one under a lock, for which the end of a worker waits without letting any Python run, so that slots written in
Python would hang the process. A loop that stands holds back so many workflows at most, until their tasks time out."""
LOCAL_ACTIVITIES = 10
"""How many cancellations and progresses are written at a time."""
WORKFLOW_POLLS = 5
"""How many questions for a workflow's next step are out at a time."""
ACTIVITY_POLLS = 2
"""How many questions for a job are out at a time."""

BEHAVIOURS = {"auto-upgrade": VersioningBehavior.AUTO_UPGRADE, "pinned": VersioningBehavior.PINNED}


@dataclass(frozen=True, slots=True)
class Code:
    """What each of a worker's task queues is polled for."""

    workflows: Sequence[type[Any]]
    activities: Sequence[Callable[..., Any]]
    interceptors: Sequence[Interceptor]


def make_worker(
    client: Client, task_queue: str, code: Code, slots: QueueSlots, settings: TemporalRunnerSettings
) -> Worker:
    """Return a worker of one task queue; it polls once it runs."""
    return Worker(
        client,
        task_queue=task_queue,
        workflows=code.workflows,
        activities=code.activities,
        interceptors=code.interceptors,
        workflow_runner=SandboxedWorkflowRunner(restrictions=RESTRICTIONS),
        tuner=WorkerTuner.create_composite(
            workflow_supplier=FixedSizeSlotSupplier(WORKFLOW_TASKS),
            activity_supplier=_by_resources(settings.tuner) or slots,
            local_activity_supplier=FixedSizeSlotSupplier(LOCAL_ACTIVITIES),
            nexus_supplier=FixedSizeSlotSupplier(1),
        ),
        workflow_task_poller_behavior=_polling(settings.pollers, WORKFLOW_POLLS),
        activity_task_poller_behavior=_polling(settings.pollers, ACTIVITY_POLLS),
        sticky_queue_schedule_to_start_timeout=STICKY,
        max_heartbeat_throttle_interval=THROTTLE,
        default_heartbeat_throttle_interval=THROTTLE,
        graceful_shutdown_timeout=WITHOUT_END,
        deployment_config=_version(settings.deployment),
    )


def _by_resources(tuner: TunerSettings) -> ResourceBasedSlotSupplier | None:
    """Return what gives slots out by the machine's load; `None` if the worker's concurrency decides."""
    if tuner.targets is None:
        return None
    cpu, memory = tuner.targets
    return ResourceBasedSlotSupplier(
        ResourceBasedSlotConfig(tuner.minimum_slots, tuner.maximum_slots, timedelta(seconds=tuner.ramp_seconds)),
        ResourceBasedTunerConfig(target_memory_usage=memory, target_cpu_usage=cpu),
    )


def _polling(pollers: PollerSettings, fixed: int) -> PollerBehaviorAutoscaling | PollerBehaviorSimpleMaximum:
    if pollers.maximum is None:
        return PollerBehaviorSimpleMaximum(fixed)
    return PollerBehaviorAutoscaling(pollers.minimum, pollers.maximum, pollers.begins_with)


def _version(deployment: DeploymentSettings) -> WorkerDeploymentConfig | None:
    if deployment.version is None:
        return None
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(*deployment.version),
        use_worker_versioning=True,
        default_versioning_behavior=BEHAVIOURS[deployment.versioning],
    )
