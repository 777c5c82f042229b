"""Tenant by tenant in one job: each is served alone, and the failure of one holds up no other."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import psycopg

from jobcore import SYSTEM_TENANT, JobContext
from jobcore.errors import JobcoreError
from jobcore_handlers import _logs
from jobcore_handlers.isolation import reason_of
from jobcore_handlers.statements import Connection, Statements
from jobcore_handlers.tenancy.listing import list_tenants

Work = Callable[[Connection, UUID], Awaitable[int]]
"""Does the work of one tenant in an open transaction as that tenant, and returns how many things it changed."""


class TenantsFailedError(JobcoreError):
    """The work of some tenants failed, that of the others is done; the job tries again by its policy."""

    def __init__(self, failed: int, total: int) -> None:
        super().__init__(
            f"The work failed for {failed} of {total} tenants, and is done for the others. "
            "The job's details name them, each with its error; a retry goes through all of them again."
        )


@dataclass(frozen=True, slots=True)
class TenantCounts:
    """What was changed, and over how many tenants."""

    changed: int
    tenants: int


async def count_over_tenants(ctx: JobContext, work: Work) -> TenantCounts:
    """Run `work` for the job's tenant, or for each tenant if the job is the system's, each in its own transaction.

    Row-level security holds in each: the role is the tenant's, whoever's job it is. `work` has to bear repetition.

    Raises:
        psycopg.Error: if the work of the job's only tenant fails.
        TenantsFailedError: at the end, if the work of some tenants failed in a job of the system tenant.
    """
    if ctx.tenant_id != SYSTEM_TENANT:
        async with ctx.db.transaction() as connection:
            return TenantCounts(await work(connection, ctx.tenant_id), 1)
    async with ctx.db.transaction() as connection:
        tenants = await list_tenants(connection)
    changed = 0

    async def serve(tenant: UUID) -> None:
        nonlocal changed
        async with _transaction_of(ctx, tenant) as connection:
            count = await work(connection, tenant)
        changed += count

    await serve_each(ctx, tenants, serve)
    return TenantCounts(changed, len(tenants))


async def serve_each(ctx: JobContext, tenants: Sequence[UUID], serve: Callable[[UUID], Awaitable[None]]) -> None:
    """Serve one tenant after the other; one whose work the database refuses becomes a detail of the job.

    Raises:
        TenantsFailedError: at the end, if some were not served.
        StorageError: at once, if the database is away: nobody can be served.
    """
    failed = 0
    for position, tenant in enumerate(tenants, start=1):
        ctx.signal.raise_if_aborted()
        try:
            await serve(tenant)
        except psycopg.Error as error:
            failed += 1
            _logs.tenant_failed(ctx.logger, tenant, error)
            await ctx.detail(f"Tenant {tenant}", "failed", result={"error": reason_of(error)})
        await ctx.progress(100 * position / len(tenants), f"Tenant {position} of {len(tenants)}")
    if failed:
        raise TenantsFailedError(failed, len(tenants))


@asynccontextmanager
async def _transaction_of(ctx: JobContext, tenant: UUID) -> AsyncGenerator[Connection]:
    async with ctx.db.transaction() as connection:
        await Statements("tenancy", connection).run("enter_tenant", tenant=str(tenant))
        yield connection
