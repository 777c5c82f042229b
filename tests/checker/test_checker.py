"""The checker is fed histories that are broken on purpose, and must name each breach and nothing else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from support.checker import assert_clean, check
from support.history import AttemptRow, ClientCall, ClientLog, Effect, History, JobRow, LeftOver, Move, WorkflowRun

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
TENANT = UUID(int=7)
A, B = UUID(int=1), UUID(int=2)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def move(job_id: UUID, source: str | None, target: str, *, attempt: int = 1, epoch: int = 1) -> Move:
    return Move(NOON, TENANT, job_id, source, target, attempt, epoch)


def row(job_id: UUID, status: str = "completed", **more: object) -> JobRow:
    return replace(JobRow(TENANT, job_id, status, 1, 0, NOON), **more)


def start(job_id: UUID, seconds: float = 0, *, attempt: int = 1, key: str | None = None) -> Effect:
    return Effect(at(seconds), job_id, attempt, 100 + attempt, "start", key)


def end(job_id: UUID, seconds: float = 1, *, attempt: int = 1, key: str | None = None) -> Effect:
    return Effect(at(seconds), job_id, attempt, 100 + attempt, "end", key)


def clean() -> History:
    return History(
        now=at(10),
        calls=[ClientCall(A, "ok")],
        effects=[start(A), end(A)],
        moves=[move(A, None, "queued", attempt=0), move(A, "queued", "completed")],
        jobs=[row(A)],
    )


def broken(history: History, **changes: object) -> set[str]:
    return {violation.invariant for violation in check(replace(history, **changes))}


def test_a_clean_history_has_no_breach() -> None:
    assert_clean(clean())


def test_a_retried_and_a_rescued_job_are_clean() -> None:
    history = replace(
        clean(),
        effects=[start(A), start(A, 2, attempt=2), start(A, 4, attempt=3), end(A, 5, attempt=3)],
        moves=[
            move(A, None, "queued", attempt=0),
            move(A, "queued", "processing"),
            move(A, "processing", "queued"),
            move(A, "queued", "queued", attempt=2),
            move(A, "queued", "completed", attempt=3),
        ],
        attempts=[AttemptRow(A, "lost", 0), AttemptRow(A, "failed", 1)],
    )
    assert_clean(history)


def test_an_unanswered_enqueue_may_have_happened_or_not() -> None:
    assert_clean(replace(clean(), calls=[ClientCall(A, "unknown"), ClientCall(B, "unknown")]))


def test_i1_a_lost_job_is_found() -> None:
    assert broken(clean(), jobs=[], moves=[]) == {"I1"}


def test_i1_a_job_that_never_ends_is_found() -> None:
    moves = [move(A, None, "queued", attempt=0)]
    assert broken(clean(), jobs=[row(A, "queued")], moves=moves) == {"I1"}


def test_i2_a_run_from_nowhere_is_found() -> None:
    assert broken(clean(), effects=[start(A), end(A), start(B)]) == {"I2"}


def test_i2_a_run_of_a_refused_enqueue_is_found() -> None:
    assert "I2" in broken(clean(), calls=[ClientCall(A, "failed")])


def test_i3_a_second_start_without_a_fault_is_found() -> None:
    assert broken(clean(), effects=[start(A), end(A), start(A, 2), end(A, 3)]) == {"I3"}


def test_i4_two_endings_are_found() -> None:
    moves = [*clean().moves, move(A, "completed", "completed", attempt=2), move(A, "queued", "failed")]
    assert "I4" in broken(clean(), moves=moves)


def test_i4_an_ending_without_an_event_is_found() -> None:
    assert broken(clean(), moves=[move(A, None, "queued", attempt=0)]) == {"I4"}


def test_i4_an_operators_retry_may_end_again_in_its_own_epoch() -> None:
    moves = [
        move(A, None, "queued", attempt=0),
        move(A, "queued", "failed"),
        move(A, "failed", "queued", epoch=2),
        move(A, "queued", "completed", attempt=2, epoch=2),
    ]
    assert_clean(replace(clean(), moves=moves))


def test_i5_a_run_that_outlived_its_lease_is_found() -> None:
    history = replace(clean(), calls=[], moves=[], now=NOON + timedelta(minutes=7))
    assert broken(history, jobs=[row(A, "processing")]) == {"I5"}


def test_i6_overlapping_runs_of_one_key_are_found() -> None:
    history = replace(
        clean(),
        exclusive=True,
        calls=[ClientCall(A, "ok"), ClientCall(B, "ok")],
        jobs=[row(A), row(B)],
        moves=[*clean().moves, move(B, None, "queued", attempt=0), move(B, "queued", "completed")],
    )
    overlapping = [start(A, 0, key="k"), start(B, 1, key="k"), end(A, 2, key="k"), end(B, 3, key="k")]
    apart = [start(A, 0, key="k"), end(A, 2, key="k"), start(B, 3, key="k"), end(B, 4, key="k")]
    assert broken(history, effects=overlapping) == {"I6"}
    assert broken(history, effects=apart) == set()


def test_i7_a_fire_that_made_two_jobs_is_found() -> None:
    schedule = UUID(int=9)
    fires = [row(A, schedule_id=schedule, fire_time=NOON), row(B, schedule_id=schedule, fire_time=NOON)]
    history = replace(clean(), moves=[*clean().moves, move(B, None, "queued"), move(B, "queued", "completed")])
    assert broken(history, jobs=fires) == {"I7"}


@pytest.mark.parametrize(
    "moves",
    [
        [move(A, None, "completed")],
        [move(A, None, "queued"), move(A, "pending", "completed")],
        [move(A, None, "queued"), move(A, "queued", "failed"), move(A, "failed", "queued")],
    ],
    ids=["born ended", "never admitted", "left its end in the same epoch"],
)
def test_i8_an_illegal_move_is_found(moves: list[Move]) -> None:
    assert "I8" in broken(clean(), moves=moves)


def test_the_client_log_tells_an_unanswered_call_from_a_refused_one(tmp_path: Path) -> None:
    log = ClientLog(tmp_path / "client.log")
    with log.call(A):
        pass
    with pytest.raises(psycopg.OperationalError), log.call(B):
        raise psycopg.OperationalError("the connection is lost")
    refused = UUID(int=3)
    with pytest.raises(ValueError, match="no such tenant"), log.call(refused):
        raise ValueError("no such tenant")
    assert {call.job_id: call.answer for call in log.read()} == {A: "ok", B: "unknown", refused: "failed"}


def test_i3_an_operators_retry_accounts_for_a_start_and_no_more() -> None:
    moves = [
        move(A, None, "pending", attempt=0),
        move(A, "pending", "queued", attempt=0),
        move(A, "queued", "cancelled"),
        move(A, "cancelled", "pending", epoch=2),
        move(A, "pending", "queued", epoch=2),
        move(A, "queued", "completed", attempt=2, epoch=2),
    ]
    history = replace(clean(), moves=moves, effects=[start(A), start(A, 2, attempt=2), end(A, 3, attempt=2)])
    assert_clean(history)
    assert broken(history, effects=[*history.effects, start(A, 4, attempt=3)]) == {"I3"}


def test_i9_a_row_that_outlives_its_workflow_is_found_and_one_that_ended_first_is_truth() -> None:
    ended = WorkflowRun(A, 1, "COMPLETED", at(0))
    late = replace(clean(), now=at(40), workflows=[ended], jobs=[row(A, epoch=1)])
    assert_clean(late)
    assert_clean(replace(late, workflows=[replace(ended, status="CANCELED")]))
    waiting = {"calls": [], "moves": [], "jobs": [row(A, "queued", epoch=1)]}
    assert broken(late, **waiting) == {"I9"}
    assert broken(late, **waiting, now=at(20)) == set()
    assert broken(late, **waiting, workflows=[replace(ended, epoch=0)]) == set()


def test_i10_a_run_on_an_engine_that_the_job_had_left_is_found() -> None:
    there = replace(move(A, None, "queued", attempt=0, epoch=0), runner="pgboss", at=at(-2))
    here = replace(move(A, "queued", "queued", attempt=0), runner="temporal", at=at(-1))
    ended = replace(move(A, "queued", "completed"), runner="temporal", at=at(2))
    history = replace(clean(), moves=[there, here, ended], effects=[replace(start(A), engine="temporal"), end(A)])
    assert_clean(history)
    assert broken(history, effects=[replace(start(A), engine="pgboss"), end(A)]) == {"I10"}


def test_i10_an_attempt_that_began_on_both_engines_is_found() -> None:
    effects = [replace(start(A), engine="temporal"), replace(start(A), engine="pgboss")]
    lost = [AttemptRow(A, "lost", 0)]
    assert broken(
        clean(),
        effects=effects,
        attempts=lost,
        moves=[
            replace(one, runner=runner, at=at(seconds))
            for one, runner, seconds in (
                (move(A, None, "queued", attempt=0), "temporal", -1),
                (move(A, "queued", "completed"), "temporal", 3),
            )
        ],
    ) == {"I10"}


def test_i13_what_flow_control_keeps_for_an_ended_job_is_found() -> None:
    assert broken(clean(), left_over=[LeftOver("slots", A)]) == {"I13"}
