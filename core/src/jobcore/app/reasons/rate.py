"""Jobs of its kind have begun as often as its rate allows."""

from __future__ import annotations

from jobcore.app.reasons.admission import ahead_facts, ahead_told, at_gates
from jobcore.models import Gate
from jobcore.ports.admission import GateView
from jobcore.ports.reasons import Question, Reason, Severity
from jobcore.ports.wording import span

SPANS = ((1, "second"), (60, "minute"), (3_600, "hour"), (86_400, "day"))


class RateIsUsedUp:
    """Looks into the buckets, and says when the next token comes."""

    async def explain(self, question: Question) -> Reason | None:
        view = await at_gates(question)
        empty = [] if view is None else [one for one in view.gates if lacking(one) > 0]
        if view is None or not empty:
            return None
        slowest = max(empty, key=lacking)
        return Reason(
            severity=Severity.WAITING,
            summary=f"Its rate {slowest.gate.name!r}, {_rate(slowest.gate)}, is used up: the next job may begin in "
            f"{_wait(lacking(slowest))}.{ahead_told(question, view)}",
            facts={
                "rate": slowest.gate.name,
                "per_second": slowest.gate.rate,
                "burst": slowest.gate.burst,
                "next_in": lacking(slowest),
                **ahead_facts(question, view),
            },
        )


def lacking(one: GateView) -> float:
    """Return the seconds until a gate has a token; zero for one that has, or needs none."""
    if one.tokens is None or not one.gate.rate:
        return 0.0
    return max(0.0, (1 - one.tokens) / one.gate.rate)


def _rate(gate: Gate) -> str:
    """Return `5 a second`, `100 a minute`: in the shortest span that lets a whole job pass."""
    rate = gate.rate or 0.0
    seconds, name = next((unit for unit in SPANS if rate * unit[0] >= 0.999), SPANS[-1])
    return f"{rate * seconds:.4g} a{'n' if name == 'hour' else ''} {name}"


def _wait(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds < 10 else span(seconds)
