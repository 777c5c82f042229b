"""Subscriptions and the record of what was sent to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from jobcore import JobContext
from jobcore_handlers.statements import Connection, Statements
from jobcore_handlers.webhooks.delivery import Delivery
from jobcore_handlers.webhooks.payload import SendWebhook

DISABLED_AFTER = 5
"""Consecutive failures after which a subscription is disabled (B15)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Where a tenant's changes are sent to."""

    subscription_id: UUID
    url: str
    is_enabled: bool
    consecutive_failures: int
    disabled_reason: str | None


class Subscriptions:
    """The subscriptions of one tenant, on one connection."""

    def __init__(self, connection: Connection, tenant: UUID) -> None:
        self._statements = Statements("webhooks", connection)
        self._tenant = tenant

    async def get(self, subscription_id: UUID) -> Subscription | None:
        return await self._statements.first(
            "get_subscription", Subscription, tenant=self._tenant, subscription_id=subscription_id
        )

    async def enabled_for(self, resource: str) -> Sequence[Subscription]:
        """Return the subscriptions that want to hear of changes of this kind of thing."""
        return await self._statements.all(
            "list_enabled_subscriptions", Subscription, tenant=self._tenant, resource=resource
        )

    async def enable(self, subscription_id: UUID) -> None:
        """Begin anew with an endpoint that was disabled."""
        await self._statements.run("enable_subscription", tenant=self._tenant, subscription_id=subscription_id)

    async def record(self, ctx: JobContext, data: SendWebhook, delivery: Delivery) -> Subscription | None:
        """Write the event's row and count the failure, or forget the ones before it (B15, B16).

        A second record of the same attempt changes nothing. Returns the subscription as it stands now.
        """
        return await self._statements.first(
            "record_delivery",
            Subscription,
            tenant=self._tenant,
            subscription_id=data.subscription_id,
            job_id=ctx.job_id,
            attempt=ctx.attempt,
            action=data.action,
            resource_id=data.resource_id,
            is_delivered=delivery.is_delivered,
            status_code=delivery.status_code,
            error=delivery.error,
            response=delivery.response,
            duration_ms=delivery.duration // timedelta(milliseconds=1),
            sent_at=delivery.sent_at,
            disabled_after=DISABLED_AFTER,
        )
