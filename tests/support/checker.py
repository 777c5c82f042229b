"""The checker: reads a history and names every breach of the invariants in docs/explanation/invariants.md.

A crash test ends with `assert_clean(history)`. The checker's own tests feed it broken histories, and it finds each.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from jobcore.states import RUNNING_STATES, TERMINAL_STATES, WAITING_STATES, JobState, is_legal
from support.history import History, Move


@dataclass(frozen=True)
class Violation:
    """One breach: which invariant, by which job, in words."""

    invariant: str
    job_id: UUID | None
    text: str

    def __str__(self) -> str:
        return f"{self.invariant} {self.job_id or ''}: {self.text}"


def check(history: History) -> list[Violation]:
    """Return every breach found; an empty list is a clean run."""
    return [violation for invariant in INVARIANTS for violation in invariant(history)]


def assert_clean(history: History) -> None:
    """Fail with every breach, at most twenty in full."""
    violations = check(history)
    shown = "\n".join(str(violation) for violation in violations[:20])
    assert not violations, f"{len(violations)} breaches of the invariants:\n{shown}"


def every_acknowledged_enqueue_ends(history: History) -> Iterator[Violation]:
    """I1: what a client was told is accepted reaches a terminal state once the system is quiet."""
    status = {job.job_id: job.status for job in history.jobs}
    for call in history.calls:
        if call.answer != "ok":
            continue
        if call.job_id not in status:
            yield Violation("I1", call.job_id, "was acknowledged and has no row")
        elif JobState(status[call.job_id]) not in TERMINAL_STATES:
            yield Violation("I1", call.job_id, f"was acknowledged and is still {status[call.job_id]}")


def nothing_runs_that_was_not_enqueued(history: History) -> Iterator[Violation]:
    """I2: a run belongs to a job whose enqueue was not refused; a child or a fire has its own row to show for it."""
    refused = {call.job_id for call in history.calls if call.answer == "failed"}
    known = {call.job_id for call in history.calls} | {job.job_id for job in history.jobs}
    for job_id in {effect.job_id for effect in history.effects}:
        if job_id in refused:
            yield Violation("I2", job_id, "ran although its enqueue was refused")
        elif job_id not in known:
            yield Violation("I2", job_id, "ran and was never enqueued")


def starts_are_accounted_for(history: History) -> Iterator[Violation]:
    """I3: starts <= 1 + retries + snoozes + leases broken + hand-backs, and one more for each wish of an operator.

    A snooze leaves no row, and no move where the status write before it was left out: the handler tells of it.
    """
    starts = Counter(effect.job_id for effect in history.effects if effect.kind == "start")
    again = Counter(row.job_id for row in history.attempts)
    again.update(effect.job_id for effect in history.effects if effect.kind == "snoozed")
    returned: Counter[UUID] = Counter()
    revived: Counter[UUID] = Counter()
    for move in history.moves:
        if move.source is None or move.target not in WAITING_STATES:
            continue
        if JobState(move.source) in RUNNING_STATES:
            returned[move.job_id] += 1
        elif JobState(move.source) in TERMINAL_STATES:
            revived[move.job_id] += 1
    for job_id, count in starts.items():
        allowed = 1 + max(again[job_id], returned[job_id]) + revived[job_id]
        if count > allowed:
            yield Violation("I3", job_id, f"started {count} times; its retries and faults account for {allowed}")


def exactly_one_terminal_event(history: History) -> Iterator[Violation]:
    """I4: within one epoch a job ends once, and the row agrees with the event."""
    endings: dict[tuple[UUID, int], list[str]] = defaultdict(list)
    for move in history.moves:
        if JobState(move.target) in TERMINAL_STATES and move.source != move.target:
            endings[move.job_id, move.epoch].append(move.target)
    for (job_id, epoch), targets in endings.items():
        if len(targets) > 1:
            yield Violation("I4", job_id, f"ended {len(targets)} times in epoch {epoch}: {', '.join(targets)}")
    ended = {job_id for job_id, _ in endings}
    for job in history.jobs:
        if JobState(job.status) in TERMINAL_STATES and job.job_id not in ended:
            yield Violation("I4", job.job_id, f"is {job.status} without an event that made it so")


def no_run_outlives_its_lease(history: History) -> Iterator[Violation]:
    """I5: no `active` or `processing` row is older than lease + rescue interval + grace."""
    for job in history.jobs:
        running = JobState(job.status) in RUNNING_STATES
        if running and job.updated_at is not None and history.now - job.updated_at > history.stale_after:
            yield Violation("I5", job.job_id, f"is {job.status} since {job.updated_at:%H:%M:%S}")


def exclusive_runs_never_overlap(history: History) -> Iterator[Violation]:
    """I6: of the runs that ended by themselves, no two of one key overlap."""
    if not history.exclusive:
        return
    runs: dict[str, list[tuple[datetime, datetime, UUID]]] = defaultdict(list)
    began: dict[tuple[UUID, int, int], datetime] = {}
    for effect in history.effects:
        run = (effect.job_id, effect.attempt, effect.pid)
        if effect.kind == "start":
            began[run] = effect.at
        elif effect.kind == "end" and effect.key is not None and run in began:
            runs[effect.key].append((began.pop(run), effect.at, effect.job_id))
    for key, spans in runs.items():
        spans.sort()
        for (_, end, first), (start, _, second) in itertools.pairwise(spans):
            if start < end:
                yield Violation("I6", second, f"began while {first} still ran with the same key {key!r}")


def one_job_a_fire(history: History) -> Iterator[Violation]:
    """I7: one job for each (schedule, fire time)."""
    fires = Counter((job.schedule_id, job.fire_time) for job in history.jobs if job.schedule_id is not None)
    for (schedule_id, fire_time), count in fires.items():
        if count > 1:
            yield Violation("I7", schedule_id, f"fired {count} times for {fire_time}")


def only_legal_moves(history: History) -> Iterator[Violation]:
    """I8: every move stands in the table of legal moves; one out of a terminal state raises the epoch."""
    epochs: dict[UUID, int] = {}
    for move in history.moves:
        before = epochs.get(move.job_id)
        epochs[move.job_id] = move.epoch
        if move.source is None:
            if move.target not in {JobState.PENDING, JobState.QUEUED, JobState.ACTIVE, JobState.PROCESSING}:
                yield Violation("I8", move.job_id, f"was born {move.target}")
            continue
        if not is_legal(JobState(move.source), JobState(move.target)):
            yield Violation("I8", move.job_id, f"went from {move.source} to {move.target}")
        elif JobState(move.source) in TERMINAL_STATES and move.source != move.target and move.epoch == before:
            yield Violation("I8", move.job_id, f"left {move.source} without a new epoch")


def an_ended_workflow_has_an_ended_row(history: History) -> Iterator[Violation]:
    """I9: a row ends with the workflow of its current epoch. Where the row ended first, the row is truth."""
    rows = {job.job_id: job for job in history.jobs}
    for workflow in history.workflows:
        job = rows.get(workflow.job_id)
        if job is None or job.epoch != workflow.epoch or history.now - workflow.closed_at <= history.told_after:
            continue
        if JobState(job.status) not in TERMINAL_STATES:
            yield Violation("I9", job.job_id, f"is {job.status}, and its workflow has {workflow.status.lower()}")


def no_job_runs_on_two_engines(history: History) -> Iterator[Violation]:
    """I10: a run begins on the engine that its row names at that time, and an attempt on one engine only."""
    owners: dict[UUID, list[Move]] = defaultdict(list)
    for move in history.moves:
        owners[move.job_id].append(move)
    engines: dict[tuple[UUID, int], set[str]] = defaultdict(set)
    for effect in history.effects:
        if effect.kind != "start" or effect.engine is None:
            continue
        before = [move.runner for move in owners[effect.job_id] if move.at <= effect.at]
        if before and before[-1] != effect.engine:
            yield Violation("I10", effect.job_id, f"began on {effect.engine}, and belonged to {before[-1]}")
        engines[effect.job_id, effect.attempt].add(effect.engine)
    for (job_id, attempt), found in engines.items():
        if len(found) > 1:
            yield Violation("I10", job_id, f"ran its attempt {attempt} on {' and '.join(sorted(found))}")


def nothing_is_left_over(history: History) -> Iterator[Violation]:
    """I13: flow control keeps nothing for a job that has ended: no place in a waiting line, no slot, no parent."""
    for kept in history.left_over:
        yield Violation("I13", kept.job_id, f"has ended and is still in {kept.table}")


INVARIANTS: tuple[Callable[[History], Iterator[Violation]], ...] = (
    every_acknowledged_enqueue_ends,
    nothing_runs_that_was_not_enqueued,
    starts_are_accounted_for,
    exactly_one_terminal_event,
    no_run_outlives_its_lease,
    exclusive_runs_never_overlap,
    one_job_a_fire,
    only_legal_moves,
    an_ended_workflow_has_an_ended_row,
    no_job_runs_on_two_engines,
    nothing_is_left_over,
)
