"""The queue has no row of the job: somebody deleted it in pg-boss."""

from __future__ import annotations

from jobcore.ports.reasons import Question, Reason, Severity
from jobcore.ports.wording import command
from jobcore.states import JobState
from jobcore_pgboss.reasons.looking import look
from jobcore_pgboss.settings import PgBossSettings


class NotInQueue:
    """Looks for the job's queue row, and for its queue."""

    async def explain(self, question: Question) -> Reason | None:
        job = question.job
        if job.status.is_terminal or job.status is JobState.PENDING:
            return None
        for row in await look(question, "why_not_in_queue"):
            what = "row is" if row["has_queue"] else f"queue {job.queue!r} and its row are"
            settings = question.app.settings.section("pgboss", PgBossSettings)
            grace = settings.supervision.vanished_grace_seconds
            return Reason(
                severity=Severity.BLOCKED,
                summary=f"Its {what} gone from pg-boss: deleted there, by a program or by hand.",
                remedy=f"A live worker cancels it within {grace:g} s of missing it. To have it done all the same, wait "
                f"for that, and then {command('retry', job)}.",
                facts={
                    "queue": job.queue,
                    "has_queue": row["has_queue"],
                    "missed_since": row["missed_since"],
                    "grace_seconds": grace,
                },
            )
        return None
