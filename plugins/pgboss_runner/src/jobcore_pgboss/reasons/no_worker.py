"""No live worker takes jobs of the queue, neither of ours nor of Node."""

from __future__ import annotations

from dataclasses import replace

from jobcore.ports.reasons import Question, Reason, Severity
from jobcore.ports.wording import listed
from jobcore_pgboss.reasons.looking import look


class NoWorker:
    """As on every engine; but Node's instances serve queues as well, and stand in pg-boss's own registry."""

    async def explain(self, question: Question) -> Reason | None:
        from jobcore.app.reasons.no_worker import no_worker

        if not question.waits:
            return None
        reason = no_worker(question.job, await question.app.store.live_workers())
        if reason is None or not (nodes := await _nodes(question)):
            return reason
        where = f": {listed(nodes)}" if question.for_operator else ""
        return replace(
            reason,
            severity=Severity.INFO,
            summary=f"The queue {question.job.queue!r} is served by Node{where}, and by no live worker of jobcore.",
            remedy="If the job does not move, look at that Node service's log.",
            facts={**reason.facts, "node_instances": nodes if question.for_operator else len(nodes)},
        )


async def _nodes(question: Question) -> list[str]:
    """Return host and process of the Node instances that work the queue; schemas before version 44 do not tell."""
    (schema,) = await look(question, "why_node_registry")
    if not schema["has_registry"]:
        return []
    return [f"{row['host']}:{row['pid']}" for row in await look(question, "why_node_workers")]
