"""Puts an application together from its settings, its plugins and what it was given: nothing is open yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from jobcore.app.modules import definitions_of, load_definitions
from jobcore.app.reasons import CoreReasons
from jobcore.handlers.registry import AnyHandler, JobHandlerRegistry
from jobcore.plugins.hooks import hookimpl
from jobcore.plugins.manager import PluginManager
from jobcore.plugins.records import APPLICATION
from jobcore.ports.middleware import Middleware
from jobcore.ports.observer import Observer
from jobcore.ports.runner import JobRunner
from jobcore.ports.store import JobStore
from jobcore.settings import Settings

if TYPE_CHECKING:
    from jobcore.plugins.loaded import LoadedPlugins
    from jobcore.plugins.registries import MiddlewareRegistry, ObserverRegistry, RunnerRegistry, StorageRegistry

CORE_PLUGIN = "jobcore.memory.plugin"
"""Core's own runner and storage; imported by name, for rooms below know nothing of this one."""

HandlerSource = AnyHandler | Mapping[str, Any] | ModuleType
"""What an application may pass as a handler: a definition, a document's configuration, or a module of definitions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the application passed itself; it registers like a plugin of the application's own."""

    handlers: Sequence[HandlerSource] = ()
    runner: JobRunner | None = None
    store: JobStore | None = None
    middleware: Sequence[Middleware] = ()
    observers: Sequence[Observer] = ()
    modules: Sequence[str] = ()

    @hookimpl
    def jobcore_register_runners(self, registry: RunnerRegistry) -> None:
        if (runner := self.runner) is not None:
            registry.register_runner(runner.runner_type, lambda _: runner, capabilities=runner.capabilities)

    @hookimpl
    def jobcore_register_storages(self, registry: StorageRegistry) -> None:
        if (store := self.store) is not None:
            registry.register_storage(store.storage_type, lambda _: store)

    @hookimpl
    def jobcore_register_handlers(self, registry: JobHandlerRegistry) -> None:
        for handler in self.handlers:
            for definition in definitions_of(handler) if isinstance(handler, ModuleType) else (handler,):
                registry.register(definition)
        for module in self.modules:
            for definition in load_definitions(module):
                registry.register(definition)

    @hookimpl
    def jobcore_register_middleware(self, registry: MiddlewareRegistry) -> None:
        for middleware in self.middleware:
            registry.add(middleware)

    @hookimpl
    def jobcore_register_observers(self, registry: ObserverRegistry) -> None:
        for observer in self.observers:
            registry.add(observer)


def settings_for(settings: Settings | None, runner: str | JobRunner | None, store: str | JobStore | None) -> Settings:
    """Return the settings in force: what the application passed wins over what is configured.

    A runner with a store of its own, such as the memory runner, brings it along.
    """
    configured = Settings.load() if settings is None else settings
    changes: dict[str, Any] = {}
    if runner is not None:
        changes["runner"] = runner if isinstance(runner, str) else runner.runner_type
    if store is not None:
        changes["storage"] = store if isinstance(store, str) else store.storage_type
    return configured.model_copy(update=changes) if changes else configured


def load_plugins(settings: Settings, given: Given, extra: Iterable[Any], *, required: bool = True) -> LoadedPlugins:
    """Load all plugins, core's own engine and what the application gave. Blocks; raises as `PluginManager.load`."""
    core = import_module(CORE_PLUGIN)
    own: list[Any] = [CoreReasons(), core.MemoryReasonsPlugin(), given, *extra]
    if given.runner is None or given.runner.runner_type != "memory":
        own.insert(0, core.MemoryRunnerPlugin())
    if given.store is None or given.store.storage_type != "memory":
        own.insert(0, core.MemoryStoragePlugin())
    return _plugin_manager().load(_preferring_given(settings, given), extra=own, required=required)


def _preferring_given(settings: Settings, given: Given) -> Settings:
    """Let a runner and a store that the application passed win over the plugins that offer the same."""
    won: dict[str, str] = {}
    if given.runner is not None:
        won[f"runner:{given.runner.runner_type}"] = APPLICATION
    if given.store is not None:
        won[f"storage:{given.store.storage_type}"] = APPLICATION
    if not won:
        return settings
    plugins = settings.plugins.model_copy(update={"prefer": {**settings.plugins.prefer, **won}})
    return settings.model_copy(update={"plugins": plugins})


@cache
def _plugin_manager() -> PluginManager:
    """Return the process's manager: the scan reads the metadata of everything installed, 30 ms, once."""
    return PluginManager()


def store_beside(runner: str | JobRunner | None, store: str | JobStore | None) -> str | JobStore | None:
    """Return the store to use with a runner that was passed: its own, unless another one was passed too."""
    own = getattr(runner, "store", None)
    return own if store is None and isinstance(own, JobStore) else store
