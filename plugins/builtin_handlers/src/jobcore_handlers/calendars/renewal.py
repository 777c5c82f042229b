"""J10 for one provider: its subscription is renewed, or adopted, or made anew.

The generation is raised in the database before a subscription is asked for, and stands in the address that
notifications go to. A run that dies before it notes the answer leaves it unconfirmed; the next one looks for it at the
service.
"""

from __future__ import annotations

from jobcore import JobContext
from jobcore_handlers.calendars import logs
from jobcore_handlers.calendars.errors import CalendarError, ServiceConflictError, ServiceGoneError
from jobcore_handlers.calendars.graph import GraphSubscriptions, Subscription
from jobcore_handlers.calendars.rounds import Outcome
from jobcore_handlers.calendars.subscribers import Subscriber, Subscribers
from jobcore_handlers.calendars.tokens import AccessTokens, ProviderKey


class Renewal:
    """Serves Microsoft providers, one after the other or several at a time."""

    def __init__(self, ctx: JobContext) -> None:
        self._ctx = ctx
        self._subscribers = Subscribers(ctx)

    async def serve(self, subscriber: Subscriber) -> Outcome:
        """See to it that the provider has one subscription, with its full life before it.

        Raises:
            CalendarError: if it could not be done.
        """
        key = ProviderKey(self._ctx.tenant_id, subscriber.provider_id, "microsoft")
        token = await self._ctx.services.get(AccessTokens).bearer(key, self._ctx.db)
        if subscriber.is_unconfirmed:
            return await self._adopt(token, subscriber)
        if subscriber.subscription_id is None:
            return await self._create(token, subscriber)
        try:
            renewed = await self._graph.renew(token, subscriber.subscription_id)
        except ServiceGoneError:
            return await self._create(token, subscriber)
        if not self._graph.is_for(renewed, self._ctx.tenant_id, subscriber.provider_id):
            return await self._create(token, subscriber)  # it leads to an address of before
        return await self._confirm(token, subscriber, renewed, Outcome.RENEWED)

    @property
    def _graph(self) -> GraphSubscriptions:
        return self._ctx.services.get(GraphSubscriptions)

    async def _adopt(self, token: str, subscriber: Subscriber) -> Outcome:
        newest = self._graph.address(self._ctx.tenant_id, subscriber.provider_id, subscriber.generation)
        found: Subscription | None = None
        for subscription in await self._own(token, subscriber):
            if found is None and subscription.notification_url == newest:
                found = subscription
            else:
                await self._end(token, subscriber, subscription.id)
        if found is None:
            return await self._create(token, subscriber)
        try:
            renewed = await self._graph.renew(token, found.id)
        except ServiceGoneError:
            return await self._create(token, subscriber)
        return await self._confirm(token, subscriber, renewed, Outcome.ADOPTED)

    async def _create(self, token: str, subscriber: Subscriber) -> Outcome:
        """Make a subscription, then end the one that the row knows: where both may be, no change falls between them."""
        begun = await self._subscribers.begin(subscriber)
        if begun is None:
            return Outcome.OVERTAKEN
        try:
            created = await self._ask(token, begun)
        except ServiceConflictError:
            for subscription in await self._own(token, begun):  # no row knows it: it only stands in the way
                await self._end(token, begun, subscription.id)
            await self._end_known(token, begun)
            created = await self._ask(token, begun)
        outcome = await self._confirm(token, begun, created, Outcome.CREATED)
        if outcome is Outcome.CREATED:
            await self._end_known(token, begun)
        return outcome

    async def _ask(self, token: str, begun: Subscriber) -> Subscription:
        address = self._graph.address(self._ctx.tenant_id, begun.provider_id, begun.generation)
        state = begun.client_state or ""
        return await self._graph.create(token, address=address, resource=begun.resource, client_state=state)

    async def _confirm(
        self, token: str, subscriber: Subscriber, subscription: Subscription, outcome: Outcome
    ) -> Outcome:
        if await self._subscribers.confirm(subscriber, subscription):
            return outcome
        await self._end(token, subscriber, subscription.id)
        return Outcome.OVERTAKEN

    async def _own(self, token: str, subscriber: Subscriber) -> list[Subscription]:
        """Return the provider's subscriptions at the service, of whichever generation."""
        tenant, provider = self._ctx.tenant_id, subscriber.provider_id
        return [one for one in await self._graph.list_all(token) if self._graph.is_for(one, tenant, provider)]

    async def _end_known(self, token: str, begun: Subscriber) -> None:
        if begun.subscription_id is not None:
            await self._end(token, begun, begun.subscription_id)

    async def _end(self, token: str, subscriber: Subscriber, subscription: str) -> None:
        try:
            await self._graph.delete(token, subscription)
        except CalendarError as error:
            logs.not_ended(self._ctx.logger, subscriber.provider_id, error)
