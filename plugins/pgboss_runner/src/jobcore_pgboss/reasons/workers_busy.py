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
                summary=f"The live workers of the queue {question.job.queue!r} have no free slot: "
                f"{counted(row['workers'], 'worker')}, {counted(row['slots'], 'slot')}, "
                f"{counted(row['running'], 'job')} claimed in the queues that they serve.",
                remedy="It goes on when one has ended. Raise worker.concurrency, or start more workers; "
                "`jobcore jobs list --state processing` shows what they do.",
                facts={"workers": row["workers"], "slots": int(row["slots"]), "claimed": row["running"]},
            )
        return None
