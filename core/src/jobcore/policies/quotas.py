"""Which quota holds for a tenant."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from jobcore.ids import SYSTEM_TENANT
from jobcore.models import Quota


def quota_of(tenant: UUID, quotas: Mapping[UUID | None, Quota]) -> Quota | None:
    """Return a tenant's own quota, or else the default (`None`), which is not the system tenant's; `None` for none."""
    if tenant in quotas or tenant == SYSTEM_TENANT:
        return quotas.get(tenant)
    return quotas.get(None)
