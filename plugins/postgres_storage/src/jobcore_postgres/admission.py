"""Who is admitted to an engine, and what is paused: the `AdmissionStore` part of the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson

from jobcore.models import Pause, PauseKind
from jobcore.policies.admission import Candidate, Decision, choose, gates_in
from jobcore.ports.admission import MOST_TOLD, AdmissionRound, AdmissionStore, AdmissionView
from jobcore_postgres.database import Connection, Database
from jobcore_postgres.explaining import standing_in, view_of
from jobcore_postgres.queries import row_of, rows_of, value_of
from jobcore_postgres.wire import plain_text

LANES = 500
"""Lanes that one round looks at."""


class PostgresAdmission(AdmissionStore):
    """One transaction a round: what waits and what is taken is read, core decides, and the decision is written."""

    database: Database

    async def admit(self, beyond: str = "", *, thorough: bool = False) -> AdmissionRound | None:
        async with self.database.transaction() as connection:
            seen = await value_of(connection, "admission_begin", (beyond, LANES, thorough))
            if seen is None:
                return None
            decision = choose(_candidates(seen), standing_in(seen))
            await _grant(connection, decision)
        return AdmissionRound(
            admitted=len(decision.granted),
            reached=seen["reached"],
            more=decision.more or len(decision.paused) > 0,
            next_in=_soonest(decision.next_in, seen["next_ms"]),
        )

    async def pause(self, kind: PauseKind, name: str, *, reason: str | None, paused_by: str | None) -> bool:
        parameters = (
            kind.value,
            plain_text(name, "The name of what is paused"),
            plain_text(reason, "The reason"),
            plain_text(paused_by, "Who pauses"),
        )
        return await self.database.repeatable(lambda own: value_of(own, "pause_set", parameters))

    async def resume(self, kind: PauseKind, name: str) -> bool:
        parameters = (kind.value, plain_text(name, "The name of what is paused"))
        return await self.database.repeatable(lambda own: value_of(own, "pause_lift", parameters))

    async def pauses(self) -> Sequence[Pause]:
        rows = await self.database.repeatable(lambda own: rows_of(own, "pauses_list"))
        return [_pause(row) for row in rows]

    async def explain_admission(self, tenant: UUID, job_id: UUID) -> AdmissionView | None:
        parameters = {"tenant": tenant, "job_id": job_id, "most": MOST_TOLD}
        row = await self.database.repeatable(lambda own: row_of(own, "admission_explain", parameters))
        return None if row is None else view_of(tenant, row)


async def _grant(connection: Connection, decision: Decision) -> None:
    if not decision.granted and not decision.paused:
        return
    granted = [{**_reference(one), "seats": one.seats} for one in decision.granted]
    paused = [_reference(one) for one in decision.paused]
    parameters = [orjson.dumps(part).decode() for part in (granted, dict(decision.levels), paused)]
    await value_of(connection, "admission_grant", parameters)


def _candidates(seen: Mapping[str, Any]) -> list[Candidate]:
    return [
        Candidate(
            tenant=UUID(row["tenant"]),
            job_id=UUID(row["job_id"]),
            lane=row["lane"],
            priority=row["priority"],
            number=row["number"],
            gates=gates_in(row["gates"]),
            is_paused=row["is_paused"],
        )
        for row in seen["candidates"]
    ]


def _pause(row: Mapping[str, Any]) -> Pause:
    return Pause(
        kind=PauseKind(row["kind"]),
        name=row["name"],
        reason=row["reason"],
        paused_by=row["paused_by"],
        paused_at=row["paused_at"],
    )


def _reference(candidate: Candidate) -> dict[str, UUID]:
    return {"tenant": candidate.tenant, "job_id": candidate.job_id}


def _soonest(seconds: float | None, milliseconds: float | None) -> float | None:
    waits = [wait for wait in (seconds, None if milliseconds is None else milliseconds / 1000) if wait is not None]
    return min(waits, default=None)
