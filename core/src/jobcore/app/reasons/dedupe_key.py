"""The job stands for all enqueues with its dedupe key."""

from __future__ import annotations

from jobcore.ports.reasons import Question, Reason, Severity
from jobcore.ports.wording import command


class HoldsDedupeKey:
    """Tells whoever was answered `deduplicated` that this job is the one."""

    async def explain(self, question: Question) -> Reason | None:
        job = question.job
        if job.dedupe_key is None or job.status.is_terminal or job.epoch > 0:
            return None  # a job that was retried may have found its key with a newer one
        return Reason(
            severity=Severity.INFO,
            summary=f"It holds the dedupe key {job.dedupe_key!r}: until it has ended, enqueues of {job.type!r} with "
            "this key make no job of their own, and are answered with this one.",
            remedy=f"To have another one made, end it first: {command('cancel', job)}.",
            facts={"dedupe_key": job.dedupe_key},
        )
