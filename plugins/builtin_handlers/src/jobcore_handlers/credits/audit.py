"""What the audit log tells of credits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from psycopg.types.json import Jsonb

from jobcore.ids import NO_USER
from jobcore_handlers.credits.rules import Expiry
from jobcore_handlers.statements import Statements

RUN_STARTED = "credit_validation_run_started"
RUN_COMPLETED = "credit_validation_run_completed"


class AuditLog:
    """The audit log of one tenant, for one job. Ids follow from the job's: a second attempt adds no second row."""

    def __init__(self, statements: Statements, tenant: UUID, job_id: UUID) -> None:
        self._statements = statements
        self._tenant = tenant
        self._job_id = job_id

    async def credits_expired(self, expiries: Sequence[Expiry]) -> None:
        """Tell of each credit that expired."""
        rows = [self._row("credit_expired", "credit_tracking", expiry.credit.credit_id, _told(expiry))
                for expiry in expiries]  # fmt: skip
        await self._statements.run_each("write_audit_log", rows)

    async def run(self, operation: str, details: Mapping[str, Any]) -> None:
        """Tell of the beginning or the end of a reconciliation."""
        row = self._row(operation, "credit_reconciliation_reports", None, details)
        await self._statements.run("write_audit_log", **row)

    def _row(self, operation: str, table: str, record: UUID | None, details: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "tenant": self._tenant,
            "audit": uuid5(self._job_id, f"{operation}/{record or ''}"),
            "user": NO_USER,
            "job": self._job_id,
            "operation": operation,
            "table_name": table,
            "record": record,
            "details": Jsonb(details),
        }


def _told(expiry: Expiry) -> dict[str, Any]:
    return {
        "clientId": str(expiry.credit.client_id),
        "transactionId": str(expiry.credit.transaction_id),
        "amount": expiry.amount,
        "balanceAfter": expiry.balance_after,
    }
