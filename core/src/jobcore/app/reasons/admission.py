"""What the finders share that look at a job's admission."""

from __future__ import annotations

from jobcore.ports.admission import AdmissionView
from jobcore.ports.reasons import Question
from jobcore.ports.wording import MOST_COUNTED, counted


async def admission_of(question: Question) -> AdmissionView | None:
    """Return what stands between a waiting job and its engine; `None` for others, and for one only recorded."""
    if not question.waits:
        return None
    return await question.app.store.explain_admission(question.job.tenant, question.job.job_id)


async def at_gates(question: Question) -> AdmissionView | None:
    """As `admission_of`, for a job whose time has come and whose parents have ended."""
    view = await admission_of(question)
    return view if view is not None and view.is_at_gates else None


def ahead_told(question: Question, view: AdmissionView) -> str:
    """Return a sentence on how many go first, to follow another; a tenant is told the number of its own jobs only."""
    number = view.ahead if question.for_operator else view.ahead_of_tenant
    if number == 0:
        return " Others wait before it." if view.ahead else ""
    many = counted(number, "job") if number <= MOST_COUNTED else f"More than {MOST_COUNTED:,} jobs"
    whose = "" if question.for_operator else " of its tenant"
    return f" {many}{whose} wait{'s' if number == 1 else ''} before it."


def ahead_facts(question: Question, view: AdmissionView) -> dict[str, int]:
    """Return the same for the facts."""
    every = {"ahead": view.ahead} if question.for_operator else {}
    return {**every, "ahead_of_this_tenant": view.ahead_of_tenant}
