"""The admission port: what a store does for flow control, which is one rule for every engine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from jobcore.models import Pause, PauseKind


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
