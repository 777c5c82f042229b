"""The job is claimed: by which worker, since when, and until when its lease lasts."""

from __future__ import annotations

from jobcore.ports.reasons import Question, Reason, Severity
from jobcore.ports.wording import instant
from jobcore_pgboss.reasons.looking import Row, look


class IsClaimed:
    """Reads the claim from the queue: `jobs` hears of it a moment later, and of Node's claims only when they end."""

    async def explain(self, question: Question) -> Reason | None:
        from jobcore.app.reasons.running import progress, remedy

        job = question.job
        for row in await look(question, "why_running"):
            facts = {
                "claimed_at": row["claimed_at"],
                "attempt": row["attempt"],
                "max_attempts": row["max_attempts"],
                "lease_until": row["lease_until"],
                "lease_lost": row["lease_lost"],
                "progress": job.progress,
                "cancel_requested": job.cancel_requested is not None,
                **_worker_facts(question, row),
            }
            if row["lease_lost"]:
                return _abandoned(question, row, facts)
            return Reason(
                severity=Severity.INFO,
                summary=f"It is running since {instant(row['claimed_at'])}, attempt {row['attempt']} of "
                f"{row['max_attempts']}{progress(job)}, {_holder(question, row)}; its lease lasts until "
                f"{instant(row['lease_until'])}.",
                remedy=remedy(job),
                facts=facts,
            )
        return None


def _abandoned(question: Question, row: Row, facts: dict[str, object]) -> Reason:
    return Reason(
        severity=Severity.WAITING,
        summary=f"It was claimed at {instant(row['claimed_at'])}, {_holder(question, row)}, and its lease ran out at "
        f"{instant(row['lease_until'])}: whoever held it is gone or hangs.",
        remedy="Any live worker of the queue takes it back within seconds. If none runs, start one with "
        "`jobcore worker`.",
        facts=facts,
    )


def _holder(question: Question, row: Row) -> str:
    if row["worker_id"] is None:
        return "by Node, or by a worker that has not reported its start yet"
    if not question.for_operator:
        return "by a worker"
    place = f" ({row['host']}:{row['pid']})" if row["host"] else ", which is no longer live"
    return f"by worker {row['worker_id']}{place}"


def _worker_facts(question: Question, row: Row) -> dict[str, object]:
    if not question.for_operator:
        return {}
    worker = None if row["worker_id"] is None else str(row["worker_id"])
    return {"worker_id": worker, "host": row["host"], "pid": row["pid"], "worker_seen_at": row["seen_at"]}
