"""What workers tell of themselves and of the payloads that they know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRecord:
    """A worker that announced itself: which handlers it has and which queues it serves."""

    worker_id: UUID
    runner_type: str
    host: str
    pid: int
    handlers: tuple[str, ...]
    queues: tuple[str, ...]
    concurrency: int
    started_at: datetime | None = None
    seen_at: datetime | None = None
    stopping: bool = False
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class PayloadSchema:
    """What the payload of a handler looked like in one version."""

    handler: str
    version: int
    schema: Mapping[str, Any]
    """A JSON schema."""


@dataclass(frozen=True, slots=True)
class WaitingPayload:
    """A job that has not begun, with what it waits to run with."""

    tenant: UUID
    job_id: UUID
    handler: str
    payload: bytes
    """JSON, as it is stored."""
