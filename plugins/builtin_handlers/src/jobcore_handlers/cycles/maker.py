"""The cycles of a tenant's clients, each client on its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import psycopg

from jobcore import JobContext
from jobcore_handlers import _logs
from jobcore_handlers.cycles.client import MadeCycles, make_cycles
from jobcore_handlers.errors import BillingError
from jobcore_handlers.isolation import reason_of
from jobcore_handlers.statements import Statements

PAGE = 500
"""How many clients are listed at a time."""

_FaultOfTheClient = (BillingError, psycopg.DataError, psycopg.IntegrityError)


@dataclass(slots=True)
class Tally:
    """What a run did, over all clients."""

    clients: int = 0
    created: int = 0
    duplicates: int = 0
    failed: int = 0
    behind: int = 0

    def add(self, made: MadeCycles) -> None:
        self.created += made.created
        self.duplicates += made.duplicates
        self.behind += made.is_behind


class CycleMaker:
    """Makes the cycles of one tenant, for one job."""

    def __init__(self, ctx: JobContext) -> None:
        self._ctx = ctx
        self._tally = Tally()

    async def run(self) -> Tally:
        """Make what is missing; a client that cannot be helped is recorded, and the others go on.

        Raises:
            psycopg.Error: if the database is at fault, and not a client.
        """
        page = await self._page(after=None)
        while page:
            total = self._tally.clients + page[0].left_to_do
            for client in page:
                self._ctx.signal.raise_if_aborted()
                await self._make(client)
                await self._ctx.progress(100 * self._tally.clients / total, f"Client {self._tally.clients} of {total}")
            page = await self._page(after=page[-1].client_id)
        return self._tally

    async def _make(self, client: _Due) -> None:
        self._tally.clients += 1
        try:
            async with self._ctx.db.transaction() as connection:
                statements = Statements("cycles", connection)
                made = await make_cycles(statements, self._ctx.tenant_id, client.client_id, client.today)
        except _FaultOfTheClient as error:
            self._tally.failed += 1
            _logs.cycles_failed(self._ctx.logger, client.client_id, error)
            await self._ctx.detail(f"Client {client.client_id}", "failed", result={"error": reason_of(error)})
        else:
            self._tally.add(made)

    async def _page(self, after: UUID | None) -> Sequence[_Due]:
        async with self._ctx.db.transaction() as connection:
            return await Statements("cycles", connection).all(
                "list_due_clients", _Due, tenant=self._ctx.tenant_id, after=after, limit=PAGE
            )


@dataclass(frozen=True, slots=True)
class _Due:
    client_id: UUID
    today: date
    left_to_do: int
