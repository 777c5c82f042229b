"""How gates stand before a job that asks why it waits, by the rule that decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from jobcore.models import Gate
from jobcore.policies.admission import Standing, tokens_in, window_of
from jobcore.ports.admission import GateView, Holder


def look_at(
    gates: Sequence[Gate], standing: Standing, tenant: UUID, holders: Mapping[str, Sequence[Holder]]
) -> tuple[GateView, ...]:
    """Return the gates as a job of this tenant finds them.

    Args:
        holders: whom to name, by gate.
    """
    return tuple(_view(gate, standing, tenant, holders.get(gate.name, ())) for gate in gates)


def _view(gate: Gate, standing: Standing, tenant: UUID, holders: Sequence[Holder]) -> GateView:
    held = standing.held.get(gate.name, {})
    most = gate.limit if gate.weight is None else window_of(standing.hands)
    return GateView(
        gate=gate,
        most=most,
        taken=sum(held.values()),
        taken_by_tenant=held.get(tenant, 0),
        holders=holders,
        tokens=None if gate.rate is None else tokens_in(gate, standing.buckets.get(gate.name)),
    )
