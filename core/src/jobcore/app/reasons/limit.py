"""As many jobs as a limit of the job allows are in the engine."""

from __future__ import annotations

from jobcore.app.reasons.admission import ahead_facts, ahead_told, at_gates
from jobcore.ports.admission import GateView
from jobcore.ports.reasons import Question, Reason, Severity
from jobcore.ports.wording import counted, listed, tenant_name


class LimitIsFull:
    """Tells which limits are full, and who holds them."""

    async def explain(self, question: Question) -> Reason | None:
        view = await at_gates(question)
        full = [] if view is None else [one for one in view.gates if one.gate.limit is not None and one.is_full]
        if view is None or not full:
            return None
        return Reason(
            severity=Severity.WAITING,
            summary=" ".join(_told(question, one) for one in full) + ahead_told(question, view),
            remedy="It goes on when one of them has ended or is put off; or let the handler allow more.",
            facts={
                "limits": [
                    {
                        "limit": one.gate.name,
                        "most": one.most,
                        "taken": one.taken,
                        "of_this_tenant": one.taken_by_tenant,
                        "held_by": [str(holder.job_id) for holder in one.holders if question.may_show(holder.tenant)],
                    }
                    for one in full
                ],
                **ahead_facts(question, view),
            },
        )


def _told(question: Question, one: GateView) -> str:
    taken = f"{one.taken:,} of {counted(one.most or 0, 'place')}"
    return f"Its limit {one.gate.name!r} is full, {taken}: held by {_holders(question, one)}."


def _holders(question: Question, one: GateView) -> str:
    shown = [holder for holder in one.holders if question.may_show(holder.tenant)]
    names = [
        f"job {holder.job_id}"
        + ("" if holder.tenant == question.job.tenant else f" of tenant {tenant_name(holder.tenant)}")
        for holder in shown
    ]
    hidden = one.taken - len(shown)
    rest = f"{counted(hidden, 'other job')}" if question.for_operator or shown else counted(hidden, "job")
    return listed([*names, *([rest] if hidden > 0 else [])])
