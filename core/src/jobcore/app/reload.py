"""Reads the settings anew, and lets the parts of the application take over what they can while they work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from jobcore.app import logs
from jobcore.errors import ConfigurationError

if TYPE_CHECKING:
    from jobcore.app.runners import RunnerPool
    from jobcore.ports.reload import Reloadable
    from jobcore.ports.store import JobStore
    from jobcore.settings import Settings


@dataclass(frozen=True, slots=True)
class Change:
    """A setting that was taken over; `None` stands for its default."""

    key: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Reload:
    """What became of settings that were read anew."""

    applied: tuple[Change, ...] = ()
    refused: tuple[str, ...] = ()
    """Keys that have changed and count from the next start on."""
    warnings: tuple[str, ...] = ()
    """What will not be as the settings say before a restart."""

    @property
    def open_points(self) -> tuple[str, ...]:
        """What is left to a restart, in words."""
        return (*(f"{key} counts from the next start on" for key in self.refused), *self.warnings)


class Reloader:
    """Knows what holds now, and compares it with what is written."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._in_force = settings.written()
        self._turn = asyncio.Lock()

    async def reload(self, parts: Callable[[], Iterable[Reloadable]]) -> Reload:
        """Take over what has changed: every part looks first, and if one cannot use it, nothing is changed.

        Raises `ConfigurationError`, also if the settings were made in the program.
        """
        async with self._turn:
            later = await asyncio.to_thread(self._settings.again)
            looking = list(parts())
            plans = [(part.changeable, part.reload(later)) for part in looking]
            written = later.written()
            keys = sorted(self._in_force.keys() | written.keys())
            changes = [Change(key, self._in_force.get(key), written.get(key)) for key in keys]
            changes = [change for change in changes if change.old != change.new]
            possible = frozenset[str]().union(*(changeable for changeable, _ in plans))
            done = Reload(
                tuple(change for change in changes if change.key in possible),
                tuple(change.key for change in changes if change.key not in possible),
                tuple(caveat for part in looking for caveat in part.caveats(later)) if changes else (),
            )
            taken_over = {change.key: change.new for change in done.applied}
            for changeable, take_over in plans:
                if changeable & taken_over.keys():
                    take_over()
            self._in_force |= taken_over
        logs.settings_reloaded(done)
        return done


class Reloads:
    """The part of `JobApp` that reads its settings anew."""

    store: JobStore
    _runners: RunnerPool
    _reloader: Reloader
    _listening: WeakSet[Reloadable]

    async def reload(self) -> Reload:
        """Read the settings anew, as they were read at the start, and take over what can change while this runs.

        That is the concurrency of workers that were not given one, the routes, the fallback (where it was on at the
        start), the breaker, how long history is kept, and in `jobcore worker` the level of the log. What has changed
        besides is named and counts from the next start on; so is what this process cannot follow, such as a route to an
        engine that its worker does not serve. Each change is logged.

        Raises:
            ConfigurationError: if the settings cannot be used, or were not read but made in the program; nothing has
                changed then.
        """
        return await self._reloader.reload(self._reloadable)

    def takes_over(self, part: Reloadable) -> None:
        """Let something else take over settings that are read anew, for as long as it lives."""
        self._listening.add(part)

    def _reloadable(self) -> list[Reloadable]:
        return [self._runners, self.store, *self._runners.opened().values(), *self._listening]


async def reload_if_possible(reload: Callable[[], Awaitable[Reload]], who: str) -> str | None:
    """Reload, and log what keeps the settings from being used; return that as well."""
    logs.settings_asked_for(who)
    try:
        await reload()
    except ConfigurationError as error:
        logs.settings_not_reloaded(error)
        return str(error)
    return None
