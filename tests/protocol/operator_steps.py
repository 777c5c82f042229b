"""Applications and operators: enqueue, cancel, move, retry."""

from __future__ import annotations

from collections.abc import Iterator

from protocol.jobs_sql import job_move, job_moved, job_waits, outbox_admit, outbox_cancel, outbox_enqueue, outbox_retry
from protocol.pgboss_sql import pgboss_cancel, pgboss_retry
from protocol.rules import Rules
from protocol.state import PGBOSS, TEMPORAL, TERMINAL, World
from protocol.step import Call, Step, leave

WISHES = {
    f"cancel {TEMPORAL}": outbox_cancel,
    f"cancel {PGBOSS}": pgboss_cancel,
    f"retry {TEMPORAL}": outbox_retry,
    f"retry {PGBOSS}": pgboss_retry,
}


def operator_steps(world: World, rules: Rules) -> Iterator[Step]:
    row = world.store.row
    if row is None:
        yield from _enqueue(world, rules)
        return
    yield from _second_halves(world, rules)
    for wish in dict.fromkeys(world.wishes):
        yield _wish(world, rules, wish)
    if row.status not in TERMINAL and (left := world.left.spend("cancel")) is not None:
        asked = world._replace(left=left, wishes=tuple(sorted([*world.wishes, f"cancel {row.runner}"])))
        yield Step(f"an operator wants {row.runner} to cancel the job", asked, is_fault=True)
    if row.status == "queued" and not world.half and (left := world.left.spend("move")) is not None:
        yield _move(world._replace(left=left), rules, PGBOSS if row.runner == TEMPORAL else TEMPORAL)
    if row.status in ("failed", "cancelled") and (left := world.left.spend("retry")) is not None:
        asked = world._replace(left=left, wishes=tuple(sorted([*world.wishes, f"retry {row.runner}"])))
        yield Step(f"an operator wants {row.runner} to retry the job", asked, is_fault=True)


def _enqueue(world: World, rules: Rules) -> Iterator[Step]:
    after = world._replace(store=outbox_enqueue(world.store, rules), half="" if rules.one_transaction else "admit")
    yield Step("the job is enqueued", after, Call("outbox_enqueue", (), True))
    if (left := world.left.spend("reply")) is not None:
        in_doubt = after._replace(left=left, wishes=("enqueue",))
        yield Step(
            "the job is enqueued, and the reply is lost", in_doubt, Call("outbox_enqueue", (), True), is_fault=True
        )


def _second_halves(world: World, rules: Rules) -> Iterator[Step]:
    row = world.store.row
    assert row is not None
    done = world._replace(half="")
    if world.half == "admit":
        yield Step("the second transaction of the enqueue", done._replace(store=outbox_admit(world.store)))
        if (left := world.left.spend("crash")) is not None:
            yield Step("the application crashes between", done._replace(left=left), is_fault=True)
    elif world.half:
        store = job_moved(world.store, rules, world.half) if row.status not in TERMINAL else world.store
        yield Step(f"the job is moved to {world.half}, having been looked at before", leave(done, store))


def _wish(world: World, rules: Rules, wish: str) -> Step:
    row = world.store.row
    assert row is not None
    others = list(world.wishes)
    others.remove(wish)
    world = world._replace(wishes=tuple(others))
    if wish == "enqueue":
        return Step("the enqueue is repeated", world, Call("outbox_enqueue", (), False))
    what, engine = wish.split()
    function = WISHES[wish]
    store, answer = function(world.store, rules)
    after = leave(world, store) if what == "cancel" else world._replace(store=store)
    if answer:
        after = after._replace(cancelled=what == "cancel")
    elif row.runner != engine and rules.wish_asks_owner:
        after = after._replace(wishes=tuple(sorted([*others, f"{what} {row.runner}"])))
    call = Call(function.__name__, (), answer)
    return Step(f"{engine} is asked to {what} the job: {answer}", after, call)


def _move(world: World, rules: Rules, target: str) -> Step:
    if not rules.move_locks_row:
        half = target if job_waits(world.store) else ""
        return Step(f"it is looked whether the job may be moved to {target}", world._replace(half=half), is_fault=True)
    store, moved = job_move(world.store, rules, target)
    call = Call("job_move", (target,), moved)
    return Step(f"an operator moves the job to {target}: {moved}", leave(world, store), call, is_fault=True)
