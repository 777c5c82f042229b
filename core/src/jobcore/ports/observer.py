"""The observer port: told what happened, never asked; an observer that raises is logged and changes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from jobcore.models import Claim, Enqueued, NewJob, Settlement


class Observer:
    """Override what you want to hear of. Calls come from the event loop and must not block; they are never awaited.

    Each process tells what it does itself: nobody hears of what Node or plain SQL enqueued until a worker claims it.
    """

    def job_enqueued(self, job: NewJob, enqueued: Enqueued) -> None:
        """A job was accepted; on a caller's own transaction it is not yet committed.

        Told for every job that this process enqueues: by a call, by a handler, or as a schedule's fire. Where
        `enqueued.deduplicated` is true, another job stood for it already, and none was made.
        """

    def job_started(self, claim: Claim) -> None:
        """A handler is about to run; not told for an attempt that fails before, such as one whose payload is wrong."""

    def job_settled(self, settlement: Settlement, applied: bool) -> None:
        """An attempt ended, and its end is written. `applied` is false if the job had been taken from this worker.

        A job that is cancelled while it waits has no attempt, and nothing is told.
        """

    def jobs_rescued(self, runner_type: str, job_ids: Sequence[str]) -> None:
        """This worker handed on the jobs of a worker that died, to be run by others, or to end as failed."""

    def runner_degraded(self, runner_type: str, reason: str) -> None:
        """A worker's runner lost its engine, and keeps trying; `reason` says how."""

    def runner_recovered(self, runner_type: str) -> None:
        """The engine answers again; told once after each `runner_degraded`."""


CALLS = tuple(name for name in vars(Observer) if not name.startswith("_"))
"""What an observer may hear of, by name."""
