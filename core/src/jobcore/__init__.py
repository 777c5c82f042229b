"""jobcore: write a background job once, run it on PostgreSQL or on Temporal."""

from jobcore.handlers import HandlerDefinition, JobData, JobHandlerRegistry, job
from jobcore.ids import SYSTEM_TENANT
from jobcore.models import Enqueued, JobStatus, Schedule
from jobcore.policies.retry import RetryPolicy
from jobcore.ports import JobContext
from jobcore.states import JobState

__version__ = "0.1.0"

__all__ = [
    "SYSTEM_TENANT",
    "Enqueued",
    "HandlerDefinition",
    "JobContext",
    "JobData",
    "JobHandlerRegistry",
    "JobState",
    "JobStatus",
    "RetryPolicy",
    "Schedule",
    "__version__",
    "job",
]
