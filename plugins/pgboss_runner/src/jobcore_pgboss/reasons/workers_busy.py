"""All hands of the workers that serve the queue are taken."""

from __future__ import annotations

from jobcore.ports.reasons import Question, Reason, Severity
from jobcore.ports.wording import counted
from jobcore_pgboss.reasons.looking import look


class WorkersAreBusy:
    """Compares how many jobs the live workers run at a time with how many are claimed in their queues."""

    async def explain(self, question: Question) -> Reason | None:
        if not question.waits:
            return None
        for row in await look(question, "why_workers_busy"):
            if not row["slots"] or row["running"] < row["slots"]:
                return None
            return Reason(
                severity=Severity.WAITING,
                summary=f"The {counted(row['workers'], 'live worker')} of the queue {question.job.queue!r} can run "
                f"{counted(row['slots'], 'job')} at a time, and {row['running']:,} are claimed in the queues that "
                f"{'it serves' if row['workers'] == 1 else 'they serve'}.",
                remedy="It goes on when one has ended. Raise worker.concurrency, or start more workers; "
                "`jobcore jobs list --state processing` shows what they do.",
                facts={"workers": row["workers"], "slots": int(row["slots"]), "claimed": row["running"]},
            )
        return None
