"""The login may not do what a worker does to take a job."""

from __future__ import annotations

from jobcore.ports.reasons import Question, Reason, Severity
from jobcore.ports.wording import listed
from jobcore_pgboss.reasons.looking import look


class NoPermission:
    """Asks the catalog for this program's own login; workers that log in otherwise have other rights."""

    async def explain(self, question: Question) -> Reason | None:
        if question.job.status.is_terminal:
            return None
        for row in await look(question, "why_no_permission"):
            login = f"The login {row['login']!r}" if question.for_operator else "The login of this program"
            return Reason(
                severity=Severity.BLOCKED,
                summary=f"{login} lacks {listed(row['missing'])}: a worker that logs in so cannot take the job.",
                remedy="Grant it jobcore_worker. Where Node's login owns the schema pgboss, run `jobcore migrate` with "
                "a login that may grant on it.",
                facts={"missing": list(row["missing"]), **({"login": row["login"]} if question.for_operator else {})},
            )
        return None
