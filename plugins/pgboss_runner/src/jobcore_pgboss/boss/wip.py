"""Work in progress: what each worker of an instance is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

WorkerState = Literal["created", "active", "stopping", "stopped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WipData:
    """What a worker is about."""

    id: UUID
    work_id: UUID
    """What `work` answered; its `local_concurrency` workers share it."""
    name: str
    """The queue."""
    options: Mapping[str, Any]
    """Those that `work` was given."""
    state: WorkerState
    count: int
    """The jobs in the handler's hands."""
    created_on: datetime
    last_fetched_on: datetime | None
    last_job_started_on: datetime | None
    last_job_ended_on: datetime | None
    last_job_duration: float | None
    """Seconds from the last fetch to the end of what it brought."""
    last_error: BaseException | None
    last_error_on: datetime | None
