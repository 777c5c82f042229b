"""What a tenant may have at most."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class QuotaKind(StrEnum):
    """What a quota counts."""

    WAITING = "waiting"
    ENQUEUES_PER_SECOND = "enqueues_per_second"
    SCHEDULES = "schedules"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """The limits of one tenant; `None` is no limit."""

    waiting: int | None = None
    """Jobs that wait: those that have not begun, and those that wait for a retry."""
    enqueues_per_second: int | None = None
    """Jobs that calls make within any one second; the fires of schedules are not counted."""
    schedules: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantQuota:
    """A quota that an operator has set."""

    tenant: UUID | None
    """Whose; `None` for the default of those that have none of their own."""
    quota: Quota
    set_at: datetime
