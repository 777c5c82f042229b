"""What operators allow tenants to have."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from jobcore.app.options import as_whole
from jobcore.app.queries import TenantId
from jobcore.errors import InputError
from jobcore.ids import parse_tenant
from jobcore.models import Quota, QuotaKind, TenantQuota
from jobcore.policies.quotas import quota_of
from jobcore.ports.store import JobStore

MOST = 2**53
"""Beyond any figure that means something, and a number that JSON keeps."""


class JobQuotas:
    """The part of `JobApp` that sets quotas; a tenant of `None` is the default, for those that have none of their own.

    Ids are UUIDs or their text; the system tenant, `'system'`, is exempt from the default.
    """

    store: JobStore

    async def set_quota(self, tenant: TenantId | None, quota: Quota) -> None:
        """Give a tenant a quota, instead of the one that it has; it holds from the next call on, for every process.

        A quota that names no limit exempts its tenant from the default. Raises `InputError` unless the limits are whole
        numbers from 0, or `None`.
        """
        await self.store.set_quota(_owner(tenant), _checked(quota))

    async def clear_quota(self, tenant: TenantId | None) -> bool:
        """Take a tenant's own quota away, so that the default holds; or the default. False if there was none."""
        return await self.store.clear_quota(_owner(tenant))

    async def get_quota(self, tenant: TenantId | None) -> Quota | None:
        """Return the quota that holds for a tenant, its own or the default; `None` if none does."""
        quotas = {one.tenant: one.quota for one in await self.store.quotas()}
        return quotas.get(None) if tenant is None else quota_of(parse_tenant(tenant), quotas)

    async def quotas(self) -> Sequence[TenantQuota]:
        """Return the quotas that are set: the default first, then by tenant."""
        return await self.store.quotas()


def _owner(tenant: TenantId | None) -> UUID | None:
    return None if tenant is None else parse_tenant(tenant)


def _checked(quota: Quota) -> Quota:
    if not isinstance(quota, Quota):  # pyright: ignore[reportUnnecessaryIsInstance] - callers may not be typed
        raise InputError(f"A quota is a Quota, such as Quota(waiting=10_000), not {quota!r}.")
    for kind in QuotaKind:
        as_whole(kind.value, getattr(quota, kind.value), 0, MOST)
    return quota
