"""Its time has not come: a delay, or the pause before its next attempt."""

from __future__ import annotations

from jobcore.ports.reasons import Question, Reason, Severity
from jobcore.ports.wording import instant, last_error, span
from jobcore_pgboss.reasons.looking import look


class NotDue:
    """Reads when the queue gives the job out, by the database's clock."""

    async def explain(self, question: Question) -> Reason | None:
        job = question.job
        for row in await look(question, "why_not_due"):
            retries = row["state"] == "retry"
            error = last_error(job) if retries else ""
            what = f"its next attempt, {job.attempt + 1} of {job.max_attempts}" if retries else "its time"
            return Reason(
                severity=Severity.WAITING,
                summary=f"It waits for {what}, at {instant(row['due_at'])}, in {span(row['seconds'])}."
                + (f" The last one ended with {error}" if error else ""),
                facts={
                    "due_at": row["due_at"],
                    "seconds": row["seconds"],
                    "retries": retries,
                    "attempt": job.attempt,
                    "error": error or None,
                },
            )
        return None
