"""The handler of `cleanup-ai-session-keys` (J12)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from jobcore import JobContext, RetryPolicy, job
from jobcore_handlers import _logs
from jobcore_handlers.sessions.payload import CleanupAiSessionKeys
from jobcore_handlers.statements import Connection, Statements
from jobcore_handlers.tenancy import count_over_tenants


@dataclass(frozen=True, slots=True)
class _Revoked:
    count: int


@job("cleanup-ai-session-keys", retry=RetryPolicy(max_attempts=2), edition="enterprise")
async def cleanup_ai_session_keys(ctx: JobContext, data: CleanupAiSessionKeys) -> dict[str, int]:
    """Deactivate the keys of assistants' sessions that have expired: one tenant's, or the system's for all tenants.

    Raises:
        TenantsFailedError: if the keys of some tenants could not be deactivated; those of the others are.
    """
    counts = await count_over_tenants(ctx, revoke_expired_keys)
    _logs.session_keys_revoked(ctx.logger, counts.changed, counts.tenants, data.trigger)
    return {"revokedCount": counts.changed, "tenantCount": counts.tenants}


async def revoke_expired_keys(connection: Connection, tenant: UUID) -> int:
    """Deactivate the expired session keys of one tenant; return how many."""
    revoked = await Statements("sessions", connection).first("revoke_expired_keys", _Revoked, tenant=tenant)
    return 0 if revoked is None else revoked.count
