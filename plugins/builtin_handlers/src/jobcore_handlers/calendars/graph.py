"""Subscriptions of Microsoft Graph (learn.microsoft.com/graph/api/resources/subscription)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote, urlencode
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from jobcore_handlers.calendars.api import ServiceApi
from jobcore_handlers.calendars.errors import ServiceGoneError, UnexpectedAnswerError
from jobcore_handlers.calendars.wire import parse_answer

LIFETIME = timedelta(hours=60)
"""Of a subscription; the service allows just under seven days for events of a calendar."""

_CHANGES = "created,updated,deleted"
_MAX_PAGES = 100


class Subscription(BaseModel):
    """A subscription as the service tells it."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True)

    id: str = Field(min_length=1, max_length=200)
    notification_url: str
    expiration_date_time: AwareDatetime
    client_state: str | None = None
    """Not told by all calls."""


class _Page(BaseModel):
    value: list[Subscription]
    next_link: Annotated[str | None, Field(alias="@odata.nextLink")] = None


class GraphSubscriptions:
    """Creates, renews, lists and deletes subscriptions.

    Args:
        api: the service.
        notification_url: where notifications go to; what follows in their addresses says for which provider.
    """

    def __init__(self, api: ServiceApi, notification_url: str) -> None:
        self._api = api
        self._notification_url = notification_url

    def address(self, tenant: UUID, provider: UUID, generation: int) -> str:
        """Return where the notifications of one generation of a provider go to."""
        return f"{self._address_of(tenant, provider)}{generation}"

    def is_for(self, subscription: Subscription, tenant: UUID, provider: UUID) -> bool:
        """Return whether a subscription is one of this provider, of whichever generation."""
        return subscription.notification_url.startswith(self._address_of(tenant, provider))

    async def create(self, token: str, *, address: str, resource: str, client_state: str) -> Subscription:
        """Subscribe to the changes of `resource`, such as `me/events`; sent once unless it surely did not arrive.

        Raises:
            CalendarError: as `ServiceApi.call`; `ServiceConflictError` if there is such a subscription.
        """
        body = {
            "changeType": _CHANGES,
            "notificationUrl": address,
            "resource": resource,
            "expirationDateTime": _expiration(),
            "clientState": client_state,
        }
        return self._parse(await self._api.call("POST", "/subscriptions", token=token, json=body, repeatable=False))

    async def renew(self, token: str, subscription: str) -> Subscription:
        """Let a subscription live for another `LIFETIME`. Raises `ServiceGoneError` if there is none of this id."""
        path = f"/subscriptions/{quote(subscription, safe='')}"
        body = {"expirationDateTime": _expiration()}
        return self._parse(await self._api.call("PATCH", path, token=token, json=body))

    async def delete(self, token: str, subscription: str) -> None:
        """End a subscription; one that is gone is fine."""
        try:
            await self._api.call("DELETE", f"/subscriptions/{quote(subscription, safe='')}", token=token)
        except ServiceGoneError:
            return

    async def list_all(self, token: str) -> Sequence[Subscription]:
        """Return every subscription that this token may see.

        Raises:
            UnexpectedAnswerError: also where a next page is at another address: the token is not sent there.
        """
        found: list[Subscription] = []
        url: str | None = "/subscriptions"
        for _ in range(_MAX_PAGES):
            page = parse_answer(self._api.name, _Page, await self._api.call("GET", url, token=token))
            found += page.value
            url = page.next_link
            if url is None:
                return found
            if not url.startswith(f"{self._api.url}/subscriptions?"):
                raise UnexpectedAnswerError(self._api.name, "a next page is at another address")
        raise UnexpectedAnswerError(self._api.name, f"there are more than {_MAX_PAGES} pages of subscriptions")

    def _address_of(self, tenant: UUID, provider: UUID) -> str:
        query = urlencode({"tenant": str(tenant), "provider": str(provider)})
        return f"{self._notification_url}/microsoft?{query}&generation="

    def _parse(self, document: Any) -> Subscription:
        return parse_answer(self._api.name, Subscription, document)


def _expiration() -> str:
    return (datetime.now(UTC) + LIFETIME).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
