"""Makes rows and workflows agree where no code of ours could: what was terminated, timed out, or lost by the server."""

from __future__ import annotations

import asyncio

from temporalio.client import Client
from temporalio.service import RPCError

from jobcore.errors import EngineUnavailableError
from jobcore_postgres.outbox import Entry, Outbox
from jobcore_temporal import logs
from jobcore_temporal.availability import TROUBLE, is_away
from jobcore_temporal.connection import Connection
from jobcore_temporal.ends import UNKNOWN, End, cancel_run, end_of, run_name, running_among
from jobcore_temporal.lifeline import Lifeline

BATCH = 200
"""Entries that are compared together: one question to Temporal names them all."""
PAUSE = 1.0
"""Seconds between two looks for entries to be compared."""


class Reconciler:
    """Compares what Temporal was given with what became of it, every so often, and tells Temporal what is over."""

    def __init__(self, outbox: Outbox, connection: Connection, lifeline: Lifeline, seconds: float) -> None:
        self._outbox = outbox
        self._connection = connection
        self._lifeline = lifeline
        self._seconds = seconds

    async def turn(self) -> None:
        """Wait a little; compare what is due to be compared, and cancel what is over."""
        await asyncio.sleep(PAUSE)
        await self._lifeline.wait_up()
        try:
            client = await self._connection.client()
            while ending := await self._outbox.ending(BATCH, self._seconds):
                await asyncio.gather(*(self._end(client, entry) for entry in ending))
            while handed := await self._outbox.handed_over(BATCH, self._seconds):
                await self._compare(client, handed)
        except EngineUnavailableError as error:
            self._lifeline.failed(error)
        except TROUBLE as error:
            if not is_away(error) and not isinstance(error, RPCError):
                raise
            self._lifeline.failed(error)

    async def _end(self, client: Client, entry: Entry) -> None:
        """Cancel the run of a job that is over; if its handler still runs, it has lost its claim."""
        await cancel_run(client, entry, "the job has ended, or was moved", self._connection.patience)
        await self._outbox.forget([entry])

    async def _compare(self, client: Client, entries: list[Entry]) -> None:
        running = await running_among(client, entries, self._connection.patience)
        for entry in entries:
            if entry.stop is not None and (entry.options or {}).get("workflow"):
                reason = str(entry.stop.get("reason") or "the job was cancelled")
                await cancel_run(client, entry, reason, self._connection.patience)
            if run_name(entry) not in running:
                end = await end_of(client, entry, self._connection.patience)
                if end is not None:
                    await self._settle(entry, end)

    async def _settle(self, entry: Entry, end: End) -> None:
        """Write that a run has ended without our word, unless that word has come meanwhile."""
        if end.status == UNKNOWN:
            await self._unknown(entry)
            return
        if end.status == "CANCELED":
            ended = await self._outbox.end_cancelled(entry, {"reason": end.reason, "cancelled_by": "temporal"})
        else:
            message = f"Its run ended as {end.status} in Temporal, and said no more: {end.reason}"
            ended = await self._outbox.fail(entry, {"type": "RunEndedError", "message": message})
        if ended:
            logs.reconciled(entry.job_id, end.status)
        else:
            await self._outbox.forget([entry])

    async def _unknown(self, entry: Entry) -> None:
        message = "Temporal no longer knows the run of this job, which had begun: what it did is not known."
        if await self._outbox.restart(entry, {"type": "RunLostError", "message": message}) == "again":
            logs.started_again(entry.job_id)
