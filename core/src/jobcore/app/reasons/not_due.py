"""Its time has not come: a delay, or the pause before its next attempt."""

from __future__ import annotations

from datetime import datetime

from jobcore.app.reasons.admission import admission_of
from jobcore.models import JobRecord
from jobcore.ports.reasons import Question, Reason, Severity
from jobcore.ports.wording import instant, last_error, span


class NotDue:
    """Asks the store, whose clock counts. An engine that keeps times of its own brings a finder that asks it."""

    async def explain(self, question: Question) -> Reason | None:
        view = await admission_of(question)
        if view is None or view.due_in <= 0:
            return None
        job = question.job
        return not_due(job, job.run_at, view.due_in, retries=job.error is not None)


def not_due(job: JobRecord, due_at: datetime, seconds: float, *, retries: bool) -> Reason:
    """Say when a job's time comes, and what it is that it waits for."""
    error = last_error(job) if retries else ""
    what = f"its next attempt, {job.attempt + 1} of {job.max_attempts}" if retries else "its time"
    return Reason(
        severity=Severity.WAITING,
        summary=f"It waits for {what}, at {instant(due_at)}, in {span(seconds)}."
        + (f" The last one ended with {error}" if error else ""),
        facts={
            "due_at": due_at,
            "seconds": seconds,
            "retries": retries,
            "attempt": job.attempt,
            "error": error or None,
        },
    )
