"""The Google providers of one tenant, in the database."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from jobcore import JobContext
from jobcore_handlers.calendars.channels import Channel, channel_id
from jobcore_handlers.calendars.health import confirm
from jobcore_handlers.statements import Statements

_TOKEN_BYTES = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Watcher:
    """A provider whose channel is to be seen to."""

    provider_id: UUID
    calendar_id: str
    channel_id: str | None
    resource_id: str | None
    webhook_url: str | None
    generation: int
    stopped_through: int
    is_open: bool
    """Whether it has a channel that lives for some time yet."""

    @property
    def is_confirmed(self) -> bool:
        """Whether its channel is that of the newest generation, before which all may be stopped."""
        return self.channel_id == channel_id(self.provider_id, self.generation)

    @property
    def has_leftovers(self) -> bool:
        """Whether older channels than the newest may be open."""
        return self.stopped_through < self.generation - 1


@dataclass(frozen=True, slots=True)
class _Begun:
    channel_token: str


class Watchers:
    """Reads and writes them, each call in a transaction of its own."""

    def __init__(self, ctx: JobContext) -> None:
        self._ctx = ctx

    async def all(self, margin: timedelta) -> Sequence[Watcher]:
        """Return all that are active; a channel counts as open if it lives beyond `margin`."""
        async with self._ctx.db.transaction() as connection:
            return await Statements("calendars", connection).all(
                "list_channels", Watcher, tenant=self._ctx.tenant_id, margin=margin
            )

    async def begin(self, watcher: Watcher) -> str | None:
        """Raise the generation before a channel is asked for, and return the token of the provider's channels.

        Returns `None` if another run did so meanwhile.
        """
        async with self._ctx.db.transaction() as connection:
            begun = await Statements("calendars", connection).first(
                "begin_channel",
                _Begun,
                tenant=self._ctx.tenant_id,
                provider=watcher.provider_id,
                generation=watcher.generation,
                channel_token=secrets.token_urlsafe(_TOKEN_BYTES),
            )
        return None if begun is None else begun.channel_token

    async def confirm(self, watcher: Watcher, channel: Channel, address: str) -> bool:
        """Keep a channel as that of the watcher's generation, and its health; false if there is a newer one."""
        return await confirm(
            self._ctx,
            "confirm_channel",
            watcher.provider_id,
            watcher.generation,
            channel=channel.id,
            resource=channel.resource_id,
            expires_at=channel.expires_at,
            address=address,
        )

    async def note_stopped(self, watcher: Watcher, through: int) -> None:
        """Note that no channel up to generation `through` is open, unless another run noted something meanwhile."""
        async with self._ctx.db.transaction() as connection:
            await Statements("calendars", connection).run(
                "note_stopped",
                tenant=self._ctx.tenant_id,
                provider=watcher.provider_id,
                after=watcher.stopped_through,
                through=through,
            )
