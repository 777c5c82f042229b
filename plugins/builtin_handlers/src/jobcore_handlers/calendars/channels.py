"""Channels of Google Calendar (developers.google.com/workspace/calendar/api/guides/push)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import quote
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from jobcore_handlers.calendars.api import ServiceApi
from jobcore_handlers.calendars.errors import ServiceGoneError, UnexpectedAnswerError
from jobcore_handlers.calendars.wire import parse_answer

LIFETIME = timedelta(seconds=604_800)
"""Of a channel; the longest that the service gives."""


class Channel(BaseModel):
    """A channel as the service tells it."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True)

    id: str
    resource_id: str = Field(min_length=1, max_length=500)
    expiration: int = Field(gt=0, lt=10**14)
    """Milliseconds since 1970."""

    @property
    def expires_at(self) -> datetime:
        return datetime.fromtimestamp(self.expiration / 1000, UTC)


def channel_id(provider: UUID, generation: int) -> str:
    """Return the id of a provider's channel of one generation: what was asked for can be stopped without a record."""
    return str(uuid5(provider, f"calendar channel {generation}"))


class CalendarChannels:
    """Opens and stops channels.

    Args:
        api: the service.
        notification_url: where notifications go to.
    """

    def __init__(self, api: ServiceApi, notification_url: str) -> None:
        self._api = api
        self.address = f"{notification_url}/google"

    async def watch(self, token: str, *, calendar: str, channel: str, channel_token: str) -> Channel:
        """Open a channel for the events of a calendar; sent once unless it surely did not arrive.

        Raises:
            CalendarError: as `ServiceApi.call`.
        """
        body = {
            "id": channel,
            "type": "web_hook",
            "address": self.address,
            "token": channel_token,
            "params": {"ttl": str(LIFETIME // timedelta(seconds=1))},
        }
        path = f"/calendars/{quote(calendar, safe='')}/events/watch"
        answer = await self._api.call("POST", path, token=token, json=body, repeatable=False)
        opened = parse_answer(self._api.name, Channel, answer)
        if opened.id != channel:
            raise UnexpectedAnswerError(self._api.name, "it is about another channel")
        return opened

    async def stop(self, token: str, *, channel: str, resource: str) -> None:
        """Stop a channel; one that is gone, or never was, is fine."""
        try:
            await self._api.call("POST", "/channels/stop", token=token, json={"id": channel, "resourceId": resource})
        except ServiceGoneError:
            return
