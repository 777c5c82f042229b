"""The one rule of flow control, over random crowds."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from jobcore.models import Admission, Gate, OnFailure, Parent
from jobcore.policies.admission import (
    AS_SHARED,
    SMALLEST_WINDOW,
    Bucket,
    Candidate,
    Standing,
    as_document,
    choose,
    gates_in,
    lane_of,
    share_of_lane,
    width_of,
)

TENANTS = [UUID(int=number) for number in range(1, 5)]
GATES = (
    Gate(name="one", limit=1),
    Gate(name="three", limit=3),
    Gate(name="rate", rate=2.0, burst=4.0),
    Gate(name="fair", weight=1.0),
)

crowds = st.lists(
    st.tuples(
        st.sampled_from(TENANTS),
        st.integers(-2, 2),
        st.sets(st.sampled_from(GATES), max_size=4),
        st.booleans(),
    ),
    max_size=40,
)
standings = st.builds(
    Standing,
    held=st.dictionaries(
        st.sampled_from(["one", "three", "fair"]),
        st.dictionaries(st.sampled_from(TENANTS), st.integers(0, 3)),
    ),
    buckets=st.dictionaries(
        st.just("rate"), st.builds(Bucket, tokens=st.floats(0, 4), age=st.floats(0, 3)), max_size=1
    ),
    hands=st.integers(0, 30),
)


def _candidates(crowd: list[tuple[UUID, int, set[Gate], bool]]) -> list[Candidate]:
    return [
        Candidate(
            tenant=tenant,
            job_id=UUID(int=1000 + number),
            lane="",
            priority=priority,
            number=number,
            gates=tuple(sorted(gates, key=lambda gate: gate.name)),
            is_paused=is_paused,
        )
        for number, (tenant, priority, gates, is_paused) in enumerate(crowd)
    ]


@given(crowds, standings)
def test_no_gate_lets_more_pass_than_it_has_room_for(
    crowd: list[tuple[UUID, int, set[Gate], bool]], now: Standing
) -> None:
    decision = choose(_candidates(crowd), now)

    passed = Counter(gate.name for candidate in decision.granted for gate in candidate.gates)
    window = max(SMALLEST_WINDOW, -(-now.hands * 3 // 2))
    for name, room in (("one", 1), ("three", 3), ("fair", window)):
        assert passed[name] <= max(0, room - sum(now.held.get(name, {}).values()))
    bucket = now.buckets.get("rate", Bucket(tokens=4.0, age=0.0))
    level = min(4.0, bucket.tokens + 2.0 * bucket.age)
    assert passed["rate"] <= level
    if passed["rate"]:
        assert abs(decision.levels["rate"] - (level - passed["rate"])) < 1e-9


@given(crowds, standings)
def test_whoever_stays_was_held_up_by_a_full_gate_or_a_pause(
    crowd: list[tuple[UUID, int, set[Gate], bool]], now: Standing
) -> None:
    """Nobody waits for nothing: the room is used up, also where the first in line cannot take it."""
    candidates = _candidates(crowd)
    decision = choose(candidates, now)

    granted = {candidate.job_id for candidate in decision.granted}
    for candidate in candidates:
        if candidate.job_id in granted or candidate.is_paused:
            continue
        again = choose([candidate], _after(now, decision.granted, decision.levels))
        assert again.granted == [], f"{candidate} could have gone"


def _after(now: Standing, granted: list[Candidate], levels: dict[str, float]) -> Standing:
    held = {gate: dict(tenants) for gate, tenants in now.held.items()}
    for candidate in granted:
        for gate in candidate.seats:
            tenants = held.setdefault(gate, {})
            tenants[candidate.tenant] = tenants.get(candidate.tenant, 0) + 1
    buckets = dict(now.buckets) | {gate: Bucket(tokens=tokens, age=0.0) for gate, tokens in levels.items()}
    return Standing(held=held, buckets=buckets, hands=now.hands)


@given(crowds, standings)
def test_of_one_tenant_and_the_same_gates_the_more_important_and_older_goes_first(
    crowd: list[tuple[UUID, int, set[Gate], bool]], now: Standing
) -> None:
    candidates = _candidates(crowd)
    granted = {candidate.job_id for candidate in choose(candidates, now).granted}
    for one in candidates:
        for other in candidates:
            alike = one.tenant == other.tenant and one.gates == other.gates and not one.is_paused
            before = (-one.priority, one.number) < (-other.priority, other.number)
            if alike and before and other.job_id in granted:
                assert one.job_id in granted


def test_tenants_get_places_in_proportion_to_their_weights() -> None:
    heavy, light = TENANTS[:2]
    crowd = [
        Candidate(
            tenant=tenant,
            job_id=UUID(int=number),
            lane="",
            priority=0,
            number=number,
            gates=(Gate(name="fair", weight=3.0 if tenant == heavy else 1.0),),
        )
        for number, tenant in enumerate([light] * 50 + [heavy] * 50)
    ]
    granted = Counter(candidate.tenant for candidate in choose(crowd, Standing(hands=80)).granted)
    assert granted == {heavy: 50, light: 50} or granted[heavy] == 3 * granted[light]
    granted = Counter(candidate.tenant for candidate in choose(crowd, Standing(hands=16)).granted)
    assert granted == {heavy: 18, light: 6}


def test_a_round_tells_when_a_token_comes() -> None:
    gate = Gate(name="rate", rate=2.0, burst=1.0)
    candidate = Candidate(tenant=TENANTS[0], job_id=UUID(int=9), lane="", priority=0, number=1, gates=(gate,))
    decision = choose([candidate], Standing(buckets={"rate": Bucket(tokens=0.0, age=0.25)}))
    assert decision.granted == []
    assert decision.next_in == 0.25


def test_jobs_queue_in_one_lane_if_they_wait_for_the_same() -> None:
    one, other = TENANTS[:2]
    limited = Admission(gates=(Gate(name="b", limit=1), Gate(name="a", rate=1.0)))
    assert lane_of(one, limited) == lane_of(other, Admission(gates=limited.gates[::-1])) == "a|b"
    fair = Admission(gates=(Gate(name="fair", weight=1.0),))
    assert lane_of(one, fair) != lane_of(other, fair)
    assert lane_of(one, Admission()) != ""
    crowded = Admission(gates=tuple(Gate(name=f"{number}" * 300, limit=1) for number in range(8)))
    assert len(lane_of(one, crowded)) <= 500


def test_a_lane_is_as_wide_as_its_narrowest_gate() -> None:
    assert width_of((Gate(name="a", limit=7), Gate(name="b", limit=2), Gate(name="c", rate=1.0))) == 2
    assert width_of(()) > 100
    assert width_of((Gate(name="f", weight=1.0), Gate(name="a", limit=7))) == AS_SHARED
    assert width_of((Gate(name="f", weight=1.0), Gate(name="a", limit=1))) == 1
    assert share_of_lane(lanes=1, hands=100) > 150
    assert share_of_lane(lanes=1000, hands=10) == 2


def test_an_admission_reads_back_as_it_was_written() -> None:
    parent = Parent(UUID(int=5), OnFailure.RUN)
    admission = Admission(gates=(Gate(name="a", limit=7), Gate(name="b", rate=0.5, burst=2.0)), after=(parent,))
    document = as_document(TENANTS[0], admission)
    assert gates_in(document["gates"]) == admission.gates
    assert document["after"] == [{"job_id": str(parent.job_id), "on_failure": "run"}]
    assert "after" not in as_document(TENANTS[0], Admission())
