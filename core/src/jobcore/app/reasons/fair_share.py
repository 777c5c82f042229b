"""Jobs of other tenants come first, by their shares of the workers."""

from __future__ import annotations

from jobcore.app.reasons.admission import ahead_facts, ahead_told, at_gates
from jobcore.ports.reasons import Question, Reason, Severity
from jobcore.ports.wording import counted


class WaitsForItsShare:
    """Tells how many of its tenant's jobs are in the engine, of as many as tenants share."""

    async def explain(self, question: Question) -> Reason | None:
        view = await at_gates(question)
        full = [] if view is None else [one for one in view.gates if one.gate.weight is not None and one.is_full]
        if view is None or not full:
            return None
        share = full[0]
        return Reason(
            severity=Severity.WAITING,
            summary=f"It waits for its tenant's turn: the {counted(share.most or 0, 'place')} that tenants share in "
            f"the engine are taken, {share.taken_by_tenant:,} of them by its tenant, whose weight is "
            f"{share.gate.weight:g}.{ahead_told(question, view)}",
            remedy="The tenant with the fewest, by its weight, comes next. More workers make more places.",
            facts={
                "share": share.gate.name,
                "most": share.most,
                "of_this_tenant": share.taken_by_tenant,
                "weight": share.gate.weight,
                **ahead_facts(question, view),
            },
        )
