"""One step of the protocol: what happens, in words, and where it leads."""

from __future__ import annotations

from typing import Any, NamedTuple

from protocol.state import TERMINAL, Store, World


class Call(NamedTuple):
    """A call of an SQL function, and what the model says it answers."""

    name: str
    arguments: tuple[Any, ...] = ()
    answer: Any = None


class Step(NamedTuple):
    """An atomic step."""

    text: str
    world: World
    call: Call | None = None
    is_fault: bool = False
    """Whether it spends of the budget: nobody may rely on it."""


def leave(world: World, store: Store) -> World:
    """Write a store in which the job may have left its epoch: a move, or a cancellation while it waits."""
    before, after = world.store.row, store.row
    if before is not None and after is not None and before.status == "queued":
        has_left = after.epoch != before.epoch or (after.runner != before.runner) or after.status in TERMINAL
        flows = tuple(
            flow._replace(left=True) if has_left and flow.epoch == before.epoch and flow.state == "open" else flow
            for flow in world.flows
        )
        world = world._replace(flows=flows)
    return world._replace(store=store)
