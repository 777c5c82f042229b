"""Its time has not come: a delay, or the pause before its next attempt."""

from __future__ import annotations

from jobcore.ports.reasons import Question, Reason
from jobcore.states import JobState
from jobcore_pgboss.reasons.looking import look


class NotDue:
    """Reads when the queue gives the job out, by the database's clock; before its admission the store knows."""

    async def explain(self, question: Question) -> Reason | None:
        from jobcore.app.reasons import not_due

        if question.job.status is JobState.PENDING:
            return await not_due.NotDue().explain(question)
        for row in await look(question, "why_not_due"):
            return not_due.not_due(question.job, row["due_at"], row["seconds"], retries=row["state"] == "retry")
        return None
