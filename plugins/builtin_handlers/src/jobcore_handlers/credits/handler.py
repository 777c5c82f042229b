"""The handlers of `expired-credits` (J04) and `credit-reconciliation` (J06)."""

from __future__ import annotations

from time import monotonic
from typing import Any
from uuid import UUID

from jobcore import SYSTEM_TENANT, JobContext, RetryPolicy, job
from jobcore_handlers.credits import logs
from jobcore_handlers.credits.audit import RUN_COMPLETED, RUN_STARTED, AuditLog
from jobcore_handlers.credits.clients import find_clients
from jobcore_handlers.credits.errors import OriginalTransactionsMissingError
from jobcore_handlers.credits.expirer import Expired, Expirer
from jobcore_handlers.credits.payload import ClientCredits
from jobcore_handlers.credits.reconciler import Reconciler
from jobcore_handlers.errors import BillingError, TenantRequiredError
from jobcore_handlers.statements import Connection, Statements

PATIENCE = RetryPolicy(max_attempts=3)


@job("expired-credits", retry=PATIENCE)
async def expired_credits(ctx: JobContext, data: ClientCredits) -> dict[str, Any]:
    """Let the credits of a tenant, or of one client, expire whose time is over.

    All of it commits together with the completion of the job, or nothing does. A credit that the ledger does not know
    holds up no other: these expire, and the job fails with its name.

    Raises:
        TenantRequiredError: if the job is the system's.
        ClientNotFoundError: if the tenant lacks the client that the payload names.
        OriginalTransactionsMissingError: if the ledger lacks entries that opened credits; the others have expired.
    """
    if ctx.tenant_id == SYSTEM_TENANT:
        raise TenantRequiredError("expired credits")
    try:
        expired = await _expire_and_complete(ctx, data)
        logs.skipped(ctx.logger, expired.skipped)
        logs.expired(ctx.logger, expired.count, expired.amount)
        if expired.lost:
            origins = {credit.credit_id: credit.transaction_id for credit in expired.lost}
            raise OriginalTransactionsMissingError(origins, expired.count)
    except BillingError as error:
        logs.expiry_failed(ctx.logger, error)
        raise
    return expired.as_result()


async def _expire_and_complete(ctx: JobContext, data: ClientCredits) -> Expired:
    async with ctx.db.transaction() as connection:
        if data.client_id is not None:
            await find_clients(connection, ctx.tenant_id, data.client_id)
        expired = await Expirer(connection, ctx.tenant_id, ctx.job_id).expire(data.client_id)
        if not expired.lost:
            async with ctx.complete_in(connection, result=expired.as_result()):
                pass  # the entries are written already: their number is part of the result
    return expired


@job("credit-reconciliation", retry=PATIENCE)
async def credit_reconciliation(ctx: JobContext, data: ClientCredits) -> dict[str, int]:
    """Hold the ledger of each client, or of one, against its balance and its tracked credits, and report differences.

    A client that cannot be checked is counted and recorded as a detail; the others go on.

    Raises:
        TenantRequiredError: if the job is the system's.
        ClientNotFoundError: if the tenant lacks the client that the payload names.
    """
    if ctx.tenant_id == SYSTEM_TENANT:
        raise TenantRequiredError("credit reconciliation")
    begun = monotonic()
    reconciler = Reconciler(ctx)
    clients = await reconciler.clients(data.client_id)
    async with ctx.db.transaction() as connection:
        await _audit(ctx, connection).run(RUN_STARTED, _scope(data.client_id, len(clients)))
    result = (await reconciler.check(clients)).as_result()
    await _complete(ctx, result, round(1000 * (monotonic() - begun)))
    logs.reconciled(ctx.logger, result)
    return result


async def _complete(ctx: JobContext, result: dict[str, int], duration_ms: int) -> None:
    async with ctx.db.transaction() as connection, ctx.complete_in(connection, result=result):
        await _audit(ctx, connection).run(RUN_COMPLETED, {**result, "durationMs": duration_ms})


def _audit(ctx: JobContext, connection: Connection) -> AuditLog:
    return AuditLog(Statements("credits", connection), ctx.tenant_id, ctx.job_id)


def _scope(client: UUID | None, count: int) -> dict[str, Any]:
    return {"clientId": None if client is None else str(client), "totalClients": count}
