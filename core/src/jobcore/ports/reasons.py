"""The reasons port: why a job is not running. Plugins add finders, each of one reason (`jobcore_register_reasons`).

A finder looks and changes nothing. What it tells may be shown to the job's tenant: it names no other tenant's job
unless `Question.may_show` allows it, and never quotes a payload.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from jobcore.models import JobRecord
from jobcore.states import RUNNING_STATES, WAITING_STATES, JobState


class Severity(StrEnum):
    """What a reason means for its job; the gravest first."""

    BLOCKED = "blocked"
    """It will not run, or will fail, until somebody acts."""
    WAITING = "waiting"
    """It waits for something that passes by itself: an instant, another job's end, free hands."""
    INFO = "info"
    """Nothing keeps it: it runs, has ended, or is what else one should know."""
    UNKNOWN = "unknown"
    """The reason could not be looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One answer to why a job is not running."""

    severity: Severity
    summary: str
    """One sentence: what keeps the job, and what or who holds that."""
    remedy: str = ""
    """What to do next, if there is something to do."""
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The same for programs: ids, instants, counts. Values that JSON can hold."""
    code: str = ""
    """The name under which its finder was registered; the application fills it in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The job that somebody asks about, as it stood at the beginning."""

    app: Any
    """The open `jobcore.JobApp`."""
    job: JobRecord
    for_operator: bool = False
    """Whether whoever asks may see every tenant."""

    @property
    def waits(self) -> bool:
        return self.job.status in WAITING_STATES

    @property
    def runs(self) -> bool:
        return self.job.status in RUNNING_STATES

    def may_show(self, tenant: UUID) -> bool:
        """Whether jobs of this tenant may be named in the answer."""
        return self.for_operator or tenant == self.job.tenant


class ReasonFinder(Protocol):
    """Looks for one reason."""

    async def explain(self, question: Question) -> Reason | None:
        """Return the reason if it applies to the job. Is given ten seconds; what it raises is told in its place."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """All reasons of one job, the gravest first. Never empty: without a reason to wait, that is said (`ready`)."""

    job_id: UUID
    tenant: UUID
    name: str
    queue: str
    runner_type: str
    status: JobState
    reasons: tuple[Reason, ...]

    @property
    def needs_attention(self) -> bool:
        """Whether the job stays where it is until somebody acts, or this could not be found out."""
        return any(reason.severity in (Severity.BLOCKED, Severity.UNKNOWN) for reason in self.reasons)
