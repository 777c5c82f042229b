"""The history of a run on the memory runner: the same facts as `support.history` reads from PostgreSQL."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from jobcore.memory import MemoryStore, moves
from jobcore.memory.rows import JobRow
from jobcore.memory.tables import Tables
from jobcore.states import JobState
from support.history import AttemptRow, History, LeftOver, Move
from support.history import JobRow as EndedJob


@contextmanager
def moves_noted() -> Generator[list[Move]]:
    """Note every move of a job, as the trigger of the event log does, while the block lasts."""
    noted: list[Move] = []
    real = moves.move

    def move(tables: Tables, row: JobRow, target: JobState) -> None:
        source = row.status
        real(tables, row, target)
        noted.append(Move(tables.clock.now(), row.plan.tenant, row.plan.job_id, source, target, row.attempt, row.epoch))

    moves.move = move
    try:
        yield noted
    finally:
        moves.move = real


def memory_history(store: MemoryStore, noted: list[Move], **facts: Any) -> History:
    """Collect what stands in the store, and what was noted."""
    tables = store.tables
    rows = list(tables.committed())
    return History(
        now=store.clock.now(),
        moves=noted,
        jobs=[
            EndedJob(row.plan.tenant, row.plan.job_id, row.status, row.attempt, row.rescues, row.updated_at)
            for row in rows
        ],
        attempts=[
            AttemptRow(job_id, detail.status or "", detail.retry_count)
            for (_, job_id), details in tables.details.items()
            for detail in details.values()
            if detail.step_name.startswith("attempt ")
        ],
        left_over=[*_seats(rows), *_waits(store, rows), *_taken(store)],
        **facts,
    )


def _seats(rows: list[JobRow]) -> list[LeftOver]:
    return [LeftOver("slots", row.plan.job_id) for row in rows if row.seats and row.status.is_terminal]


def _waits(store: MemoryStore, rows: list[JobRow]) -> list[LeftOver]:
    waiting = set(store.tables.waiting_room.waiting())
    return [LeftOver("admissions", row.plan.job_id) for row in waiting if row.status.is_terminal or row not in rows]


def _taken(store: MemoryStore) -> list[LeftOver]:
    """Seats that are counted and held by nobody."""
    held = store.tables.waiting_room.standing(store.clock.now(), 0).held
    seated = [seat for row in store.tables.committed() for seat in row.seats]
    return [LeftOver("slots", None) for gate, taken in held.items() if sum(taken.values()) != seated.count(gate)]
