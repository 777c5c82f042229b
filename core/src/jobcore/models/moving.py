"""Moving jobs and schedules from one engine to another: what there is to move, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerStanding:
    """What an engine has of one handler."""

    handler: str
    waiting: int = 0
    """Jobs that have not begun: pending, queued, delayed, or waiting for another attempt."""
    running: int = 0
    schedules: int = 0
    """Those that name this engine."""
    following: int = 0
    """Schedules that name none: their fires go where the settings say."""


@dataclass(frozen=True, slots=True)
class Movable:
    """What an engine had at an instant of the database's clock."""

    at: datetime
    handlers: tuple[HandlerStanding, ...]


class MoveVerdict(StrEnum):
    """What became of a job that was to be moved."""

    MOVED = "moved"
    RUNNING = "running"
    """It had begun meanwhile, or ended."""
    KEPT = "kept"
    """Its engine does not let it go."""
    BUSY = "busy"
    """Somebody held it just then."""
    REFUSED = "refused"
    """The other engine does not take it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Which jobs are to be moved. A page of them follows another one."""

    source: str
    target: str
    handlers: tuple[str, ...]
    tenant: UUID | None = None
    """`None`: of every tenant."""
    until: datetime
    """Only jobs that were made until then."""
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    """What the target is told of a handler's jobs beside, by handler."""
    limit: int = 50
    """The most in one transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedJob:
    """A job that was looked at."""

    tenant: UUID
    job_id: UUID
    handler: str
    verdict: MoveVerdict
    reason: str | None = None
    """Of a refusal, in the words of the engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedHandler:
    """What a cutover did with one handler's jobs and schedules, or would do."""

    handler: str
    moved: int = 0
    running: int = 0
    """Left to end where they are, as they were counted at the end."""
    arrived: int = 0
    """Jobs that waited at the end where the others had left: made meanwhile, or tried again after a failure there."""
    schedules: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict[str, int])
    """Reason to the number of jobs that stay where they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutover:
    """What a cutover did, or would do; counted since it was called, whatever an earlier one had done."""

    source: str
    target: str
    dry_run: bool
    handlers: tuple[MovedHandler, ...]
    following: int
    """Schedules that name no engine, and follow the settings."""
    unrecorded: Mapping[str, int]
    """Queue to the number of jobs that others put there, and that have no row in `jobs`: left alone."""
    warnings: tuple[str, ...] = ()

    @property
    def moved(self) -> int:
        return sum(handler.moved for handler in self.handlers)

    @property
    def schedules(self) -> int:
        return sum(handler.schedules for handler in self.handlers)
