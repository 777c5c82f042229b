"""The outbox: how jobs reach engines outside of this database, and how their runs report back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from jobcore.models import Claim, Enqueued, Lease, NewJob, Settlement
from jobcore_postgres import wire
from jobcore_postgres.bridges import Bridge
from jobcore_postgres.database import Connection, Database
from jobcore_postgres.outbox_records import Answer, Entry, Handover, Place, Verdict, Written
from jobcore_postgres.outbox_wire import encode_new_jobs, encode_settlement, enqueue_on
from jobcore_postgres.queries import Parameters, rows_of, value_of

__all__ = ["CHANNEL", "Answer", "Entry", "Handover", "Outbox", "Place", "Verdict", "Written"]

CHANNEL = "jobcore_outbox"
"""Where PostgreSQL tells which engine has something in its outbox."""


class Outbox:
    """The jobs of one engine, from the transaction that accepts them until their ends are written.

    Each call is one transaction on a connection of the pool, is repeated where the connection was lost, and raises
    `StorageUnavailableError` if it does not come back.

    Args:
        name_of: what the engine calls a job: its tenant, its id and its epoch.
    """

    def __init__(self, database: Database, runner_type: str, name_of: Callable[[UUID, UUID, int], str]) -> None:
        self.database = database
        self.runner_type = runner_type
        self.name_of = name_of

    # -- what the application does -------------------------------------------------------------------------------------

    async def enqueue(self, jobs: Sequence[NewJob]) -> list[Enqueued]:
        """Accept all of these jobs, or none. Raises what PostgreSQL refuses, and as `outbox_wire.encode_new_jobs`."""
        rows = await self._rows("outbox_enqueue", (encode_new_jobs(jobs, self.name_of),))
        return [Enqueued(row["job_id"], deduplicated=not row["inserted"]) for row in rows]

    async def enqueue_on(self, bridge: Bridge, jobs: Sequence[NewJob]) -> list[Enqueued]:
        """Enqueue in the transaction of a connection of the application's, with one statement.

        Raises:
            ForeignConnectionError: if the connection does not lead to this database; nothing was written.
            Exception: what PostgreSQL refuses, as the connection's library says it.
        """
        return await enqueue_on(bridge, encode_new_jobs(jobs, self.name_of), self.database)

    async def cancel(self, tenant: UUID, job_id: UUID, reason: str | None, cancelled_by: str | None) -> bool:
        """Cancel a job that waits, at once, or ask its worker to; false if it had ended."""
        return bool(await self._value("outbox_cancel", (tenant, job_id, reason, cancelled_by, None)))

    async def retry(self, tenant: UUID, job_id: UUID) -> bool:
        """Queue a failed or cancelled job again under a raised epoch; false if it is neither."""
        return bool(await self._value("outbox_retry", (tenant, job_id)))

    async def place_of(self, tenant: UUID, job_id: UUID) -> Place | None:
        """Return where a job stands in the outbox; `None` if it is not, or no longer, in it."""
        rows = await self._rows("outbox_why", (tenant, job_id))
        return Place(**rows[0]) if rows else None

    async def sizes(self, queues: Sequence[str] | None) -> dict[str, int]:
        """Count the jobs that have not begun, by queue."""
        wanted = {"runner": self.runner_type, "queues": None if queues is None else list(queues)}
        rows = await self._rows("outbox_sizes", wanted)
        return {**dict.fromkeys(queues or (), 0), **{row["queue"]: row["count"] for row in rows}}

    # -- what the relay does -------------------------------------------------------------------------------------------

    async def take(self, limit: int, seconds: float) -> list[Handover]:
        """Take jobs that are to be handed over now, the most important ones first; others leave them alone so long."""
        rows = await self._rows("outbox_take", (self.runner_type, limit, seconds))
        return [
            Handover(
                entry=_entry(row),
                name=row["type"],
                queue=row["queue"],
                priority=row["priority"],
                payload=row["payload"].encode(),
            )
            for row in rows
        ]

    async def handed(self, entries: Iterable[Entry], seconds: float) -> None:
        """The engine has these; `look` shows them after so many seconds, unless they have ended."""
        await self._value("outbox_handed", (_references(entries), seconds))

    async def postpone(self, entries: Iterable[Entry], seconds: float, error: str | None) -> None:
        """Try these again after so many seconds."""
        later = [{**entry.reference, "seconds": seconds, "error": error} for entry in entries]
        await self._value("outbox_postpone", (wire.array(later),))

    async def handed_over(self, limit: int, seconds: float) -> list[Entry]:
        """Take jobs that the engine has had for a while; others leave them alone for so many seconds."""
        return await self._look("handed", limit, seconds)

    async def ending(self, limit: int, seconds: float) -> list[Entry]:
        """Take jobs which the engine is to be told that they are over; others leave them alone for so many seconds."""
        return await self._look("ending", limit, seconds)

    async def forget(self, entries: Iterable[Entry]) -> None:
        """The engine knows that these are over."""
        await self._value("outbox_forget", (_references(entries),))

    async def seconds_to_next(self) -> float | None:
        """How long until a job is to be handed over, negative if it is late; `None` if none is."""
        return await self._value("outbox_next", (self.runner_type,))

    async def move(self, entries: Iterable[Entry], target: str, note: Mapping[str, Any]) -> list[UUID]:
        """Give jobs that have not begun to another engine; return the ids of those that were moved."""
        rows = await self._rows("job_move", (_references(entries), target, orjson.dumps(note).decode()))
        return [row["job_id"] for row in rows]

    async def fail(self, entry: Entry, error: Mapping[str, Any]) -> bool:
        """The engine will never run this, or has ended it without our word: the job fails; false if it has ended."""
        return await self._end(entry, "failed", error)

    async def end_cancelled(self, entry: Entry, error: Mapping[str, Any]) -> bool:
        """The engine has cancelled it without our word: the job is cancelled; false if it has ended."""
        return await self._end(entry, "cancelled", error)

    async def restart(self, entry: Entry, error: Mapping[str, Any]) -> str:
        """The engine does not know this: hand it over again, or fail it with `error` if it had begun.

        Returns `again`, `lost`, or `gone` if it is of another epoch, or has ended.
        """
        parameters = (entry.tenant, entry.job_id, entry.epoch, orjson.dumps(error).decode())
        return await self._value("outbox_restart", parameters)

    # -- what a run does -----------------------------------------------------------------------------------------------

    async def claim(self, entry: Entry, run_id: str, number: int, worker_id: UUID) -> Answer:
        """Claim a job for the engine's run `number`, from 1, of `run_id`: a later one takes it from an earlier one."""
        name = self.name_of(entry.tenant, entry.job_id, entry.epoch)
        arguments = (entry.tenant, entry.job_id, entry.epoch, name, run_id, number, worker_id)
        [row] = await self._rows("outbox_claim", arguments)
        verdict = Verdict(row["verdict"])
        return Answer(
            verdict=verdict,
            claim=self._claim(entry, row) if verdict is Verdict.CLAIMED else None,
            took_over=row["took_over"],
            stop=row["cancel_requested"],
            status=row["follow"],
            result=None if row["result"] is None else row["result"].encode(),
            error=row["error"],
        )

    async def settle(self, settlement: Settlement, epoch: int, worker_id: UUID) -> Written:
        """Write how a run ended, if its lease still holds the job. Raises what PostgreSQL refuses."""
        [row] = await self._rows("outbox_settle", (wire.array([encode_settlement(settlement, epoch, worker_id)]),))
        return Written(row["applied"], row["follow"], max(timedelta(), row["wait"] or timedelta()))

    async def end_run(
        self, entry: Entry, outcome: str, *, result: Any = None, error: Mapping[str, Any] | None = None
    ) -> bool:
        """Write the end of the one run of this epoch; return whether it counted."""
        ending = {**entry.reference, "outcome": outcome, "result": result, "error": error}
        return await self.settle_document(wire.array([ending]))

    async def settle_document(self, document: str) -> bool:
        """Write an end, a JSON array of one element of `outbox_wire.encode_settlement`; return whether it counted."""
        [row] = await self._rows("outbox_settle", (document,))
        return row["applied"]

    async def cancel_epoch(self, entry: Entry, reason: str | None, cancelled_by: str | None) -> bool:
        """As `cancel`, while the job is of this epoch; false otherwise too."""
        parameters = (entry.tenant, entry.job_id, reason, cancelled_by, entry.epoch)
        return bool(await self._value("outbox_cancel", parameters))

    async def show_progress(self, tenant: UUID, job_id: UUID, percent: float, message: str | None) -> bool:
        """Write how far a running job is, for somebody who is not its run; false if it does not run."""
        wanted = {"tenant": tenant, "job_id": job_id, "percent": percent, "message": message}
        return bool(await self._value("outbox_progress", wanted))

    async def look_at(self, leases: Sequence[tuple[Lease, int]]) -> list[tuple[bool, Mapping[str, Any] | None]]:
        """Return for each lease, with its epoch, whether it holds its job, and why it is to stop, if it is."""
        given = [
            {"tenant": lease.tenant, "job_id": lease.job_id, "token": lease.token, "epoch": epoch}
            for lease, epoch in leases
        ]
        rows = await self._rows("outbox_leases", (wire.array(given),))
        return [(row["held"], row["cancel_requested"]) for row in rows]

    def _claim(self, entry: Entry, row: Mapping[str, Any]) -> Claim:
        created_at: datetime = row["created_at"]
        return Claim(
            lease=Lease(entry.job_id, entry.tenant, row["attempt"], row["token"]),
            name=row["type"],
            queue=row["queue"],
            payload=bytes(row["payload"]),
            max_attempts=row["max_attempts"],
            created_at=created_at,
            priority=row["priority"],
            runner_type=self.runner_type,
            receipt=entry,
        )

    async def _end(self, entry: Entry, outcome: str, error: Mapping[str, Any]) -> bool:
        ending = {**entry.reference, "outcome": outcome, "error": error}
        return await self.settle_document(wire.array([ending]))

    async def _look(self, state: str, limit: int, seconds: float) -> list[Entry]:
        rows = await self._rows("outbox_look", (self.runner_type, state, limit, seconds))
        return [replace(_entry(row), stop=row["cancel_requested"]) for row in rows]

    async def _rows(self, name: str, parameters: Parameters) -> list[dict[str, Any]]:
        async def work(connection: Connection) -> list[dict[str, Any]]:
            return await rows_of(connection, name, parameters)

        return await self.database.repeatable(work)

    async def _value(self, name: str, parameters: Parameters) -> Any:
        async def work(connection: Connection) -> Any:
            return await value_of(connection, name, parameters)

        return await self.database.repeatable(work)


def _entry(row: Mapping[str, Any]) -> Entry:
    return Entry(row["tenant"], row["job_id"], row["epoch"], row["tries"], row["options"])


def _references(entries: Iterable[Entry]) -> str:
    return wire.array([entry.reference for entry in entries])
