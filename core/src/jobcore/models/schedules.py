"""Schedules, and what they do with missed and overlapping fires."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID


class MissedFires(StrEnum):
    """What to do with fires that were missed while no worker ran."""

    SKIP = "skip"
    LATEST = "latest"
    ALL = "all"


class Overlap(StrEnum):
    """What a fire does while the schedule's previous job still runs."""

    ALLOW = "allow"
    SKIP = "skip"
    CANCEL_RUNNING = "cancel_running"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A row of `cron_jobs`. Either `pattern` (5 or 6 fields) or `interval` is set."""

    tenant: UUID
    schedule_id: UUID
    key: str
    """The caller's idempotency key (B05, B18): one schedule a tenant and key."""
    name: str
    handler: str
    pattern: str | None = None
    interval: timedelta | None = None
    timezone: str = "UTC"
    payload: bytes = b"{}"
    enabled: bool = True
    max_attempts: int | None = None
    backoff: timedelta | None = None
    missed: MissedFires = MissedFires.LATEST
    missed_limit: int = 100
    overlap: Overlap = Overlap.ALLOW
    jitter: timedelta = timedelta()
    runner_type: str | None = None
    anchor: datetime | None = None
    """Where the grid of an interval begins; set by the store when the schedule is made."""
    next_fire: datetime | None = None
    last_fire: datetime | None = None
    last_job_id: UUID | None = None
