"""Holding each client's ledger against what is kept beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from psycopg.types.json import Jsonb

from jobcore import JobContext
from jobcore_handlers.credits import logs
from jobcore_handlers.credits.clients import Client, find_clients
from jobcore_handlers.credits.expirer import Expirer
from jobcore_handlers.credits.rules import Discrepancy, Entry, Issue, TrackedCredit, find_discrepancies
from jobcore_handlers.errors import ClientNotFoundError
from jobcore_handlers.isolation import ItemFailure, reason_of
from jobcore_handlers.statements import Connection, Statements


@dataclass(slots=True)
class Totals:
    """How a run went."""

    clients: int
    errors: int = 0
    issues: Counter[Issue] = field(default_factory=Counter[Issue])

    def add(self, found: Iterable[Discrepancy]) -> None:
        """Count what was found with one client."""
        self.issues.update(discrepancy.issue for discrepancy in found)

    def as_result(self) -> dict[str, int]:
        """Return them as the job's result."""
        discrepancies = self.issues[Issue.BALANCE]
        return {
            "totalClients": self.clients,
            "balanceValidCount": self.clients - discrepancies - self.errors,
            "balanceDiscrepancyCount": discrepancies,
            "missingTrackingCount": self.issues[Issue.MISSING_TRACKING],
            "inconsistentTrackingCount": self.issues[Issue.WRONG_REMAINDER],
            "errorCount": self.errors,
        }


@dataclass(frozen=True, slots=True)
class _Locked:
    credit_balance: int


class Reconciler:
    """Checks the clients of one tenant, for one job. It reports and corrects nothing."""

    def __init__(self, ctx: JobContext) -> None:
        self._ctx = ctx

    async def clients(self, client: UUID | None) -> Sequence[Client]:
        """Return the client, or all of the tenant's.

        Raises:
            ClientNotFoundError: if the tenant has no such client.
        """
        async with self._ctx.db.transaction() as connection:
            return await find_clients(connection, self._ctx.tenant_id, client)

    async def check(self, clients: Sequence[Client]) -> Totals:
        """Check each client in a transaction of its own; one that fails is counted and recorded, the others go on."""
        totals = Totals(len(clients))
        for position, client in enumerate(clients, start=1):
            self._ctx.signal.raise_if_aborted()
            if client.has_credit:
                await self._check_alone(client.client_id, totals)
            await self._ctx.progress(100 * position / len(clients), f"Client {position} of {len(clients)}")
        return totals

    async def _check_alone(self, client: UUID, totals: Totals) -> None:
        try:
            async with self._ctx.db.transaction() as connection:
                found = await self._check(connection, client)
        except ItemFailure as error:
            totals.errors += 1
            logs.client_failed(self._ctx.logger, client, error)
            await self._ctx.detail(f"Client {client}", "failed", result={"error": reason_of(error)})
        else:
            totals.add(found)
            logs.discrepancies_found(self._ctx.logger, client, found)

    async def _check(self, connection: Connection, client: UUID) -> list[Discrepancy]:
        # What is overdue expires first, by the rule of J04, so that a report shows the balance that is owed.
        expired = await Expirer(connection, self._ctx.tenant_id, self._ctx.job_id).expire(client)
        logs.skipped(self._ctx.logger, expired.skipped)
        statements, key = Statements("credits", connection), {"tenant": self._ctx.tenant_id, "client": client}
        locked = await statements.first("lock_client", _Locked, **key)
        if locked is None:
            raise ClientNotFoundError(client)
        entries = await statements.all("list_entries", Entry, **key)
        tracked = await statements.all("list_credits", TrackedCredit, **key)
        found = list(find_discrepancies(locked.credit_balance, entries, tracked))
        await self._report(statements, client, found)
        return found

    async def _report(self, statements: Statements, client: UUID, found: Sequence[Discrepancy]) -> None:
        for discrepancy in found:
            await statements.run(
                "save_report",
                tenant=self._ctx.tenant_id,
                client=client,
                issue=discrepancy.issue,
                transaction=discrepancy.transaction_id,
                credit=discrepancy.credit_id,
                expected=discrepancy.expected,
                actual=discrepancy.actual,
                metadata=Jsonb({"jobId": str(self._ctx.job_id)}),
            )
