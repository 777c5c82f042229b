"""Jobs and schedules on their way from one engine to another: the `MovingStore` part of the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson

from jobcore.models import HandlerStanding, Movable, Move, MovedJob, MoveVerdict
from jobcore.ports.moving import MovingStore
from jobcore_postgres.database import Connection, Database
from jobcore_postgres.queries import rows_of, value_of

NIL = UUID(int=0)


class PostgresMoving(MovingStore):
    """One transaction a page, begun anew where the connection was lost."""

    database: Database

    async def count_movable(self, source: str, tenant: UUID | None = None) -> Movable:
        wanted = {"source": source, "tenant": tenant}

        async def work(connection: Connection) -> Movable:
            at = await value_of(connection, "instant")
            jobs = await rows_of(connection, "movable_jobs", wanted)
            return Movable(at, _standings(jobs, await rows_of(connection, "movable_schedules", wanted)))

        return await self.database.repeatable(work)

    async def move_jobs(self, move: Move, after: tuple[UUID, UUID] | None = None) -> Sequence[MovedJob]:
        tenant, job_id = after or (move.tenant or NIL, NIL)
        note = {"moved_from": move.source, "moved_at": move.until.isoformat()}
        wanted = {
            **_wanted(move),
            "until": move.until,
            "after_tenant": tenant,
            "after_job": job_id,
            "options": orjson.dumps({name: dict(told) for name, told in move.options.items()}).decode(),
            "note": orjson.dumps(note).decode(),
        }
        rows = await self.database.repeatable(lambda own: rows_of(own, "job_cutover", wanted))
        return [_moved_job(row) for row in rows]

    async def move_schedules(self, move: Move) -> Mapping[str, int]:
        rows = await self.database.repeatable(lambda own: rows_of(own, "schedules_cutover", _wanted(move)))
        return Counter(row["handler"] for row in rows)


def _wanted(move: Move) -> dict[str, Any]:
    return {
        "source": move.source,
        "target": move.target,
        "handlers": list(move.handlers),
        "tenant": move.tenant,
        "limit": move.limit,
    }


def _moved_job(row: Mapping[str, Any]) -> MovedJob:
    return MovedJob(
        tenant=row["tenant"],
        job_id=row["job_id"],
        handler=row["handler"],
        verdict=MoveVerdict(row["verdict"]),
        reason=row["reason"],
    )


def _standings(
    jobs: Sequence[Mapping[str, Any]], schedules: Sequence[Mapping[str, Any]]
) -> tuple[HandlerStanding, ...]:
    by_handler: dict[str, dict[str, Any]] = {row["handler"]: {**row} for row in jobs}
    for row in schedules:
        its = by_handler.setdefault(row["handler"], {"handler": row["handler"]})
        its |= {"schedules": row["named"], "following": row["following"]}
    return tuple(HandlerStanding(**its) for _, its in sorted(by_handler.items()))
