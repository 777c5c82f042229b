"""Temporal's server: it delivers activities, gives up on them, and keeps the workflows' word."""

from __future__ import annotations

from collections.abc import Iterator

from protocol import invariants
from protocol.jobs_sql import outbox_cancel, outbox_settle
from protocol.rules import Rules
from protocol.state import TEMPORAL, Flow, Run, World
from protocol.step import Call, Step, leave


def server_steps(world: World, rules: Rules) -> Iterator[Step]:
    for flow in world.flows:
        if flow.state == "open":
            yield from _activity(world, flow)
            yield from _cancellation(world, rules, flow)
            if flow.activity == "record" and flow.cancel != "asked":
                yield _record(world, rules, flow)
        if flow.state != "lost":
            yield from _operator(world, flow)


def _activity(world: World, flow: Flow) -> Iterator[Step]:
    epoch, number = flow.epoch, flow.number
    if flow.activity == "ready" and flow.cancel != "told":
        run = Run(TEMPORAL, epoch, flow.run, number)
        text = f"try {number} of workflow {epoch} is delivered"
        yield Step(text, world.with_flow(flow._replace(activity="out")).with_run(None, run))
    if flow.activity == "out":
        given_up = flow._replace(number=number + 1, activity="ready")
        if flow.cancel == "told":
            given_up = flow._replace(state="failed")
        is_alive = any(run[:4] == (TEMPORAL, epoch, flow.run, number) for run in world.runs)
        after = world.with_flow(given_up)
        if not is_alive:
            yield Step(f"try {number} of workflow {epoch} times out", after)
        elif (left := world.left.spend("freeze")) is not None:
            text = f"try {number} of workflow {epoch} times out while its worker is frozen"
            yield Step(text, after._replace(left=left), is_fault=True)


def _cancellation(world: World, rules: Rules, flow: Flow) -> Iterator[Step]:
    epoch = flow.epoch
    if flow.cancel == "asked" and flow.activity == "record":
        yield Step(f"workflow {epoch} is cancelled", world.with_flow(flow._replace(state="cancelled")))
    elif flow.cancel == "asked" and world.mode == "activity":
        yield Step(f"the try of activity {epoch} is to be cancelled", world.with_flow(flow._replace(cancel="told")))
    elif flow.cancel == "asked":
        told = world.with_flow(flow._replace(cancel="told"))
        store, answer = outbox_cancel(world.store, rules, epoch)
        call = Call("outbox_cancel", (epoch,), answer)
        yield Step(f"workflow {epoch} has the job cancelled: {answer}", leave(told, store), call)
        if (left := world.left.spend("away")) is not None:
            text = f"the database is away when workflow {epoch} has the job cancelled"
            yield Step(text, told._replace(left=left), is_fault=True)
    elif flow.cancel == "told" and flow.activity == "ready":
        yield Step(f"workflow {epoch} is cancelled", world.with_flow(flow._replace(state="cancelled")))


def _record(world: World, rules: Rules, flow: Flow) -> Step:
    assert flow.end is not None
    epoch, (attempt, outcome) = flow.epoch, flow.end
    run = Run(TEMPORAL, epoch, flow.run, flow.number, attempt=attempt)
    store, follow = outbox_settle(world.store, rules, epoch, outcome, attempt, run.token)
    after = world._replace(store=store).with_flow(flow._replace(state=outcome, end=None))
    if follow is not None:
        after = invariants.after_settlement(after, world.store, run)
    call = Call("outbox_settle", (epoch, outcome, attempt, run.token), follow)
    return Step(f"workflow {epoch} writes {outcome}", after, call)


def _operator(world: World, flow: Flow) -> Iterator[Step]:
    left = world.left.spend("engine")
    if left is None:
        return
    world = world._replace(left=left)
    epoch = flow.epoch
    lost = world.with_flow(flow._replace(state="lost"))
    yield Step(f"Temporal loses workflow {epoch}", lost, is_fault=True)
    if flow.state == "open":
        ended = world.with_flow(flow._replace(state="terminated"))
        yield Step(f"workflow {epoch} is terminated", ended, is_fault=True)
        if flow.cancel == "no":
            asked = world.with_flow(flow._replace(cancel="asked"))
            yield Step(f"workflow {epoch} is cancelled in Temporal", asked, is_fault=True)


def is_awaited(world: World, run: Run) -> bool:
    """Whether the server still takes what a worker says of a try."""
    flow = world.flow(run.epoch)
    return (
        flow is not None
        and flow.state == "open"
        and flow.activity == "out"
        and (flow.run, flow.number) == (run.run, run.number)
    )


def report(world: World, run: Run) -> World:
    """Take what a worker says of a try, if it is the one that is awaited."""
    flow = world.flow(run.epoch)
    if flow is None or not is_awaited(world, run):
        return world
    if run.word == "again":
        if flow.cancel == "told":
            return world.with_flow(flow._replace(state="failed"))
        return world.with_flow(flow._replace(number=flow.number + 1, activity="ready"))
    if run.word.startswith("left ") and world.mode == "workflow":
        return world.with_flow(flow._replace(activity="record", end=(run.attempt, run.word.removeprefix("left "))))
    state = "completed" if run.word == "moved" else run.word.removeprefix("left ")
    return invariants.after_end(world.with_flow(flow._replace(state=state)), flow)
