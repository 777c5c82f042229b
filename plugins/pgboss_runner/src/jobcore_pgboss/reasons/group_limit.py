"""As many jobs of its group run as the settings allow."""

from __future__ import annotations

from jobcore.ports.reasons import Question, Reason, Severity
from jobcore.ports.wording import counted, listed
from jobcore_pgboss.reasons.looking import Row, id_shown, look
from jobcore_pgboss.settings import GroupLimit, PgBossSettings


class GroupIsFull:
    """Compares `pgboss.group_limits` with what runs. A limit that Node gave to its own `work` call is known to Node
    alone."""

    async def explain(self, question: Question) -> Reason | None:
        job = question.job
        limit = question.app.settings.section("pgboss", PgBossSettings).group_limits.get(job.queue)
        if limit is None or not question.waits:
            return None
        rows = await look(question, "why_group_limit")
        running = [row for row in rows if row["job_id"] is not None]
        if not rows or len(running) < (most := _most(limit, rows[0])):
            return None
        tier = f" of the tier {rows[0]['group_tier']!r}" if rows[0]["group_tier"] else ""
        shown = [shown for row in running if (shown := id_shown(question, row)) is not None]
        return Reason(
            severity=Severity.WAITING,
            summary=f"Its group {rows[0]['group_id']!r}{tier} has {counted(len(running), 'job')} running, and the "
            f"setting pgboss.group_limits allows {most} in the queue {job.queue!r}. Running: {_told(running, shown)}.",
            remedy="It goes on when one of them has ended; or raise the limit and restart the workers.",
            facts={
                "group": rows[0]["group_id"],
                "tier": rows[0]["group_tier"],
                "limit": most,
                "running": len(running),
                "held_by": shown,
            },
        )


def _most(limit: GroupLimit, row: Row) -> int:
    return limit.tiers.get(row["group_tier"], limit.default)


def _told(running: list[Row], shown: list[str]) -> str:
    hidden = len(running) - len(shown)
    return listed([*shown, *([f"{counted(hidden, 'job')} of other tenants"] if hidden else [])])
