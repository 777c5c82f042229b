"""The reasons that only the memory engine knows."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from jobcore.app.reasons.no_worker import no_worker
from jobcore.memory.rows import JobRow
from jobcore.memory.runner import MemoryMode, MemoryRunner
from jobcore.memory.store import MemoryStore
from jobcore.ports.reasons import Question, Reason, Severity
from jobcore.ports.wording import standing_before
from jobcore.states import JobState

UNATTENDED = {
    MemoryMode.MANUAL: (
        "The memory runner is in manual mode: nothing runs by itself.",
        "Call run_one(), drain() or advance() of the runner.",
    ),
    MemoryMode.INLINE: (
        "The memory runner is in inline mode: jobs run within their enqueue, and this one was put off.",
        "Use the mode 'manual' to run jobs that were snoozed or retried by hand.",
    ),
}


class NobodyWorks:
    """No live worker serves the queue, or the runner's mode wants none."""

    async def explain(self, question: Question) -> Reason | None:
        if not question.waits:
            return None
        runner = cast("MemoryRunner", await question.app.runner(question.job.runner_type))
        if runner.mode is MemoryMode.WORKER:
            return no_worker(question.job, await question.app.store.live_workers())
        summary, remedy = UNATTENDED[runner.mode]
        return Reason(severity=Severity.BLOCKED, summary=summary, remedy=remedy, facts={"mode": runner.mode.value})


class JobsAhead:
    """Due jobs of the queue that are more important or older."""

    async def explain(self, question: Question) -> Reason | None:
        tables, job = _store(question).tables, question.job
        now = tables.clock.now()
        if job.status is not JobState.QUEUED or job.run_at > now:
            return None
        place = _place(tables.row(job.tenant, job.job_id))
        ahead = [
            row
            for row in tables.committed()
            if row.plan.queue == job.queue
            and row.status is JobState.QUEUED
            and row.run_at <= now
            and _place(row) < place
        ]
        if not ahead:
            return None
        own = sum(row.plan.tenant == job.tenant for row in ahead)
        facts = {"of_this_tenant": own, **({"ahead": len(ahead)} if question.for_operator else {})}
        told = standing_before(len(ahead), own, for_operator=question.for_operator)
        return Reason(severity=Severity.WAITING, summary=f"{told}: more important, or due earlier.", facts=facts)


def _place(row: JobRow) -> tuple[int, datetime, int]:
    return -row.plan.priority, row.run_at, row.ticket


def _store(question: Question) -> MemoryStore:
    return cast("MemoryStore", question.app.store)
