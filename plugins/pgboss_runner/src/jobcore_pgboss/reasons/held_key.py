"""Another job holds its key, by the policy of its queue."""

from __future__ import annotations

from jobcore.ports.reasons import Question, Reason, Severity
from jobcore.ports.wording import command_of, instant
from jobcore_pgboss.reasons.looking import Row, id_shown, job_named, look

STATES = {
    "active": "is running",
    "retry": "waits for its next attempt",
    "failed": "has failed",
    "created": "was sent before it and has not run",
}


class KeyIsHeld:
    """Looks for the job that has to end first. The policies `short` and `exclusive` hold no job back that is queued:
    they refuse a second one when it is sent."""

    async def explain(self, question: Question) -> Reason | None:
        if not question.waits:
            return None
        for row in await look(question, "why_held_key"):
            failed = row["state"] == "failed"
            key = f"the key {row['key']!r}" if row["key"] else "the queue"
            until = f" at {instant(row['due_at'])}" if row["state"] == "retry" else ""
            return Reason(
                severity=Severity.BLOCKED if failed else Severity.WAITING,
                summary=f"The policy {row['policy']} of the queue {question.job.queue!r} runs "
                f"{'the jobs of a key in order' if row['policy'] == 'key_strict_fifo' else 'one job a key'}, and "
                f"{key} is held by {job_named(question, row)}, which {STATES[row['state']]}{until}.",
                remedy=_remedy(question, row) if failed else "It goes on when that job has ended.",
                facts={
                    "policy": row["policy"],
                    "key": row["key"],
                    "held_by": id_shown(question, row),
                    "holder_state": row["state"],
                },
            )
        return None


def _remedy(question: Question, row: Row) -> str:
    if not question.may_show(row["tenant"]):
        return "An operator has to retry that job, or to delete it."
    retry = command_of("retry", row["tenant"], row["job_id"])
    return f"Nothing of the key runs before that job has: {retry}, or delete it in pg-boss."
