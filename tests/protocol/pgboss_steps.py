"""pgboss: its workers, and its rescue."""

from __future__ import annotations

from collections.abc import Iterator

from protocol import invariants
from protocol.jobs_sql import job_claim
from protocol.pgboss_sql import pgboss_fetch, pgboss_rescue, pgboss_settle
from protocol.rules import Rules
from protocol.state import PGBOSS, TERMINAL, Run, World
from protocol.step import Call, Step


def pgboss_steps(world: World, rules: Rules) -> Iterator[Step]:
    queue = world.store.queue
    if queue is not None and not queue.active:
        yield _fetch(world, rules)
    for run in dict.fromkeys(world.runs):
        if run.engine == PGBOSS:
            yield from _work(world, rules, run)
    if queue is not None and queue.active:
        rescued = world._replace(store=pgboss_rescue(world.store, rules))
        text, call = "pgboss rescues the job", Call("pgboss_rescue")
        if not any(run.engine == PGBOSS and run.number == queue.fence for run in world.runs):
            yield Step(text, rescued, call)
        elif (left := world.left.spend("freeze")) is not None:
            text += " while its worker is frozen"
            yield Step(text, rescued._replace(left=left), call, is_fault=True)


def _fetch(world: World, rules: Rules) -> Step:
    before = world.store.row
    store, attempt = pgboss_fetch(world.store, rules)
    row = store.row
    assert row is not None
    is_over = row.cancel or row.status in TERMINAL
    run = Run(PGBOSS, 0, 0, store.fences, "ends" if is_over else "runs", attempt, "cancelled" if is_over else "")
    after = world._replace(store=store).with_run(None, run)
    if not is_over:
        after = invariants.after_claim(after, before, run)
    return Step(f"pgboss claims the job (claim {run.number})", after, Call("pgboss_fetch", (run.number,), attempt))


def _work(world: World, rules: Rules, run: Run) -> Iterator[Step]:
    name, row = f"claim {run.number} of pgboss", world.store.row
    assert row is not None
    if (left := world.left.spend("crash")) is not None:
        text = f"the worker of {name} crashes ({run.phase})"
        yield Step(text, world.without_run(run)._replace(left=left), is_fault=True)
    if run.phase == "ends":
        store, follow = pgboss_settle(world.store, rules, run.number, run.attempt, run.word)
        after = world._replace(store=store).without_run(run)
        if follow is not None:
            after = invariants.after_settlement(after, world.store, run)
        call = Call("pgboss_settle", (run.number, run.attempt, run.word), follow)
        yield Step(f"{name} writes {run.word}: {follow or 'not applied'}", after, call)
        return
    if row.token != run.token:
        store, granted = job_claim(world.store, run.token, run.attempt, None)
        after = world._replace(store=store) if granted else world.without_run(run)
        text = f"{name} writes that it runs: {granted}"
        yield Step(text, after, Call("job_claim", (run.token, run.attempt), granted))
    yield from _commit(world, rules, run, name)
    words = ["completed", "retry" if run.attempt < row.most else "failed"]
    if row.cancel:
        words.append("cancelled")
    for word in words:
        yield Step(f"the handler of {name} ends: {word}", world.with_run(run, run._replace(phase="ends", word=word)))


def _commit(world: World, rules: Rules, run: Run, name: str) -> Iterator[Step]:
    """`complete_in`: what the handler did, and the end of its job."""
    if not rules.effects_commit_with_end:
        ended = world.with_run(run, run._replace(phase="ends", word="completed"))
        yield Step(f"the handler of {name} commits what it did", invariants.after_effects(ended))
        return
    store, follow = pgboss_settle(world.store, rules, run.number, run.attempt, "completed")
    after = world._replace(store=store).without_run(run)
    if follow is not None:
        after = invariants.after_settlement(after, world.store, run)
    call = Call("pgboss_settle", (run.number, run.attempt, "completed"), follow)
    text = f"the handler of {name} commits what it did with its end: {follow or 'not applied'}"
    yield Step(text, after, call)
