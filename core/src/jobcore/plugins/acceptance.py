"""Takes over what plugins registered, one plugin at a time, and settles who wins a name that two claim."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from jobcore.errors import ConflictError, DuplicateHandlerError
from jobcore.handlers.registry import AnyHandler, JobHandlerRegistry
from jobcore.plugins import _log
from jobcore.plugins.loaded import LoadedPlugins
from jobcore.plugins.records import APPLICATION, Origin, PluginRecord
from jobcore.plugins.registries import (
    LazyTarget,
    RegisteredCheck,
    RegisteredMiddleware,
    RegisteredObserver,
    RegisteredReason,
    RegisteredRunner,
    RegisteredStorage,
)
from jobcore.plugins.scan import canonical_name
from jobcore.plugins.staging import Staged, new_hooks
from jobcore.settings import Edition

T = TypeVar("T")


class _Table(dict[str, tuple[T, Origin]]):
    """Things of one kind by name, each with who registered it."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def values_by_name(self) -> dict[str, T]:
        return {name: item for name, (item, _) in sorted(self.items())}


class Acceptance:
    """What has been taken over so far."""

    def __init__(self, prefer: Mapping[str, str], edition: Edition) -> None:
        self._prefer = prefer
        self._edition = edition
        self._runners = _Table[RegisteredRunner]("runner")
        self._storages = _Table[RegisteredStorage]("storage")
        self._handlers = _Table[AnyHandler]("handler")
        self._commands = _Table[LazyTarget]("command")
        self._panels = _Table[LazyTarget]("panel")
        self._checks = _Table[RegisteredCheck]("check")
        self._reasons = _Table[RegisteredReason]("reason")
        self._middleware: list[RegisteredMiddleware] = []
        self._observers: list[RegisteredObserver] = []
        self._plugins: list[Staged] = []

    def take(self, staged: Staged) -> None:
        """Take over all that a plugin registered.

        Raises:
            ConflictError: if it claims a name that another plugin has, and the settings do not say whose wins.
        """
        self._take_all(self._runners, staged.runners.items, staged.origin)
        self._take_all(self._storages, staged.storages.items, staged.origin)
        self._take_all(self._handlers, self._of_edition(staged.handlers), staged.origin)
        self._take_all(self._commands, staged.commands.items, staged.origin)
        self._take_all(self._panels, staged.panels.items, staged.origin)
        self._take_all(self._checks, staged.checks.items, staged.origin)
        self._take_all(self._reasons, staged.reasons.items, staged.origin)
        self._middleware += staged.middleware.items
        self._observers += staged.observers.items
        self._plugins.append(staged)

    def finish(self, records: Iterable[PluginRecord]) -> LoadedPlugins:
        """Return everything that was taken over."""
        hooks = new_hooks()
        origins: dict[str, Origin] = {}
        for staged in self._in_pluggy_order():
            name = f"{staged.origin.distribution}:{staged.origin.plugin}:{len(origins)}"
            hooks.register(staged.plugin, name=name)
            origins[name] = staged.origin
        return LoadedPlugins(
            runners=self._runners.values_by_name(),
            storages=self._storages.values_by_name(),
            handlers=self._handler_registry(),
            middleware=tuple(item.middleware for item in sorted(self._middleware, key=lambda item: item.order)),
            observers=tuple(item.observer for item in sorted(self._observers, key=lambda item: item.order)),
            commands=self._commands.values_by_name(),
            panels=self._panels.values_by_name(),
            checks=tuple(self._checks.values_by_name().values()),
            reasons=tuple(self._reasons.values_by_name().values()),
            records=tuple(records),
            hooks=hooks,
            origins=origins,
        )

    def _take_all(self, table: _Table[Any], items: Iterable[Any], origin: Origin) -> None:
        for item in items:
            if item.name not in table or self._wins(table, item.name, origin):
                table[item.name] = (item, origin)

    def _wins(self, table: _Table[Any], name: str, challenger: Origin) -> bool:
        holder = table[name][1]
        key = f"{table.kind}:{name}"
        preferred = canonical_name(self._prefer.get(key, ""))
        if preferred not in {holder.distribution, challenger.distribution}:
            error = DuplicateHandlerError if table.kind == "handler" else ConflictError
            raise error(
                f"Two plugins register the {table.kind} {name!r}: {holder} and {challenger}. Uninstall or block one, "
                f'or say whose wins: plugins.prefer = {{"{key}" = "{holder.distribution}"}} '
                f'or {{"{key}" = "{challenger.distribution}"}}.'
            )
        winner, loser = (challenger, holder) if preferred == challenger.distribution else (holder, challenger)
        _log.preferred(key, winner, loser)
        return winner is challenger

    def _of_edition(self, handlers: JobHandlerRegistry) -> list[AnyHandler]:
        return [handler for handler in handlers if self._edition.includes(handler.edition)]

    def _handler_registry(self) -> JobHandlerRegistry:
        kinds = ((key.partition(":"), canonical_name(winner)) for key, winner in self._prefer.items())
        own = {name for (kind, _, name), winner in kinds if kind == "handler" and winner == APPLICATION}
        registry = JobHandlerRegistry(own=own)
        for handler, origin in self._handlers.values():
            registry.register(handler, source="" if origin.is_application else str(origin))
        return registry

    def _in_pluggy_order(self) -> list[Staged]:
        """Pluggy calls the last registered first, and we want the application's plugins first, then the sorted rest."""
        own = [staged for staged in self._plugins if staged.origin.is_application]
        others = [staged for staged in self._plugins if not staged.origin.is_application]
        return [*reversed(others), *reversed(own)]
