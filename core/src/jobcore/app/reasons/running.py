"""The job runs already."""

from __future__ import annotations

from jobcore.models import JobRecord
from jobcore.ports.reasons import Question, Reason, Severity
from jobcore.ports.wording import command, instant


class IsRunning:
    """Tells since when, how far it is, and whether its cancellation was asked for."""

    async def explain(self, question: Question) -> Reason | None:
        job = question.job
        if not question.runs:
            return None
        since = "" if job.started_at is None else f" since {instant(job.started_at)}"
        return Reason(
            severity=Severity.INFO,
            summary=f"It is running{since}, attempt {job.attempt} of {job.max_attempts}{progress(job)}.",
            remedy=remedy(job),
            facts={
                "started_at": job.started_at,
                "attempt": job.attempt,
                "max_attempts": job.max_attempts,
                "progress": job.progress,
                "cancel_requested": job.cancel_requested is not None,
            },
        )


def progress(job: JobRecord) -> str:
    """Return how far the job is, to stand after a comma; empty if it never said."""
    return "" if job.progress is None else f", at {job.progress:g} %"


def remedy(job: JobRecord) -> str:
    """Return what can be done about a job that runs."""
    if job.cancel_requested is not None:
        return "Its cancellation was asked for: it ends once its handler looks at ctx.signal, or at its time-out."
    return f"Wait for its end; {command('cancel', job)} asks it to stop."
