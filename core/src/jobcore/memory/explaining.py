"""What stands between a job and its engine, in memory."""

from __future__ import annotations

from uuid import UUID

from jobcore.memory.rows import JobRow
from jobcore.memory.tables import Tables
from jobcore.models import OnFailure
from jobcore.policies.gates import look_at
from jobcore.ports.admission import MOST_TOLD, AdmissionView, AwaitedParent, GateView, Holder
from jobcore.states import JobState


def view_of(tables: Tables, row: JobRow) -> AdmissionView | None:
    """Return how a job stands; `None` if it was only recorded."""
    is_held = row.lane is not None
    if row.status is JobState.PENDING and not is_held and row.plan.admission is None:
        return None
    now = tables.clock.now()
    parents = [_parent(tables, row.plan.tenant, *parent) for parent in row.parents.items()] if is_held else []
    ahead = tables.waiting_room.ahead_of(row, now) if is_held else []
    return AdmissionView(
        is_held=is_held,
        holds_key=tables.holder_of(row.plan) is row,
        due_in=(row.run_at - now).total_seconds(),
        awaited=len(parents),
        parents=sorted(parents, key=lambda parent: not parent.is_dead_end)[:MOST_TOLD],
        gates=_gates(tables, row) if is_held else (),
        ahead=len(ahead),
        ahead_of_tenant=sum(other.plan.tenant == row.plan.tenant for other in ahead),
    )


def _parent(tables: Tables, tenant: UUID, job_id: UUID, on_failure: OnFailure) -> AwaitedParent:
    row = tables.jobs.get((tenant, job_id))
    return AwaitedParent(
        job_id=job_id,
        name=None if row is None else row.plan.name,
        status=None if row is None else row.status,
        on_failure=on_failure,
    )


def _gates(tables: Tables, row: JobRow) -> tuple[GateView, ...]:
    gates = () if row.plan.admission is None else row.plan.admission.gates
    tenant = row.plan.tenant
    holders = {gate.name: _holders(tables, tenant, gate.name) for gate in gates if gate.limit is not None}
    return look_at(gates, tables.waiting_room.standing(tables.clock.now(), tables.hands), tenant, holders)


def _holders(tables: Tables, tenant: UUID, gate: str) -> list[Holder]:
    holding = [row for row in tables.committed() if gate in row.seats]
    holding.sort(key=lambda row: (row.plan.tenant != tenant, row.number))
    return [Holder(tenant=row.plan.tenant, job_id=row.plan.job_id) for row in holding[:MOST_TOLD]]
