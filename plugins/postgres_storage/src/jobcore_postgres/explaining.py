"""What admission statements tell of gates, as core sees it: what is taken, and what stands before one job."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from jobcore.models import OnFailure
from jobcore.policies.admission import Bucket, Standing, gates_in
from jobcore.policies.gates import look_at
from jobcore.ports.admission import AdmissionView, AwaitedParent, Holder
from jobcore.states import JobState


def standing_in(seen: Mapping[str, Any]) -> Standing:
    """Return what is taken, of an answer with `held`, `buckets` and `hands`."""
    held: defaultdict[str, dict[UUID, int]] = defaultdict(dict)
    for row in seen["held"]:
        held[row["gate"]][UUID(row["tenant"])] = row["taken"]
    buckets = {row["gate"]: Bucket(tokens=row["tokens"], age=row["age"]) for row in seen["buckets"]}
    return Standing(held=held, buckets=buckets, hands=seen["hands"])


def view_of(tenant: UUID, row: Mapping[str, Any]) -> AdmissionView:
    """Return the row of `sql/admission_explain.sql` as a view."""
    holders: defaultdict[str, list[Holder]] = defaultdict(list)
    for one in row["holders"]:
        holders[one["gate"]].append(Holder(tenant=UUID(one["tenant"]), job_id=UUID(one["job_id"])))
    return AdmissionView(
        is_held=row["is_held"],
        holds_key=row["holds_key"],
        due_in=row["due_in"],
        awaited=row["awaited"],
        parents=[_parent(one) for one in row["parents"]],
        gates=look_at(gates_in(row["gates"]), standing_in(row), tenant, holders),
        ahead=row["ahead"],
        ahead_of_tenant=row["ahead_of_tenant"],
    )


def _parent(row: Mapping[str, Any]) -> AwaitedParent:
    return AwaitedParent(
        job_id=UUID(row["job_id"]),
        name=row["name"],
        status=None if row["status"] is None else JobState(row["status"]),
        on_failure=OnFailure(row["on_failure"]),
    )
