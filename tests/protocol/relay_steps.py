"""The relay, and the reconciler: what looks after the outbox."""

from __future__ import annotations

from collections.abc import Iterator

from protocol import invariants
from protocol.jobs_sql import (
    change,
    job_move,
    outbox_forget,
    outbox_handed,
    outbox_postpone,
    outbox_restart,
    outbox_settle,
    outbox_take,
)
from protocol.rules import Rules
from protocol.state import PGBOSS, TEMPORAL, Entry, Flow, Look, Relay, World
from protocol.step import Call, Step, leave

MOST_RELAYS = 2


def relay_steps(world: World, rules: Rules) -> Iterator[Step]:
    for entry in world.store.outbox:
        if entry.state == "due" and entry.runner == TEMPORAL:
            yield from _take(world, rules, entry)
    for relay in dict.fromkeys(world.relays):
        yield from _hand_over(world, rules, relay)


def _take(world: World, rules: Rules, entry: Entry) -> Iterator[Step]:
    epoch = entry.epoch
    if not entry.taken:
        if len(world.relays) < MOST_RELAYS:
            relays = tuple(sorted([*world.relays, Relay(epoch)]))
            taken = world._replace(store=outbox_take(world.store, epoch), relays=relays)
            yield Step(f"a relay takes epoch {epoch}", taken, Call("outbox_take", answer=(epoch,)))
        return
    free = world._replace(store=change(world.store, entry, taken=False))
    text, call = f"the relay's lease on epoch {epoch} expires", Call("time_passes", (epoch,))
    if any(relay.epoch == epoch for relay in world.relays):
        if (left := world.left.spend("expire")) is not None:
            yield Step(text, free._replace(left=left), call, is_fault=True)
    elif rules.relay_lease_ends:
        yield Step(text, free, call)


def _hand_over(world: World, rules: Rules, relay: Relay) -> Iterator[Step]:
    epoch, store = relay.epoch, world.store
    gone = _without(world, relay)
    if (left := world.left.spend("crash")) is not None:
        yield Step(f"the relay of epoch {epoch} crashes ({relay.phase})", gone._replace(left=left), is_fault=True)
    if relay.phase == "started":
        handed = gone._replace(store=outbox_handed(store, epoch))
        yield Step(f"the relay notes that epoch {epoch} is handed over", handed, Call("outbox_handed", (epoch,)))
        return
    if relay.phase == "failed":
        later = gone._replace(store=outbox_postpone(store, epoch))
        yield Step(f"the relay hands epoch {epoch} back", later, Call("outbox_postpone", (epoch,)))
        return
    yield from _start(world, rules, relay)
    if (left := world.left.spend("away")) is not None:
        failed = _with(gone, Relay(epoch, "failed"))._replace(left=left)
        yield Step(f"Temporal is away when epoch {epoch} is to be started", failed, is_fault=True)
    if (left := world.left.spend("move")) is not None:
        moved_store, moved = job_move(store, rules, PGBOSS)
        moved_world = leave(gone, moved_store)._replace(left=left)
        call = Call("job_move", (PGBOSS,), moved)
        yield Step(f"the relay moves epoch {epoch} to the fallback", moved_world, call, is_fault=True)
    if (left := world.left.spend("refuse")) is not None and world.flow(epoch) is None:
        yield _refused(gone._replace(left=left), rules, epoch)._replace(is_fault=True)


def _start(world: World, rules: Rules, relay: Relay) -> Iterator[Step]:
    epoch = relay.epoch
    gone, flow = _without(world, relay), world.flow(epoch)
    if flow is None or flow.state == "lost":
        started = gone.with_flow(Flow(epoch, run=1 if flow is None else flow.run + 1))
        text = f"the relay starts workflow {epoch}"
    elif flow.state != "open" and not rules.reject_duplicate:
        started = gone.with_flow(Flow(epoch, run=flow.run + 1, again=True))
        text = f"the relay starts workflow {epoch} over the ended one"
    elif rules.started_is_accepted:
        started, text = gone, f"the relay finds workflow {epoch} started"
    else:
        yield _refused(invariants.broken(gone, invariants.REFUSED), rules, epoch)
        return
    yield Step(text, _with(started, Relay(epoch, "started")))
    if (left := world.left.spend("reply")) is not None:
        in_doubt = _with(started, Relay(epoch, "failed"))._replace(left=left)
        yield Step(f"{text}, and the reply is lost", in_doubt, is_fault=True)


def _refused(world: World, rules: Rules, epoch: int) -> Step:
    store, follow = outbox_settle(world.store, rules, epoch, "failed")
    after = world._replace(store=store)
    if follow is not None:
        after = invariants.after_verdict(after, world.store, epoch)
    return Step(f"Temporal refuses epoch {epoch}", after, Call("outbox_end", (epoch, "failed"), follow))


def reconciler_steps(world: World, rules: Rules) -> Iterator[Step]:
    for look in world.looks:
        yield _write(world, rules, look)
    if world.looks or not rules.reconciler:
        return
    for entry in world.store.outbox:
        if entry.runner != TEMPORAL:
            continue
        epoch, flow = entry.epoch, world.flow(entry.epoch)
        if entry.state == "ending":
            told = world._replace(looks=(Look(epoch, "over"),))
            if flow is not None and flow.state == "open" and flow.cancel == "no":
                told = told.with_flow(flow._replace(cancel="asked"))
            yield Step(f"the reconciler cancels workflow {epoch}", told, Call("outbox_look", ("ending", epoch)))
        elif entry.state == "handed" and (flow is None or flow.state != "open"):
            state = "lost" if flow is None else flow.state
            word = {"lost": "unknown", "cancelled": "cancelled"}.get(state, "failed")
            seen = world._replace(looks=(Look(epoch, word),))
            text = f"the reconciler finds workflow {epoch} {state}"
            yield Step(text, seen, Call("outbox_look", ("handed", epoch)))


def _write(world: World, rules: Rules, look: Look) -> Step:
    epoch, before = look.epoch, world.store
    world = world._replace(looks=())
    if look.word == "over":
        store = outbox_forget(before, epoch)
        call = Call("outbox_forget", (epoch,))
        return Step(f"the reconciler forgets epoch {epoch}", world._replace(store=store), call)
    if look.word == "unknown":
        store, answer = outbox_restart(before, rules, epoch)
        world, flow = world._replace(store=store), world.flow(epoch)
        if answer == "again" and flow is not None:
            world = world._replace(given_up=(epoch, flow.run))
        text = f"the reconciler has epoch {epoch} started again: {answer}"
        return Step(text, world, Call("outbox_restart", (epoch,), answer))
    store, follow = outbox_settle(before, rules, epoch, look.word)
    call = Call("outbox_end", (epoch, look.word), follow)
    if follow is None:
        world = world._replace(looks=(Look(epoch, "over"),))
        return Step(f"the reconciler has nothing to end in epoch {epoch}", world, call)
    world = invariants.after_verdict(world._replace(store=store), before, epoch)
    return Step(f"the reconciler ends epoch {epoch} as {follow}", world, call)


def _without(world: World, relay: Relay) -> World:
    relays = list(world.relays)
    relays.remove(relay)
    return world._replace(relays=tuple(relays))


def _with(world: World, relay: Relay) -> World:
    return world._replace(relays=tuple(sorted([*world.relays, relay])))
