"""The job is the child of a flow, and its parents have not completed."""

from __future__ import annotations

from jobcore.ports.reasons import Question, Reason, Severity
from jobcore.ports.wording import counted, listed, why_command
from jobcore_pgboss.reasons.looking import Row, id_shown, look

DEAD_ENDS = {"failed", "cancelled", None}
"""States that a parent does not leave by itself; `None` is that of a deleted one."""


class WaitsForParents:
    """Reads `pgboss.job_dependency`, and where the parents stand."""

    async def explain(self, question: Question) -> Reason | None:
        rows = await look(question, "why_flow_parents")
        if not rows:
            return None
        parents = [row for row in rows if row["job_id"] is not None]
        unfinished = [row for row in parents if row["state"] != "completed"]
        stuck = [row for row in unfinished if row["state"] in DEAD_ENDS]
        summary, remedy = _words(question, unfinished, stuck)
        return Reason(
            severity=Severity.BLOCKED if stuck else Severity.WAITING,
            summary=summary,
            remedy=remedy,
            facts={
                "parents": len(parents),
                "unfinished": [
                    {"job_id": id_shown(question, row), "queue": row["queue"], "state": row["state"]}
                    for row in unfinished
                ],
            },
        )


def _words(question: Question, unfinished: list[Row], stuck: list[Row]) -> tuple[str, str]:
    if not unfinished:
        return (
            "All parents of its flow have completed, and it has not been told yet.",
            "A live worker, of ours or of Node, tells it within seconds; if none is live, start one.",
        )
    told = listed(_parent(question, row) for row in (*stuck, *(row for row in unfinished if row not in stuck)))
    summary = f"It is a flow's child, and waits for {counted(len(unfinished), 'parent')}: {told}."
    if stuck:
        return summary, "A child runs when all its parents have completed: retry those that did not, or cancel it."
    if question.may_show(unfinished[0]["tenant"]):
        ask = why_command(unfinished[0]["tenant"], unfinished[0]["job_id"])
        return summary, f"It runs when they have completed; {ask} tells what keeps the first."
    return summary, "It runs when they have completed."


def _parent(question: Question, row: Row) -> str:
    name = row["job_id"] if question.may_show(row["tenant"]) else "another tenant's job"
    return f"{name} of {row['queue']} ({row['state'] or 'deleted'})"
