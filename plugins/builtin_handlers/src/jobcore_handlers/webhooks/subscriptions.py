"""Subscriptions, their secrets, and the record of what was sent to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from jobcore import JobContext
from jobcore.errors import NonRetryableError
from jobcore_handlers.statements import Connection, Statements
from jobcore_handlers.webhooks.breaker import Standing
from jobcore_handlers.webhooks.delivery import Delivery
from jobcore_handlers.webhooks.payload import SendWebhook
from jobcore_handlers.webhooks.secrets import KeptSecret, SecretVault
from jobcore_handlers.webhooks.standard import EndpointSecret

OVERLAP = timedelta(hours=24)
"""How long the secret before the current one signs too."""


class SubscriptionNotFoundError(NonRetryableError, LookupError):
    """The tenant has no such subscription, or no more."""

    def __init__(self, subscription_id: UUID) -> None:
        super().__init__(f"There is no webhook subscription {subscription_id}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription(Standing):
    """Where a tenant's changes are sent to, and how the endpoint stands."""

    subscription_id: UUID
    url: str
    resource: str
    read_at: datetime
    """When this was read, by the database's clock."""

    def standing(self) -> Standing:
        return Standing(**{field.name: getattr(self, field.name) for field in fields(Standing)})


class Subscriptions:
    """The subscriptions of one tenant, on one connection, within the caller's transaction."""

    def __init__(self, connection: Connection, tenant: UUID) -> None:
        self._statements = Statements("webhooks", connection)
        self._tenant = tenant

    async def get(self, subscription_id: UUID) -> Subscription:
        """Read a subscription. Raises `SubscriptionNotFoundError` if there is none."""
        return await self._found("get_subscription", subscription_id)

    async def lock(self, subscription_id: UUID) -> Subscription:
        """Read a subscription and hold it to the end of the transaction. Raises as `get`."""
        return await self._found("lock_subscription", subscription_id)

    async def all(self) -> Sequence[Subscription]:
        return await self._statements.all("list_subscriptions", Subscription, tenant=self._tenant)

    async def listening_to(self, resource: str) -> Sequence[Subscription]:
        """Return the subscriptions that are to hear of changes of this kind of thing, at once or after a probe."""
        return await self._statements.all("list_listeners", Subscription, tenant=self._tenant, resource=resource)

    async def add(self, url: str, resource: str, vault: SecretVault) -> tuple[Subscription, EndpointSecret]:
        """Subscribe `url`, which `Deliverer.check` is to have passed, to changes of `resource`.

        Returns the subscription, and the secret that is to be shown to whoever subscribes.
        """
        subscription_id, secret = uuid4(), EndpointSecret.new()
        added = await self._statements.first(
            "add_subscription",
            Subscription,
            tenant=self._tenant,
            subscription_id=subscription_id,
            url=url,
            resource=resource,
            secret=vault.keep(self._tenant, subscription_id, secret),
        )
        assert added is not None  # noqa: S101 - an insert that returns nothing raises
        return added, secret

    async def enable(self, subscription_id: UUID) -> None:
        """Begin anew with an endpoint that was disabled. Raises `SubscriptionNotFoundError`."""
        await self.save(await self.lock(subscription_id), Standing())

    async def save(self, before: Subscription, standing: Standing) -> None:
        """Write how an endpoint stands now, and a notice to its owner if that is news."""
        if standing == before.standing():
            return
        whose = {"tenant": self._tenant, "subscription_id": before.subscription_id}
        await self._statements.run("save_standing", **whose, **asdict(standing))
        if kind := _news(before, standing):
            reason = standing.disabled_reason
            await self._statements.run("add_notice", **whose, kind=kind, reason=reason)

    async def secrets(self, subscription_id: UUID) -> Sequence[KeptSecret]:
        """Return what messages to an endpoint are signed with, for a `SecretVault` to open.

        That is the current secret, and for a while the one before it.
        """
        return await self._statements.all(
            "list_secrets", KeptSecret, tenant=self._tenant, subscription_id=subscription_id
        )

    async def rotate_secret(
        self, subscription_id: UUID, vault: SecretVault, overlap: timedelta = OVERLAP
    ) -> EndpointSecret:
        """Give an endpoint a new secret; the current one signs as well for `overlap`, older ones no more.

        Raises:
            SubscriptionNotFoundError: if there is none.
        """
        await self.lock(subscription_id)
        whose = {"tenant": self._tenant, "subscription_id": subscription_id}
        await self._statements.run("retire_secrets", **whose, overlap=overlap)
        await self._statements.run("remove_expired_secrets", **whose)
        secret = EndpointSecret.new()
        kept = vault.keep(self._tenant, subscription_id, secret)
        await self._statements.run("add_secret", **whose, secret=kept)
        return secret

    async def begin_event(self, ctx: JobContext, data: SendWebhook) -> None:
        """Write the row of an attempt that is about to be made (B16); once, if the attempt runs again."""
        await self._statements.run(
            "begin_event",
            tenant=self._tenant,
            subscription_id=data.subscription_id,
            job_id=ctx.job_id,
            message_id=data.message_id or ctx.job_id,
            attempt=ctx.attempt,
            action=data.action,
            resource_id=data.resource_id,
        )

    async def finish_event(self, ctx: JobContext, delivery: Delivery) -> bool:
        """Write what came of this attempt. False if that is written already."""
        event = await self._statements.first(
            "finish_event",
            _Event,
            tenant=self._tenant,
            job_id=ctx.job_id,
            attempt=ctx.attempt,
            is_delivered=delivery.is_delivered,
            status_code=delivery.status_code,
            error=delivery.error,
            response=delivery.response,
            duration_ms=delivery.duration // timedelta(milliseconds=1),
        )
        return event is not None

    async def _found(self, statement: str, subscription_id: UUID) -> Subscription:
        found = await self._statements.first(
            statement, Subscription, tenant=self._tenant, subscription_id=subscription_id
        )
        if found is None:
            raise SubscriptionNotFoundError(subscription_id)
        return found


@dataclass(frozen=True, slots=True)
class _Event:
    event_id: UUID


def _news(before: Standing, now: Standing) -> str | None:
    if now.is_enabled:
        return None if before.is_enabled else "enabled"
    if now.has_ended:
        return None if before.has_ended else "ended"
    return "disabled" if before.is_enabled else None
