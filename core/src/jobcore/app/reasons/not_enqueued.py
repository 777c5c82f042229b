"""The job is only recorded: no engine was given it."""

from __future__ import annotations

from jobcore.app.reasons.admission import admission_of
from jobcore.ports.reasons import Question, Reason, Severity
from jobcore.ports.wording import command
from jobcore.states import JobState


class NotEnqueued:
    """Tells of pending jobs that wait for nothing."""

    async def explain(self, question: Question) -> Reason | None:
        job = question.job
        if job.status is not JobState.PENDING or await admission_of(question) is not None:
            return None
        return Reason(
            severity=Severity.BLOCKED,
            summary="It is recorded and was given to no engine: create_job alone runs nothing.",
            remedy=f"Enqueue it with app.enqueue(...) instead; {command('cancel', job)} puts this one away.",
            facts={"status": job.status.value},
        )
