"""J11 for one provider: it has a channel that lives for some hours yet, or gets a new one; older ones are stopped.

The generation is raised in the database before a channel is asked for, and gives the channel its id. A run that dies
before it notes the answer leaves a channel that nobody lists, but whose id is known: the next run opens another and
stops that one, under the calendar's resource id, which is the same for all channels of a calendar.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from jobcore import JobContext
from jobcore_handlers.calendars import logs
from jobcore_handlers.calendars.channels import CalendarChannels, channel_id
from jobcore_handlers.calendars.errors import CalendarError, ServiceRefusedError
from jobcore_handlers.calendars.health import record_success
from jobcore_handlers.calendars.rounds import Outcome
from jobcore_handlers.calendars.tokens import AccessTokens, ProviderKey
from jobcore_handlers.calendars.watchers import Watcher, Watchers

MARGIN = timedelta(hours=6)
"""A channel that lives longer than this is left as it is."""

STOPPED_AT_ONCE = 20
"""How many old channels of a provider one run stops."""


class Verification:
    """Serves Google providers, one after the other or several at a time."""

    def __init__(self, ctx: JobContext) -> None:
        self._ctx = ctx
        self._watchers = Watchers(ctx)

    async def serve(self, watcher: Watcher) -> Outcome:
        """See to it that the provider has one open channel.

        Raises:
            CalendarError: if it could not be done.
        """
        is_watched = watcher.is_open and watcher.is_confirmed and watcher.webhook_url == self._channels.address
        if is_watched and not watcher.has_leftovers:
            return Outcome.UNCHANGED
        key = ProviderKey(self._ctx.tenant_id, watcher.provider_id, "google")
        token = await self._ctx.services.get(AccessTokens).bearer(key, self._ctx.db)
        if not is_watched:
            return await self._open(token, watcher)
        await self._stop_leftovers(token, watcher)
        await record_success(self._ctx, watcher.provider_id)
        return Outcome.UNCHANGED

    @property
    def _channels(self) -> CalendarChannels:
        return self._ctx.services.get(CalendarChannels)

    async def _open(self, token: str, watcher: Watcher) -> Outcome:
        channel_token = await self._watchers.begin(watcher)
        if channel_token is None:
            return Outcome.OVERTAKEN
        begun = replace(watcher, generation=watcher.generation + 1)
        channel = channel_id(begun.provider_id, begun.generation)
        try:
            opened = await self._channels.watch(
                token, calendar=begun.calendar_id, channel=channel, channel_token=channel_token
            )
        except ServiceRefusedError:
            await self._note_refusal(begun)
            raise
        renewed = replace(begun, resource_id=opened.resource_id)
        if await self._watchers.confirm(renewed, opened, self._channels.address):
            await self._stop_leftovers(token, renewed)
            return Outcome.CREATED
        await self._stop(token, renewed, renewed.generation)
        return Outcome.OVERTAKEN

    async def _note_refusal(self, begun: Watcher) -> None:
        """A channel that was refused never was: it need not be stopped, unless older ones come before it."""
        if begun.stopped_through == begun.generation - 1:
            await self._watchers.note_stopped(begun, begun.generation)

    async def _stop_leftovers(self, token: str, watcher: Watcher) -> None:
        first = watcher.stopped_through + 1
        last = min(watcher.generation - 1, watcher.stopped_through + STOPPED_AT_ONCE)
        through = watcher.stopped_through
        for generation in range(first, last + 1):
            if not await self._stop(token, watcher, generation):
                break
            through = generation
        if through > watcher.stopped_through:
            await self._watchers.note_stopped(watcher, through)

    async def _stop(self, token: str, watcher: Watcher, generation: int) -> bool:
        resource = watcher.resource_id or ""
        try:
            await self._channels.stop(token, channel=channel_id(watcher.provider_id, generation), resource=resource)
        except CalendarError as error:
            logs.not_ended(self._ctx.logger, watcher.provider_id, error)
            return False
        return True
