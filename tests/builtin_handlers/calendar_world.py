"""Calendars of a small tenant, at stand-ins for the services that run on loopback."""

from __future__ import annotations

import os
from base64 import b64encode
from typing import Any, Literal
from uuid import UUID, uuid4

from builtin_handlers.context import AttemptContext
from builtin_handlers.fake_google import FakeGoogle
from builtin_handlers.fake_graph import FakeGraph
from builtin_handlers.fake_service import FakeService
from builtin_handlers.world import World
from jobcore.app.services import ServiceContainer
from jobcore_handlers.calendars import ProviderKey
from jobcore_handlers.calendars.services import offer_calendars
from jobcore_handlers.calendars.settings import CalendarSettings
from jobcore_handlers.calendars.vault import TokenVault

KEY = os.urandom(32)
NOTIFICATIONS = "https://app.example.com/notifications"


def settings_for(graph: FakeGraph, google: FakeGoogle, **changes: Any) -> dict[str, Any]:
    """The section `calendars` that leads to the stand-ins; as JSON values."""

    def service(fake: FakeGraph | FakeGoogle) -> dict[str, str]:
        return {"client_id": fake.client_id, "client_secret": fake.client_secret, "api_url": fake.api_url,
                "oauth_url": fake.oauth_url}  # fmt: skip

    return {"notification_url": NOTIFICATIONS, "key": b64encode(KEY).decode(), "timeout_seconds": 5,
            "microsoft": service(graph), "google": service(google), **changes}  # fmt: skip


def serve(ctx: AttemptContext, settings: dict[str, Any]) -> AttemptContext:
    """Offer the services of these settings to a context, and no others."""
    services = ServiceContainer()
    offer_calendars(services, CalendarSettings(**settings))
    ctx.services = services
    return ctx


class Calendars:
    """Adds providers and reads what became of them."""

    def __init__(self, world: World, graph: FakeGraph, google: FakeGoogle) -> None:
        self.world = world
        self.graph = graph
        self.google = google

    def add(
        self,
        kind: Literal["microsoft", "google"],
        user: str = "sally@example.com",
        tenant: UUID | None = None,
        **row: Any,
    ) -> UUID:
        """Add a provider of `user`, who has granted access; `row` is of its configuration."""
        tenant = tenant or self.world.tenant
        provider = uuid4()
        fake: FakeService = self.graph if kind == "microsoft" else self.google
        sealed = TokenVault(KEY).seal(ProviderKey(tenant, provider, kind), fake.enrol(user))
        self.world.add("calendar_providers", tenant=tenant, provider_id=provider, provider_type=kind)
        self.world.add(f"{kind}_calendar_provider_config", **{"tenant": tenant, "provider_id": provider,
                       "sealed_refresh_token": sealed, **row})  # fmt: skip
        return provider

    def config(self, provider: UUID) -> dict[str, Any]:
        """The row of the provider's configuration."""
        for kind in ("microsoft", "google"):
            query = f"select * from billing.{kind}_calendar_provider_config where provider_id = %s"
            for row in self.world.rows(query, provider):
                return row
        raise LookupError(provider)

    def let_expire(self, provider: UUID, minutes: int) -> None:
        """Move the end of the provider's subscription or channel to so many minutes from now, in our records."""
        for kind in ("microsoft", "google"):
            self.world.execute(
                f"update billing.{kind}_calendar_provider_config "
                "set webhook_expires_at = now() + make_interval(mins => %s) where provider_id = %s",
                minutes,
                provider,
            )

    def health(self, provider: UUID) -> tuple[Any, ...]:
        """Status and error of the provider, then status, failures in a row and error of its health row."""
        (row,) = self.world.rows(
            "select p.status, p.error_message, h.status as health, h.consecutive_failure_count, h.last_error "
            "from billing.calendar_providers p "
            "left join billing.calendar_provider_health h using (tenant, provider_id) where provider_id = %s",
            provider,
        )
        return tuple(row.values())
