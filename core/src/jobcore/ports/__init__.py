"""What jobcore asks of its parts: the runner, the store, and everything a plugin may provide.

A port is an abstract base class or a protocol; it is async, typed, and knows no engine.
"""

from jobcore.ports.clock import Clock, SystemClock
from jobcore.ports.codec import PayloadCodec, PlainCodec
from jobcore.ports.context import AbortSignal, JobContext, Services, TenantDatabase
from jobcore.ports.handle import EnqueueOptions, Enqueuer, JobHandle
from jobcore.ports.middleware import CallNext, Middleware
from jobcore.ports.observer import Observer
from jobcore.ports.reasons import Explanation, Question, Reason, ReasonFinder, Severity
from jobcore.ports.runner import (
    Capabilities,
    ClaimExecutor,
    ClaimSession,
    Health,
    JobRunner,
    Worker,
    WorkerHost,
)
from jobcore.ports.store import JobStore

__all__ = [
    "AbortSignal",
    "CallNext",
    "Capabilities",
    "ClaimExecutor",
    "ClaimSession",
    "Clock",
    "EnqueueOptions",
    "Enqueuer",
    "Explanation",
    "Health",
    "JobContext",
    "JobHandle",
    "JobRunner",
    "JobStore",
    "Middleware",
    "Observer",
    "PayloadCodec",
    "PlainCodec",
    "Question",
    "Reason",
    "ReasonFinder",
    "Services",
    "Severity",
    "SystemClock",
    "TenantDatabase",
    "Worker",
    "WorkerHost",
]
