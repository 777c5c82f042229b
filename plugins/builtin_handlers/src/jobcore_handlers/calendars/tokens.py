"""The port through which the calendar handlers get access tokens."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from jobcore.ports.context import TenantDatabase

ProviderType = Literal["microsoft", "google"]


@dataclass(frozen=True, slots=True)
class ProviderKey:
    """Which calendar provider."""

    tenant: UUID
    provider_id: UUID
    provider_type: ProviderType


class AccessTokens(ABC):
    """Gives access tokens for calendars. An application may offer its own under `ctx.services`."""

    @abstractmethod
    async def bearer(self, provider: ProviderKey, db: TenantDatabase) -> str:
        """Return a token that is valid for some minutes at least.

        Args:
            provider: whose.
            db: the database as the provider's tenant.

        Raises:
            CalendarError: if there is none for this provider; the others are still served.
            ConfigurationError: if none can be had for any.
        """
