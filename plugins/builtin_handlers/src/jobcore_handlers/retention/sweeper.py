"""Batches, tenant by tenant, until nothing is left that is too old."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from jobcore import JobContext
from jobcore_handlers import _logs
from jobcore_handlers.statements import Statements
from jobcore_handlers.tenancy import SystemDatabase, TenantJobs, serve_each


@dataclass(frozen=True, slots=True)
class Rule:
    """A statement that takes one batch of rows older than `days`."""

    statement: str
    days: int


class Sweeper:
    """Applies rules to every tenant, for one job of the system. Each batch commits; a kill loses no more than one."""

    def __init__(self, ctx: JobContext, batch: int) -> None:
        self._ctx = ctx
        self._batch = batch
        self._database = ctx.services.get(SystemDatabase)

    async def run(self, rules: Sequence[Rule]) -> dict[str, int]:
        """Apply the rules in their order; return how many rows each took, by its statement.

        Raises:
            TenantsFailedError: at the end, if some tenants' rows could not be taken.
            StorageError: if the database is away, or lacks a table or a right: no tenant can be served.
        """
        tenants = await self._ctx.services.get(TenantJobs).tenants()
        taken = {rule.statement: 0 for rule in rules}

        async def serve(tenant: UUID) -> None:
            for rule in rules:
                await self._sweep(tenant, rule, taken)

        try:
            await serve_each(self._ctx, tenants, serve)
        finally:
            for name, rows in taken.items():
                _logs.swept(self._ctx.logger, name, rows, len(tenants))
        return taken

    async def _sweep(self, tenant: UUID, rule: Rule, taken: dict[str, int]) -> None:
        rows = self._batch
        while rows == self._batch:
            self._ctx.signal.raise_if_aborted()
            rows = await self._take_batch(tenant, rule)
            taken[rule.statement] += rows

    async def _take_batch(self, tenant: UUID, rule: Rule) -> int:
        async with self._database.transaction() as connection:
            batch = await Statements("retention", connection).all(
                rule.statement, _Batch, tenant=tenant, days=rule.days, limit=self._batch
            )
        return batch[0].rows


@dataclass(frozen=True, slots=True)
class _Batch:
    rows: int
