"""The application room: the facade, and the faces that the founding documents name."""

from jobcore.app.blocking import BlockingJobApp
from jobcore.app.blocking_handle import BlockingJobHandle
from jobcore.app.blocking_schedules import BlockingSchedules
from jobcore.app.blocking_worker import BlockingWorker
from jobcore.app.config import JobRunnerConfig, PgBossConfig, ScheduleJobOptions, TemporalConfig
from jobcore.app.facade import JobApp
from jobcore.app.factory import JobRunnerFactory, initialize_job_runner
from jobcore.app.flows import Flow, FlowCycleError, FlowJob
from jobcore.app.handle import AppJobHandle
from jobcore.app.handlers import (
    HandlerInfo,
    get_available_job_handlers,
    initialize_job_handlers_for_worker,
    register_all_job_handlers,
)
from jobcore.app.health import AppHealth
from jobcore.app.legacy import JobScheduler
from jobcore.app.patterns import PatternScheduler, SchedulerHealth
from jobcore.app.queries import Relative
from jobcore.app.queueing import enqueue_job, make_job, make_singleton_job, make_superseding_job
from jobcore.app.runner_face import JobRunnerFace, ScheduledJob
from jobcore.app.schedules import Schedules
from jobcore.app.services import ServiceContainer
from jobcore.app.workers import AppWorker

__all__ = [
    "AppHealth",
    "AppJobHandle",
    "AppWorker",
    "BlockingJobApp",
    "BlockingJobHandle",
    "BlockingSchedules",
    "BlockingWorker",
    "Flow",
    "FlowCycleError",
    "FlowJob",
    "HandlerInfo",
    "JobApp",
    "JobRunnerConfig",
    "JobRunnerFace",
    "JobRunnerFactory",
    "JobScheduler",
    "PatternScheduler",
    "PgBossConfig",
    "Relative",
    "ScheduleJobOptions",
    "ScheduledJob",
    "SchedulerHealth",
    "Schedules",
    "ServiceContainer",
    "TemporalConfig",
    "enqueue_job",
    "get_available_job_handlers",
    "initialize_job_handlers_for_worker",
    "initialize_job_runner",
    "make_job",
    "make_singleton_job",
    "make_superseding_job",
    "register_all_job_handlers",
]
