"""The values that cross jobcore's borders: what is enqueued, claimed, settled and read back.

They are plain frozen dataclasses. Times are aware datetimes; durations are `timedelta`s; payloads and results are JSON
text as `bytes`, encoded once where they enter and decoded once where they are used.
"""

from jobcore.models.alike import AlikeJobs, OnDemand
from jobcore.models.flow import Admission, Gate, OnConflict, OnFailure, Parent, Pause, PauseKind
from jobcore.models.jobs import TRIGGER_KEY, Claim, Enqueued, Execution, Lease, NewJob, Outcome, Settlement, Trigger
from jobcore.models.moving import Cutover, HandlerStanding, Movable, Move, MovedHandler, MovedJob, MoveVerdict
from jobcore.models.quotas import Quota, QuotaKind, TenantQuota
from jobcore.models.records import DetailRecord, JobFilter, JobMetrics, JobRecord, JobStatus
from jobcore.models.schedules import MissedFires, Overlap, Schedule
from jobcore.models.workers import PayloadSchema, WaitingPayload, WorkerRecord

__all__ = [
    "TRIGGER_KEY",
    "Admission",
    "AlikeJobs",
    "Claim",
    "Cutover",
    "DetailRecord",
    "Enqueued",
    "Execution",
    "Gate",
    "HandlerStanding",
    "JobFilter",
    "JobMetrics",
    "JobRecord",
    "JobStatus",
    "Lease",
    "MissedFires",
    "Movable",
    "Move",
    "MoveVerdict",
    "MovedHandler",
    "MovedJob",
    "NewJob",
    "OnConflict",
    "OnDemand",
    "OnFailure",
    "Outcome",
    "Overlap",
    "Parent",
    "Pause",
    "PauseKind",
    "PayloadSchema",
    "Quota",
    "QuotaKind",
    "Schedule",
    "Settlement",
    "TenantQuota",
    "Trigger",
    "WaitingPayload",
    "WorkerRecord",
]
