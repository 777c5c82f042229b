"""jobcore: write a background job once, run it on PostgreSQL or on Temporal."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from jobcore.errors import NonRetryableError
from jobcore.handlers import HandlerDefinition, JobData, JobHandlerRegistry, job
from jobcore.ids import SYSTEM_TENANT
from jobcore.models import Enqueued, JobStatus, Quota, Schedule
from jobcore.policies.dedupe import Dedupe
from jobcore.policies.limits import Concurrency, FairShare, RateLimit
from jobcore.policies.retry import RetryPolicy
from jobcore.ports import JobContext
from jobcore.states import JobState

if TYPE_CHECKING:
    from jobcore.app import (
        BlockingJobApp,
        Flow,
        JobApp,
        JobRunnerConfig,
        JobRunnerFactory,
        JobScheduler,
        PatternScheduler,
        enqueue_job,
        get_available_job_handlers,
        initialize_job_handlers_for_worker,
        initialize_job_runner,
        make_job,
        make_singleton_job,
        make_superseding_job,
        register_all_job_handlers,
    )
    from jobcore.execution import Cancel, Retry, Snooze

__version__ = "0.1.0"

__all__ = [
    "SYSTEM_TENANT",
    "BlockingJobApp",
    "Cancel",
    "Concurrency",
    "Dedupe",
    "Enqueued",
    "FairShare",
    "Flow",
    "HandlerDefinition",
    "JobApp",
    "JobContext",
    "JobData",
    "JobHandlerRegistry",
    "JobRunnerConfig",
    "JobRunnerFactory",
    "JobScheduler",
    "JobState",
    "JobStatus",
    "NonRetryableError",
    "PatternScheduler",
    "Quota",
    "RateLimit",
    "Retry",
    "RetryPolicy",
    "Schedule",
    "Snooze",
    "__version__",
    "enqueue_job",
    "get_available_job_handlers",
    "initialize_job_handlers_for_worker",
    "initialize_job_runner",
    "job",
    "make_job",
    "make_singleton_job",
    "make_superseding_job",
    "register_all_job_handlers",
]

_ROOMS = {"Cancel": "jobcore.execution", "Retry": "jobcore.execution", "Snooze": "jobcore.execution"}


def __getattr__(name: str) -> Any:
    """Import the application room when it is first used: a module of handlers does not need it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_ROOMS.get(name, "jobcore.app")), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
