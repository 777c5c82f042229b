"""No state in which an invariant breaks, of all that the protocol can come to with so many faults and interventions."""

from __future__ import annotations

import pytest

from protocol.exploration import explore
from protocol.state import Budget

NONE = dict.fromkeys(Budget._fields, 0)


def of(total: int, **kinds: int) -> Budget:
    """Return so many altogether, of these kinds only."""
    return Budget(**(NONE | kinds | {"total": total}))


BUDGETS = {
    "two of any kind": Budget(total=2),
    "workers die, freeze and hear nothing": of(4, crash=2, reply=1, freeze=1),
    "relays die and are overtaken, and the job moves": of(3, reply=1, expire=1, move=2),
    "cancelled, and moved there and back": of(3, move=2, cancel=1),
    "cancelled and terminated, and the replies are lost": of(3, engine=1, cancel=1, reply=1),
    "snoozed, frozen and cut off": of(3, snooze=1, freeze=1, reply=1, away=1),
    "retried by two operators, and moved": of(3, retry=2, move=1),
    "lost by Temporal, and the worker dies": of(3, engine=1, crash=2),
}
FEWEST = {"two of any kind": 90_000}


@pytest.mark.soak
def test_no_three_faults_break_an_invariant() -> None:
    """Two million states: some minutes, and 2 GB of memory."""
    found = explore(Budget(total=3))
    print(found)
    assert not found.breach, str(found)
    assert found.states >= 2_000_000


@pytest.mark.parametrize("total", [2, pytest.param(3, marks=pytest.mark.soak)])
def test_nothing_breaks_an_invariant_where_there_is_no_workflow(total: int) -> None:
    found = explore(Budget(total), mode="activity")
    print(found)
    assert not found.breach, str(found)
    assert found.states >= 1_000


@pytest.mark.parametrize("name", BUDGETS)
def test_nothing_that_can_happen_breaks_an_invariant(name: str, record_property: pytest.RecordProperty) -> None:
    found = explore(BUDGETS[name])
    record_property("states", found.states)
    print(f"{name}: {found}")
    assert not found.breach, str(found)
    assert found.states >= FEWEST.get(name, 1_000)
