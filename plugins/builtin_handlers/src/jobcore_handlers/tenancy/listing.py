"""Which tenants there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from jobcore_handlers.statements import Connection, Statements


@dataclass(frozen=True, slots=True)
class _Tenant:
    tenant: UUID


async def list_tenants(connection: Connection) -> Sequence[UUID]:
    """Return every tenant that the connection's role and tenant may see: all, for a worker and for the system."""
    return [row.tenant for row in await Statements("tenancy", connection).all("list_tenants", _Tenant)]
