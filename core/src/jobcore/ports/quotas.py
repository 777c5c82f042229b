"""The quota port: what a store keeps of the tenants' quotas, which it enforces wherever jobs and schedules are made."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from uuid import UUID

from jobcore.models import Quota, TenantQuota


class QuotaStore(ABC):
    """The quotas of tenants; `None` for a tenant is the default of those that have none of their own."""

    @abstractmethod
    async def set_quota(self, tenant: UUID | None, quota: Quota) -> None:
        """Give a tenant a quota, instead of the one that it has."""

    @abstractmethod
    async def clear_quota(self, tenant: UUID | None) -> bool:
        """Take a quota away. False if there was none."""

    @abstractmethod
    async def quotas(self) -> Sequence[TenantQuota]:
        """What is set: the default first, then by tenant."""
