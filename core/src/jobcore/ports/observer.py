"""The observer port: told what happened, never asked; an observer that raises is logged and changes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from jobcore.models import Claim, Enqueued, NewJob, Settlement


class Observer:
    """Override what you want to hear of. Calls come from the event loop and must not block."""

    def job_enqueued(self, job: NewJob, enqueued: Enqueued) -> None:
        """A job was accepted; on a caller's own transaction it is not yet committed."""

    def job_started(self, claim: Claim) -> None:
        """A handler is about to run."""

    def job_settled(self, settlement: Settlement, applied: bool) -> None:
        """An attempt ended. `applied` is false if the job had meanwhile been taken from this worker."""

    def jobs_rescued(self, runner_type: str, job_ids: Sequence[str]) -> None:
        """Jobs of a worker that died were handed to others."""

    def runner_degraded(self, runner_type: str, reason: str) -> None:
        """A runner lost its engine; `reason` says how."""

    def runner_recovered(self, runner_type: str) -> None:
        """The engine answers again."""
