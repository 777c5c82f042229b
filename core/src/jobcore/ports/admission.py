"""The admission port: what a store does for flow control, which is one rule for every engine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from jobcore.models import Gate, OnFailure, Pause, PauseKind
from jobcore.states import JobState

MOST_TOLD = 3
"""Jobs of each kind that an `AdmissionView` names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionRound:
    """One look at the jobs that wait."""

    admitted: int
    """Jobs that their engines have now."""
    reached: str | None
    """Where the next look goes on; `None` if all lanes were looked at."""
    more: bool
    """Whether another look from the beginning may admit more."""
    next_in: float | None
    """Seconds until time alone lets another job pass; `None` if only an event can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A job that is in the engine and holds a place of a gate."""

    tenant: UUID
    job_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class GateView:
    """A gate as it stands now before a job of some tenant."""

    gate: Gate
    most: int | None
    """Places that it has; `None` for one that counts none."""
    taken: int
    taken_by_tenant: int
    holders: Sequence[Holder]
    """Some of those that hold a place of its limit, the tenant's first."""
    tokens: float | None
    """What is in its bucket; a job needs one. `None` for a gate without a rate."""

    @property
    def is_full(self) -> bool:
        return self.most is not None and self.taken >= self.most


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitedParent:
    """A job for whose end another one waits."""

    job_id: UUID
    name: str | None
    status: JobState | None
    """`None`, as the name, for a job that is no longer there."""
    on_failure: OnFailure

    @property
    def is_dead_end(self) -> bool:
        """Whether it has ended, and nothing but a retry of it lets the other one go on."""
        return self.on_failure is OnFailure.WAIT and self.status in (JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionView:
    """What stands between a job and its engine."""

    is_held: bool
    """Whether it waits for its admission at all."""
    holds_key: bool
    """Whether it stands for new jobs with its dedupe key."""
    due_in: float
    """Seconds until its time, by the store's clock; not above zero if that has come."""
    awaited: int
    """Jobs that have to end first."""
    parents: Sequence[AwaitedParent]
    """Some of them, dead ends first."""
    gates: Sequence[GateView]
    """Those that it has to pass, if it waits for its admission."""
    ahead: int
    """Due jobs that wait for the same and go before it, at most 10,001 of each more important and older ones."""
    ahead_of_tenant: int
    """Those of its own tenant."""

    @property
    def is_at_gates(self) -> bool:
        """Whether nothing else holds it up."""
        return self.is_held and self.awaited == 0 and self.due_in <= 0


class AdmissionStore(ABC):
    """Which jobs wait for their admission, and what is paused."""

    @abstractmethod
    async def admit(self, beyond: str = "", *, thorough: bool = False) -> AdmissionRound | None:
        """Give waiting jobs to their engines, those that `jobcore.policies.admission.choose` picks, in one transaction.

        Any worker may call it at any time; `None` if another one is at it.

        Args:
            beyond: the lane after which to look.
            thorough: look also for parents whose end was told to nobody; now and then is enough.
        """

    @abstractmethod
    async def pause(self, kind: PauseKind, name: str, *, reason: str | None, paused_by: str | None) -> bool:
        """Pause a queue, a handler or a tenant: running jobs go on, no other begins. False if it was paused."""

    @abstractmethod
    async def resume(self, kind: PauseKind, name: str) -> bool:
        """Let it go on. False if it was not paused."""

    @abstractmethod
    async def pauses(self) -> Sequence[Pause]:
        """What is paused, the oldest first."""

    @abstractmethod
    async def explain_admission(self, tenant: UUID, job_id: UUID) -> AdmissionView | None:
        """Say what stands between a job and its engine; `None` for one that was only recorded, or is not there."""
