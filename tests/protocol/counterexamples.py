"""What breaks without each rule."""

from __future__ import annotations

from functools import cache

from protocol import invariants
from protocol.exploration import Exploration, explore
from protocol.rules import ALL
from protocol.state import Budget

BROKEN = {
    "one_transaction": invariants.AT_REST,
    "claim_compares_epoch": invariants.CURRENT,
    "move_raises_epoch": invariants.ONE_ENGINE,
    "reject_duplicate": invariants.NOT_AGAIN,
    "started_is_accepted": invariants.REFUSED,
    "settle_compares_token": invariants.FENCED,
    "settle_compares_epoch": invariants.FENCED,
    "later_run_takes_over": invariants.OWN_END,
    "ended_refuses_claim": invariants.CURRENT,
    "ended_refuses_settlement": invariants.ONE_END,
    "reconciler": invariants.AT_REST,
    "restart_raises_epoch": invariants.GIVEN_UP,
    "leaving_tells_engine": invariants.TOLD,
    "move_locks_row": invariants.AT_REST,
    "move_empties_queue": invariants.ONE_ENGINE,
    "fence_at_settle": invariants.FENCED,
    "wish_asks_owner": invariants.CANCEL_KEPT,
    "missed_settlement_asks_again": invariants.OWN_END,
    "relay_lease_ends": invariants.AT_REST,
    "retry_raises_epoch": invariants.OWN_END,
    "effects_commit_with_end": invariants.EFFECTS_ONCE,
    "activity_writes_its_end": invariants.OWN_END,
}
"""Which invariant the shortest trace without a rule breaks."""


def mode_of(rule: str) -> str:
    """In which mode a rule is needed."""
    return "activity" if rule.startswith("activity_") else "workflow"


@cache
def counterexample(rule: str) -> Exploration:
    """Return what breaks without a rule, with as few faults as it takes."""
    rules = ALL._replace(**{rule: False})
    found = Exploration()
    for faults in range(3):
        found = explore(Budget(faults), rules, mode_of(rule))
        if found.breach:
            break
    return found
