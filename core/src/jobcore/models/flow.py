"""Flow control: what holds a job up before its engine gets it, and what it does with others of its key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One thing that a job has to pass before its engine gets it; gates of one name are one gate."""

    name: str
    limit: int | None = None
    """Jobs that may be in the engine at once, from their admission until they end or are put off."""
    rate: float | None = None
    """Jobs a second that may pass, on average."""
    burst: float | None = None
    """Jobs that may pass at once, where none has passed for a while."""
    weight: float | None = None
    """The tenant's share of the workers, among the tenants whose jobs wait here."""


class OnFailure(StrEnum):
    """What becomes of a job if one after which it was to run failed or was cancelled."""

    CANCEL = "cancel"
    RUN = "run"
    """It runs all the same."""
    WAIT = "wait"
    """It waits until an operator's retry lets that one complete."""


@dataclass(frozen=True, slots=True)
class Parent:
    """A job of the same tenant that has to end first."""

    job_id: UUID
    on_failure: OnFailure = OnFailure.CANCEL


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What holds a job up before its engine gets it."""

    gates: tuple[Gate, ...] = ()
    after: tuple[Parent, ...] = ()


class OnConflict(StrEnum):
    """What a new job does where another one of its tenant and name holds its dedupe key."""

    SKIP = "skip"
    """It is not made: that one stands for it."""
    REPLACE = "replace"
    """It takes the place of one that waits; one that runs goes on."""
    SUPERSEDE = "supersede"
    """It takes the place of one that waits, and one that runs is told to stop."""
    DEBOUNCE = "debounce"
    """As `replace`, and it waits for the window: each call puts it off."""
    THROTTLE = "throttle"
    """It is not made within the window since the last one was, ended or not."""
    QUEUE = "queue"
    """It waits for the end of those that came before."""


class PauseKind(StrEnum):
    """What can be paused."""

    QUEUE = "queue"
    HANDLER = "handler"
    TENANT = "tenant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """What an operator has paused: its jobs are accepted and wait."""

    kind: PauseKind
    name: str
    """The queue's or the handler's name, or the tenant's id."""
    reason: str | None
    paused_by: str | None
    paused_at: datetime
