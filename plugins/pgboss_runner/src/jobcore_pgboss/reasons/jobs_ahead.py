"""Due jobs of the queue stand before it: more important ones, and older ones."""

from __future__ import annotations

from jobcore.ports.reasons import Question, Reason, Severity
from jobcore.ports.wording import instant, span, standing_before, why_command
from jobcore_pgboss.reasons.looking import Row, id_shown, look

MOVES_WITHIN = 60.0
"""Seconds since a job of the queue last began or ended, within which the queue counts as moving."""


class JobsAhead:
    """Counts them, and says whether the queue moves."""

    async def explain(self, question: Question) -> Reason | None:
        if not question.waits:
            return None
        for row in await look(question, "why_jobs_ahead"):
            moves = row["last_moved_at"] is not None and _ago(row) <= MOVES_WITHIN
            counts = {"ahead": row["ahead"], "more_important": row["more_important"]} if question.for_operator else {}
            told = standing_before(row["ahead"], row["of_this_tenant"], for_operator=question.for_operator)
            return Reason(
                severity=Severity.WAITING,
                summary=f"{told}{_priority(question, row)}; the first has been due since "
                f"{instant(row['first_due_at'])}. {_movement(row, moves)}",
                remedy="Wait, or give urgent jobs a higher priority." if moves else _ask_of_first(question, row),
                facts={
                    **counts,
                    "of_this_tenant": row["of_this_tenant"],
                    "first": id_shown(question, row),
                    "first_due_at": row["first_due_at"],
                    "last_moved_at": row["last_moved_at"],
                    "moves": moves,
                },
            )
        return None


def _priority(question: Question, row: Row) -> str:
    if not question.for_operator or not row["more_important"]:
        return ""
    return f" ({row['more_important']:,} of a higher priority)"


def _ask_of_first(question: Question, row: Row) -> str:
    if not question.may_show(row["tenant"]):
        return ""
    return f"{why_command(row['tenant'], row['job_id'])} tells what keeps the first of them."


def _movement(row: Row, moves: bool) -> str:
    if row["last_moved_at"] is None:
        return "None of the queue's jobs is running."
    if moves:
        return f"The queue moves: a job of it began or ended {span(_ago(row))} ago."
    return f"The queue does not move: no job of it has begun or ended for {span(_ago(row))}."


def _ago(row: Row) -> float:
    return (row["now"] - row["last_moved_at"]).total_seconds()
