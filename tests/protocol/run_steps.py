"""Workers: what they do with the tries of activities that they got."""

from __future__ import annotations

from collections.abc import Iterator

from protocol import invariants
from protocol.jobs_sql import outbox_claim, outbox_settle
from protocol.rules import Rules
from protocol.server_steps import report
from protocol.state import TEMPORAL, TERMINAL, Run, World
from protocol.step import Call, Step


def run_steps(world: World, rules: Rules) -> Iterator[Step]:
    for run in dict.fromkeys(world.runs):
        if run.engine != TEMPORAL:
            continue
        yield from {"called": _claim, "runs": _end, "ends": _settle, "says": _say}[run.phase](world, rules, run)
        if (left := world.left.spend("crash")) is not None:
            text = f"the worker of {name_of(run)} crashes ({run.phase})"
            yield Step(text, world.without_run(run)._replace(left=left), is_fault=True)


def name_of(run: Run) -> str:
    again = f", started {run.run} times" if run.run > 1 else ""
    return f"try {run.number} of workflow {run.epoch}{again}"


def _claim(world: World, rules: Rules, run: Run) -> Iterator[Step]:
    before = world.store.row
    store, verdict = outbox_claim(world.store, rules, run.token)
    assert store.row is not None
    after = world._replace(store=store)
    if verdict == "claimed":
        if before is not None and before.token != run.token:
            after = invariants.after_claim(after, before, run, world.flow(run.epoch))
        goes_on = run._replace(phase="runs", attempt=store.row.attempt)
    else:
        goes_on = run._replace(phase="says", word=verdict.removeprefix("ended "))
    call = Call("outbox_claim", (run.token,), verdict)
    text = f"{name_of(run)} claims: {verdict}"
    yield Step(text, after.with_run(run, goes_on), call)
    if (left := world.left.spend("reply")) is not None:
        yield Step(f"{text}, and the reply is lost", after._replace(left=left), call, is_fault=True)


def _end(world: World, rules: Rules, run: Run) -> Iterator[Step]:
    row, flow = world.store.row, world.flow(run.epoch)
    assert row is not None
    if row.token != run.token or row.epoch != run.epoch:
        aborted = world.with_run(run, run._replace(phase="says", word="moved"))
        yield Step(f"{name_of(run)} learns that it has lost the job", aborted)
    words = ["completed", "retry" if run.attempt < row.most else "failed"]
    if row.cancel or (flow is not None and flow.cancel == "told"):
        words.append("cancelled")
    for word in words:
        ended = world.with_run(run, run._replace(phase="ends", word=word))
        yield Step(f"the handler of {name_of(run)} ends: {word}", ended)
    yield from _commit(world, rules, run, words[1])
    if (left := world.left.spend("snooze")) is not None:
        for word in ("snoozed", "released"):
            ended = world.with_run(run, run._replace(phase="ends", word=word))._replace(left=left)
            yield Step(f"the handler of {name_of(run)} ends: {word}", ended, is_fault=True)


def _commit(world: World, rules: Rules, run: Run, failed: str) -> Iterator[Step]:
    """`complete_in`. Where its commit fails, the attempt counts as failed, and the settlement's fence decides."""
    if not rules.effects_commit_with_end:
        ended = world.with_run(run, run._replace(phase="ends", word="completed"))
        yield Step(f"the handler of {name_of(run)} commits what it did", invariants.after_effects(ended))
        return
    store, follow = outbox_settle(world.store, rules, run.epoch, "completed", run.attempt, run.token)
    call = Call("outbox_settle", (run.epoch, "completed", run.attempt, run.token), follow)
    text = f"the handler of {name_of(run)} commits what it did with its end: {follow or 'not applied'}"
    if follow is None:
        yield Step(text, world.with_run(run, run._replace(phase="says", word="moved")), call)
        return
    after = invariants.after_settlement(world._replace(store=store), world.store, run)
    yield Step(text, after.with_run(run, run._replace(phase="says", word="completed")), call)
    if (left := world.left.spend("reply")) is not None:
        in_doubt = after.with_run(run, run._replace(phase="ends", word=failed))._replace(left=left)
        yield Step(f"{text}, and the reply is lost", in_doubt, call, is_fault=True)


def _settle(world: World, rules: Rules, run: Run) -> Iterator[Step]:
    store, follow = outbox_settle(world.store, rules, run.epoch, run.word, run.attempt, run.token)
    after = world._replace(store=store)
    if follow is not None:
        after = invariants.after_settlement(after, world.store, run)
        word = follow if follow in TERMINAL else "again"
    else:
        word = "again" if rules.missed_settlement_asks_again else "moved"
    call = Call("outbox_settle", (run.epoch, run.word, run.attempt, run.token), follow)
    text = f"{name_of(run)} writes {run.word}: {follow or 'not applied'}"
    yield Step(text, after.with_run(run, run._replace(phase="says", word=word)), call)
    if (left := world.left.spend("reply")) is not None:
        yield Step(f"{text}, and the reply is lost", after._replace(left=left), call, is_fault=True)
    is_left = world.mode == "workflow" or not rules.activity_writes_its_end
    if is_left and (left := world.left.spend("away")) is not None:
        word = f"left {run.word}" if run.word in TERMINAL else "again"
        leaves = world.with_run(run, run._replace(phase="says", word=word))._replace(left=left)
        yield Step(f"the database is away when {name_of(run)} writes {run.word}", leaves, is_fault=True)


def _say(world: World, rules: Rules, run: Run) -> Iterator[Step]:
    yield Step(f"{name_of(run)} reports {run.word}", report(world.without_run(run), run))
