"""Who may go to the engine now: the one rule of flow control, for every store and engine.

A store tells which jobs wait and what is taken; this decides; the store writes it down, one decision at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from math import ceil
from typing import Any
from uuid import UUID

from jobcore.models import Admission, Gate

WIDEST = 500
"""Jobs of one lane that are looked at together."""
AS_SHARED = 0
"""The width of a lane of one tenant among others: how many of it are looked at follows from the number of lanes."""
SMALLEST_WINDOW = 10
WINDOW_PER_HAND = 1.5
"""Jobs that tenants with fair shares have in the engine, for each job that the workers run at once: a little more than
one, so that hands do not wait for a decision, and little, so that a newcomer does not wait behind many."""
LONGEST_LANE = 500
FREE_LANE = "free"
"""Where jobs wait that no gate counts, once their parents have ended or the pause is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A job that waits, due and with no parent to wait for."""

    tenant: UUID
    job_id: UUID
    lane: str
    priority: int
    number: int
    """The order of arrival."""
    gates: tuple[Gate, ...]
    is_paused: bool = False

    @property
    def seats(self) -> list[str]:
        """The gates that it occupies while it is in the engine."""
        return [gate.name for gate in self.gates if gate.limit is not None or gate.weight is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """The tokens of a gate with a rate, as they were `age` seconds ago."""

    tokens: float
    age: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is taken of the candidates' gates."""

    held: Mapping[str, Mapping[UUID, int]] = field(default_factory=dict[str, Mapping[UUID, int]])
    """Gate to tenant to jobs in the engine."""
    buckets: Mapping[str, Bucket] = field(default_factory=dict[str, Bucket])
    hands: int = 0
    """Jobs that all live workers run at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Who goes, and what is written about it."""

    granted: Sequence[Candidate]
    levels: Mapping[str, float]
    """Gate with a rate to the tokens that are left."""
    paused: Sequence[Candidate]
    next_in: float | None
    """Seconds until a bucket has a token for one that has to wait."""
    more: bool
    """Whether a lane had all its candidates granted, so that the next ones may pass too."""


def lane_of(tenant: UUID, admission: Admission) -> str:
    """Return what a job queues for: jobs of one lane wait for the same, and go in their order."""
    names = sorted(gate.name for gate in admission.gates)
    if any(gate.weight is not None for gate in admission.gates):
        names.append(str(tenant))
    lane = "|".join(names) or FREE_LANE
    return lane if len(lane) <= LONGEST_LANE else sha256(lane.encode()).hexdigest()


def width_of(gates: Iterable[Gate]) -> int:
    """Return how many jobs of a lane with these gates are looked at together; `AS_SHARED` leaves it to the store."""
    limit = min([WIDEST, *(gate.limit for gate in gates if gate.limit is not None)])
    return AS_SHARED if limit > 1 and any(gate.weight is not None for gate in gates) else limit


def share_of_lane(lanes: int, hands: int) -> int:
    """Return how many jobs are looked at in each of so many lanes that share the workers."""
    return 2 + 2 * max(hands, SMALLEST_WINDOW) // max(lanes, 1)


def window_of(hands: int) -> int:
    """Return how many jobs of tenants with fair shares may be in the engine, of workers that run `hands` at once."""
    return max(SMALLEST_WINDOW, ceil(hands * WINDOW_PER_HAND))


def tokens_in(gate: Gate, bucket: Bucket | None) -> float:
    """Return what a gate with a rate has in its bucket by now; it begins full."""
    burst = gate.burst or 1.0
    return burst if bucket is None else min(burst, bucket.tokens + bucket.age * (gate.rate or 0.0))


def choose(candidates: Sequence[Candidate], standing: Standing) -> Decision:
    """Decide in one pass, in the order of shares, priority and age; one that cannot go keeps no other from going."""
    gatekeeper = _Gatekeeper(standing)
    free = [candidate for candidate in candidates if not candidate.is_paused]
    granted = [candidate for candidate in _in_turn(free, standing) if gatekeeper.lets_pass(candidate)]
    return Decision(
        granted=granted,
        levels=gatekeeper.levels,
        paused=[candidate for candidate in candidates if candidate.is_paused],
        next_in=gatekeeper.next_in,
        more=_some_lane_is_open(candidates, granted),
    )


class _Gatekeeper:
    """Counts what is taken while candidates pass."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._taken = Counter({gate: sum(tenants.values()) for gate, tenants in standing.held.items()})
        self._window = window_of(standing.hands)
        self.levels: dict[str, float] = {}
        self.next_in: float | None = None

    def lets_pass(self, candidate: Candidate) -> bool:
        if not all(self._has_room(gate) for gate in candidate.gates):
            return False
        for gate in candidate.gates:
            self._taken[gate.name] += 1
            if gate.rate is not None:
                self.levels[gate.name] = self._level(gate) - 1
        return True

    def _has_room(self, gate: Gate) -> bool:
        taken = self._taken[gate.name]
        if gate.limit is not None and taken >= gate.limit:
            return False
        if gate.weight is not None and taken >= self._window:
            return False
        if gate.rate is None or (lacking := 1 - self._level(gate)) <= 0:
            return True
        wait = lacking / gate.rate
        self.next_in = wait if self.next_in is None else min(self.next_in, wait)
        return False

    def _level(self, gate: Gate) -> float:
        if gate.name in self.levels:
            return self.levels[gate.name]
        return tokens_in(gate, self._standing.buckets.get(gate.name))


def _in_turn(candidates: Sequence[Candidate], standing: Standing) -> list[Candidate]:
    """Order candidates by the share of the engine that their tenant would have with them, then by priority and age."""
    by_age = sorted(candidates, key=lambda candidate: (-candidate.priority, candidate.number))
    seen: Counter[tuple[str, UUID]] = Counter()
    shares: list[float] = []
    for candidate in by_age:
        share = 0.0
        for gate in candidate.gates:
            if gate.weight is not None:
                place = (gate.name, candidate.tenant)
                seen[place] += 1
                held = standing.held.get(gate.name, {}).get(candidate.tenant, 0)
                share = max(share, (held + seen[place]) / gate.weight)
        shares.append(share)
    order = sorted(range(len(by_age)), key=shares.__getitem__)  # stable: equal shares go by age
    return [by_age[position] for position in order]


def _some_lane_is_open(candidates: Sequence[Candidate], granted: Sequence[Candidate]) -> bool:
    """Whether all that were looked at of a lane were granted, so that others may wait behind them.

    Not so where a gate takes no more than these.
    """
    seen = Counter(candidate.lane for candidate in candidates)
    passed = Counter(candidate.lane for candidate in granted)
    return any(
        passed[candidate.lane] == seen[candidate.lane]
        and all(gate.limit is None or gate.limit > seen[candidate.lane] for gate in candidate.gates)
        for candidate in granted
    )


def as_document(tenant: UUID, admission: Admission) -> dict[str, Any]:
    """Return an admission as stores keep it; `gates_in` reads the gates back."""
    document: dict[str, Any] = {
        "lane": lane_of(tenant, admission),
        "width": width_of(admission.gates),
        "gates": [{key: value for key, value in asdict(gate).items() if value is not None} for gate in admission.gates],
    }
    if admission.after:
        document["after"] = [
            {"job_id": str(parent.job_id), "on_failure": parent.on_failure.value} for parent in admission.after
        ]
    return document


def gates_in(document: Iterable[Mapping[str, Any]]) -> tuple[Gate, ...]:
    """Return gates that `as_document` wrote."""
    return tuple(Gate(**gate) for gate in document)
