"""The job stands for all enqueues with its dedupe key."""

from __future__ import annotations

from jobcore.ports.reasons import Question, Reason, Severity
from jobcore.ports.wording import command


class HoldsDedupeKey:
    """Tells whoever was answered `deduplicated` that this job is the one."""

    async def explain(self, question: Question) -> Reason | None:
        job = question.job
        if job.dedupe_key is None or job.status.is_terminal or not await _holds_key(question):
            return None
        return Reason(
            severity=Severity.INFO,
            summary=f"It holds the dedupe key {job.dedupe_key!r}: until it has ended, enqueues of {job.type!r} with "
            "this key are answered with this one, and make no job of their own unless their on_conflict says so.",
            remedy=f"To have another one made, end it first: {command('cancel', job)}.",
            facts={"dedupe_key": job.dedupe_key},
        )


async def _holds_key(question: Question) -> bool:
    """Whether it does so still: a newer job may have taken its key."""
    view = await question.app.store.explain_admission(question.job.tenant, question.job.job_id)
    return view is None or view.holds_key
