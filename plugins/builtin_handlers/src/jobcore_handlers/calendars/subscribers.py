"""The Microsoft providers of one tenant, in the database."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from jobcore import JobContext
from jobcore_handlers.calendars.graph import Subscription
from jobcore_handlers.calendars.health import confirm
from jobcore_handlers.statements import Statements

_SECRET_BYTES = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A provider whose subscription is to be seen to."""

    provider_id: UUID
    resource: str
    subscription_id: str | None
    client_state: str | None
    generation: int
    confirmed_generation: int

    @property
    def is_unconfirmed(self) -> bool:
        """Whether a run asked for a subscription and did not live to note the answer."""
        return self.confirmed_generation < self.generation


class Subscribers:
    """Reads and writes them, each call in a transaction of its own."""

    def __init__(self, ctx: JobContext) -> None:
        self._ctx = ctx

    async def due(self, look_ahead: timedelta) -> Sequence[Subscriber]:
        """Return those that have no subscription, an unconfirmed one, or one that ends within `look_ahead`."""
        async with self._ctx.db.transaction() as connection:
            return await Statements("calendars", connection).all(
                "list_due_subscriptions", Subscriber, tenant=self._ctx.tenant_id, look_ahead=look_ahead
            )

    async def begin(self, subscriber: Subscriber) -> Subscriber | None:
        """Raise the generation, with a new client state, before a subscription is asked for.

        Returns `None` if another run did so meanwhile.
        """
        async with self._ctx.db.transaction() as connection:
            return await Statements("calendars", connection).first(
                "begin_subscription",
                Subscriber,
                tenant=self._ctx.tenant_id,
                provider=subscriber.provider_id,
                generation=subscriber.generation,
                secret=secrets.token_urlsafe(_SECRET_BYTES),
            )

    async def confirm(self, subscriber: Subscriber, subscription: Subscription) -> bool:
        """Keep a subscription as that of the subscriber's generation, and its health; false if there is a newer one."""
        return await confirm(
            self._ctx,
            "confirm_subscription",
            subscriber.provider_id,
            subscriber.generation,
            subscription=subscription.id,
            expires_at=subscription.expiration_date_time,
        )
