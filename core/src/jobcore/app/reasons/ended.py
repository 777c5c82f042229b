"""The job has ended already: how, and when."""

from __future__ import annotations

from jobcore.models import JobRecord
from jobcore.ports.reasons import Question, Reason, Severity
from jobcore.ports.wording import command, instant, last_error
from jobcore.states import JobState


class HasEnded:
    """Tells of completed, failed and cancelled jobs."""

    async def explain(self, question: Question) -> Reason | None:
        job = question.job
        if not job.status.is_terminal:
            return None
        return Reason(
            severity=Severity.INFO,
            summary=_summary(job),
            remedy=_remedy(job),
            facts={
                "status": job.status.value,
                "completed_at": job.completed_at,
                "attempt": job.attempt,
                "max_attempts": job.max_attempts,
                "error": last_error(job) or None,
            },
        )


def _summary(job: JobRecord) -> str:
    at = "" if job.completed_at is None else f" at {instant(job.completed_at)}"
    why = last_error(job)
    match job.status:
        case JobState.FAILED:
            return f"It failed{at}, at attempt {job.attempt} of {job.max_attempts}{f': {why}' if why else '.'}"
        case JobState.CANCELLED:
            by = (job.error or {}).get("cancelled_by")
            return f"It was cancelled{at}{f' by {by}' if by else ''}{f': {why}' if why else '.'}"
        case _:
            return f"It completed{at}."


def _remedy(job: JobRecord) -> str:
    if job.status is JobState.COMPLETED:
        return f"{command('show', job)} shows its result; to have it done again, enqueue another."
    return f"{command('retry', job)} queues it again, with its attempts renewed."
