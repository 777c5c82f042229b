"""How a provider fares: what was achieved for it, its health row and its status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from jobcore import JobContext
from jobcore_handlers.calendars.errors import CalendarError
from jobcore_handlers.statements import Statements

FAILURES_BORNE = 3
"""With so many failures in a row a provider's status becomes `error`."""


@dataclass(frozen=True, slots=True)
class _Health:
    consecutive_failure_count: int


@dataclass(frozen=True, slots=True)
class _Confirmed:
    provider_id: UUID


async def confirm(ctx: JobContext, statement: str, provider: UUID, generation: int, **achieved: Any) -> bool:
    """Keep what was achieved for a provider's generation, and that the provider works, in one transaction.

    False, and nothing is kept, if there is a newer generation.
    """
    key = {"tenant": ctx.tenant_id, "provider": provider}
    async with ctx.db.transaction() as connection:
        statements = Statements("calendars", connection)
        if await statements.first(statement, _Confirmed, **key, generation=generation, **achieved) is None:
            return False
        await _record_success(statements, key)
    return True


async def record_success(ctx: JobContext, provider: UUID) -> None:
    """Note that the provider works, where nothing new was achieved."""
    async with ctx.db.transaction() as connection:
        await _record_success(Statements("calendars", connection), {"tenant": ctx.tenant_id, "provider": provider})


async def _record_success(statements: Statements, key: Mapping[str, UUID]) -> None:
    await statements.run("record_success", **key)
    await statements.run("set_provider_status", **key, status="connected", error=None)


async def record_failure(ctx: JobContext, provider: UUID, error: CalendarError) -> int:
    """Note a failure, counted once for each job; return how many there were in a row.

    The third makes the provider's status `error`, with the message.
    """
    async with ctx.db.transaction() as connection:
        statements = Statements("calendars", connection)
        health = await statements.first(
            "record_failure", _Health, tenant=ctx.tenant_id, provider=provider, error=str(error), job=ctx.job_id
        )
        failures = 0 if health is None else health.consecutive_failure_count
        if failures >= FAILURES_BORNE:
            await statements.run(
                "set_provider_status", tenant=ctx.tenant_id, provider=provider, status="error", error=str(error)
            )
    return failures
