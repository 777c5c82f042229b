"""What must hold, in words, and how it is seen."""

from __future__ import annotations

from protocol.state import PGBOSS, TEMPORAL, TERMINAL, Flow, Row, Run, Store, World

ONE_END = "a job has one terminal event for each wish to run it"
EFFECTS_ONCE = "what a handler commits with its end is committed once"
ONE_COMMIT = "a job completes once"
FENCED = "only the run that holds the lease in the job's epoch settles"
CURRENT = "a claim is of the job's epoch, and of a job that has not ended"
ONE_ENGINE = "in one epoch one engine claims"
ONE_HOLDER = "one run holds the job"
OWN_END = "a workflow does not end by itself while its job waits or runs"
NOT_AGAIN = "a workflow that has ended does not begin again"
GIVEN_UP = "a workflow that was given up for lost claims nothing"
CANCEL_KEPT = "a cancelled job begins no run"
TOLD = "a workflow that its job has left is told"
REFUSED = "what Temporal has accepted is not failed as refused"
AT_REST = "at rest the job has ended, the outbox is empty, and no workflow is open"
REACHED = "an end can be reached"


def after_claim(world: World, before: Row | None, run: Run, flow: Flow | None = None) -> World:
    """Look at a claim that was just granted."""
    row = world.store.row
    assert row is not None
    assert before is not None
    claimed = frozenset(claim for claim in world.claimed if claim[0] == row.epoch) | {(row.epoch, run.engine)}
    world = world._replace(claimed=claimed)
    if run.engine == TEMPORAL and (run.epoch != before.epoch or before.status in TERMINAL):
        return broken(world, CURRENT)
    if len(claimed) > 1:
        return broken(world, ONE_ENGINE)
    if world.cancelled and not row.cancel:
        return broken(world, CANCEL_KEPT)
    if flow is not None and flow.again and flow.run == run.run:
        return broken(world, NOT_AGAIN)
    if world.given_up is not None and run.engine == TEMPORAL and (run.epoch, run.run) <= world.given_up:
        return broken(world, GIVEN_UP)
    return world


def after_settlement(world: World, before: Store, run: Run) -> World:
    """Look at a settlement that was just applied. A repeated one, which changes nothing, is no harm."""
    row = before.row
    assert row is not None
    if world.store == before:
        return world
    if run.engine == PGBOSS:
        holds = before.queue is not None and before.queue.active and before.queue.fence == run.number
    else:
        holds = row.token == run.token and row.epoch == run.epoch
    return world if holds else broken(world, FENCED)


def after_verdict(world: World, before: Store, epoch: int) -> World:
    """Look at an end that was just written for an engine, in the name of an epoch."""
    assert before.row is not None
    return world if before.row.epoch == epoch else broken(world, FENCED)


def after_end(world: World, flow: Flow) -> World:
    """Look at a workflow that has just ended by itself."""
    row = world.store.row
    assert row is not None
    is_own = row.epoch == flow.epoch and row.status not in TERMINAL
    return broken(world, OWN_END) if is_own and flow.run == 1 and flow.cancel == "no" else world


def after_effects(world: World) -> World:
    """Look at what a handler has just committed without its end."""
    world = world._replace(effects=world.effects + 1)
    return broken(world, EFFECTS_ONCE) if world.effects > 1 else world


def broken(world: World, invariant: str) -> World:
    return world._replace(breach=world.breach or invariant)


def breach_of(world: World) -> str:
    """Return which invariant does not hold here, if any."""
    if world.breach:
        return world.breach
    store = world.store
    if store.ends > 1:
        return ONE_END
    if store.commits > 1:
        return ONE_COMMIT
    row = store.row
    if row is None:
        return ""
    is_held = row.token is not None and row.token.engine == TEMPORAL
    if is_held and store.queue is not None and store.queue.active:
        return ONE_HOLDER
    for flow in world.flows:
        if flow.state == "open" and flow.left and flow.cancel == "no" and not _is_being_told(world, flow):
            return TOLD
    return ""


def is_settled(world: World) -> bool:
    """Whether nothing is left to be done."""
    row = world.store.row
    return (
        row is not None
        and row.status in TERMINAL
        and not world.store.outbox
        and not any(flow.state == "open" for flow in world.flows)
    )


def _is_being_told(world: World, flow: Flow) -> bool:
    return any(entry.epoch == flow.epoch and entry.state == "ending" for entry in world.store.outbox)
