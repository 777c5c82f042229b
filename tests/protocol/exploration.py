"""Breadth-first exploration of all that can happen, and the shortest trace to what must not."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import dataclass, field

from protocol.invariants import AT_REST, REACHED, breach_of, is_settled
from protocol.operator_steps import operator_steps
from protocol.pgboss_steps import pgboss_steps
from protocol.relay_steps import reconciler_steps, relay_steps
from protocol.rules import ALL, Rules
from protocol.run_steps import run_steps
from protocol.server_steps import is_awaited, server_steps
from protocol.state import Budget, Flow, World
from protocol.step import Step

GROUPS = (operator_steps, relay_steps, server_steps, run_steps, pgboss_steps, reconciler_steps)


def steps(world: World, rules: Rules = ALL) -> Iterator[Step]:
    """Return all that can happen next."""
    for group in GROUPS:
        for step in group(world, rules):
            yield step._replace(world=settled_down(step.world))


def settled_down(world: World) -> World:
    """Return the world without what nobody will look at again, so that states which differ in that only are one."""
    if any(flow.state != "open" for flow in world.flows):
        flows = (flow if flow.state == "open" else Flow(flow.epoch, flow.run, flow.state) for flow in world.flows)
        world = world._replace(flows=tuple(flows))
    if not any(run.phase == "says" for run in world.runs):
        return world
    runs = tuple(run for run in world.runs if run.phase != "says" or is_awaited(world, run))
    return world._replace(runs=runs)


@dataclass
class Exploration:
    """What was found: `breach` is the invariant that broke, if one did, and `trace` the shortest way there."""

    states: int = 0
    moves: int = 0
    breach: str = ""
    trace: list[Step] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"{self.states:,} states, {self.moves:,} steps"]
        if self.breach:
            lines += [f"broken: {self.breach}", *(f"{i:3}. {step.text}" for i, step in enumerate(self.trace, 1))]
        return "\n".join(lines)


class _Map:
    """The states that were seen, by number, and from which state each was first reached."""

    def __init__(self, begin: World) -> None:
        self.numbers = {begin: 0}
        self.worlds = [begin]
        self.origins = [0]
        self.sources: list[list[int]] = [[]]
        """From which states each is reached without a fault."""

    def add(self, world: World, origin: int) -> int:
        number = self.numbers[world] = len(self.worlds)
        self.worlds.append(world)
        self.origins.append(origin)
        self.sources.append([])
        return number

    def trace_to(self, number: int, rules: Rules) -> list[Step]:
        trace: list[Step] = []
        while number:
            origin = self.origins[number]
            trace.append(next(s for s in steps(self.worlds[origin], rules) if s.world == self.worlds[number]))
            number = origin
        return trace[::-1]


def explore(budget: Budget, rules: Rules = ALL, mode: str = "workflow") -> Exploration:
    """Visit every state that can be reached; stop at the first in which an invariant does not hold."""
    gc.disable()  # millions of tuples and no cycle: looking for garbage among them takes most of the time
    try:
        return _explore(_Map(World(budget, mode=mode)), rules)
    finally:
        gc.enable()


def _explore(seen: _Map, rules: Rules) -> Exploration:
    moves = 0
    settled: list[int] = []

    def end(number: int, breach: str) -> Exploration:
        return Exploration(len(seen.worlds), moves, breach, seen.trace_to(number, rules))

    number = 0
    while number < len(seen.worlds):
        world = seen.worlds[number]
        can_go_on = False
        for step in steps(world, rules):
            moves += 1
            after = seen.numbers.get(step.world)
            if after is None:
                after = seen.add(step.world, number)
                if breach := breach_of(step.world):
                    return end(after, breach)
            if not step.is_fault:
                can_go_on = True
                seen.sources[after].append(number)
        if is_settled(world):
            settled.append(number)
        elif not can_go_on:
            return end(number, AT_REST)
        number += 1
    if (stuck := _first_stuck(seen, settled)) is not None:
        return end(stuck, REACHED)
    return Exploration(len(seen.worlds), moves)


def _first_stuck(seen: _Map, settled: list[int]) -> int | None:
    """Return the first state from which no way leads to an end without another fault."""
    good = set(settled)
    waiting = list(settled)
    while waiting:
        for before in seen.sources[waiting.pop()]:
            if before not in good:
                good.add(before)
                waiting.append(before)
    return next((number for number in range(len(seen.worlds)) if number not in good), None)
