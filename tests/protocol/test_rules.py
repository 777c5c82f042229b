"""Every rule is needed: without it the exploration finds a state that must not be."""

from __future__ import annotations

import pytest

from protocol import invariants
from protocol.counterexamples import BROKEN, counterexample
from protocol.rules import Rules


@pytest.mark.parametrize("rule", Rules._fields)
def test_without_a_rule_an_invariant_breaks(rule: str) -> None:
    found = counterexample(rule)
    print(found)
    assert found.breach == BROKEN[rule], str(found)
    assert found.trace


def test_every_invariant_that_is_named_is_broken_by_some_rule_but_those_that_others_imply() -> None:
    named = {value for name, value in vars(invariants).items() if name.isupper() and isinstance(value, str)}
    implied = {invariants.ONE_COMMIT, invariants.ONE_HOLDER, invariants.REACHED}
    assert named - {"temporal", "pgboss"} - implied == set(BROKEN.values())
