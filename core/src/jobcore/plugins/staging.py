"""Lets one plugin register into registries of its own; only a plugin that ends without an error is taken over."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pluggy

from jobcore.errors import ConfigurationError
from jobcore.handlers.registry import JobHandlerRegistry
from jobcore.plugins import hooks
from jobcore.plugins.importing import PluginFailedError, describe
from jobcore.plugins.manifest import MANIFEST_NAME, Provides
from jobcore.plugins.records import Origin
from jobcore.plugins.registries import (
    CheckRegistry,
    CommandRegistry,
    MiddlewareRegistry,
    ObserverRegistry,
    PanelRegistry,
    ReasonRegistry,
    RunnerRegistry,
    StorageRegistry,
)
from jobcore.settings import Settings


@dataclass(frozen=True, slots=True)
class Staged:
    """What one plugin registered, not yet in use."""

    origin: Origin
    plugin: Any
    runners: RunnerRegistry
    storages: StorageRegistry
    handlers: JobHandlerRegistry
    middleware: MiddlewareRegistry
    observers: ObserverRegistry
    commands: CommandRegistry
    panels: PanelRegistry
    checks: CheckRegistry
    reasons: ReasonRegistry

    @classmethod
    def empty(cls, origin: Origin, plugin: Any) -> Staged:
        return cls(
            origin,
            plugin,
            RunnerRegistry(origin),
            StorageRegistry(origin),
            JobHandlerRegistry(),
            MiddlewareRegistry(origin),
            ObserverRegistry(origin),
            CommandRegistry(origin),
            PanelRegistry(origin),
            CheckRegistry(origin),
            ReasonRegistry(origin),
        )

    def names(self) -> Iterator[tuple[str, str]]:
        """Yield kind and name of all that a manifest must declare."""
        yield from (("runner", item.name) for item in self.runners.items)
        yield from (("storage", item.name) for item in self.storages.items)
        yield from (("handler", item.name) for item in self.handlers)
        yield from (("command", item.name) for item in self.commands.items)


def new_hooks() -> pluggy.PluginManager:
    """Return a pluggy manager that knows our hooks and no plugin."""
    manager = pluggy.PluginManager(hooks.PROJECT)
    manager.add_hookspecs(hooks)
    return manager


def stage(plugin: Any, origin: Origin, settings: Settings, provides: Provides | None) -> Staged:
    """Call the registration hooks of one plugin and return what it registered.

    Args:
        plugin: a module or an object with hook implementations.
        origin: who it is.
        settings: what the hooks get.
        provides: what the manifest declares; `None` for the application's own plugins, which have none.

    Raises:
        PluginFailedError: if a hook is written wrongly or raises, or something undeclared is registered.
        ConfigurationError: if the plugin's section of the settings is wrong: the user's fault, not the plugin's.
    """
    return _stage(plugin, origin, provides, lambda staged, hook: _register(staged, hook, settings))


def stage_commands(plugin: Any, origin: Origin, provides: Provides) -> Staged:
    """As `stage`, but with its commands alone: a program that looks for one imports no handler for it."""
    return _stage(plugin, origin, provides, lambda staged, hook: hook.jobcore_register_cli(commands=staged.commands))


def _stage(
    plugin: Any, origin: Origin, provides: Provides | None, register: Callable[[Staged, pluggy.HookRelay], object]
) -> Staged:
    staged = Staged.empty(origin, plugin)
    try:
        register(staged, _checked_hooks(plugin).hook)
    except (ConfigurationError, PluginFailedError):
        raise
    except pluggy.PluginValidationError as error:
        raise PluginFailedError(f"its hooks do not fit: {describe(error)}") from error
    except (Exception, SystemExit) as error:
        raise PluginFailedError(f"its registration raised {describe(error)}") from error
    if provides is not None:
        _require_declared(staged, provides)
    return staged


def _checked_hooks(plugin: Any) -> pluggy.PluginManager:
    manager = new_hooks()
    manager.register(plugin)
    manager.check_pending()
    for name in hooks.HOOK_NAMES:
        for implementation in getattr(manager.hook, name).get_hookimpls():
            if inspect.iscoroutinefunction(implementation.function):
                raise PluginFailedError(f"{name} is async; hooks are plain functions, called at start-up.")
            if implementation.hookwrapper or implementation.wrapper:
                raise PluginFailedError(f"{name} is a wrapper; there is nothing to wrap, for plugins load one by one.")
    return manager


def _register(staged: Staged, hook: pluggy.HookRelay, settings: Settings) -> None:
    hook.jobcore_register_runners(registry=staged.runners, settings=settings)
    hook.jobcore_register_storages(registry=staged.storages, settings=settings)
    hook.jobcore_register_handlers(registry=staged.handlers)
    hook.jobcore_register_middleware(registry=staged.middleware)
    hook.jobcore_register_observers(registry=staged.observers)
    hook.jobcore_register_cli(commands=staged.commands)
    hook.jobcore_register_panels(registry=staged.panels)
    hook.jobcore_register_checks(registry=staged.checks)
    hook.jobcore_register_reasons(registry=staged.reasons)


def _require_declared(staged: Staged, provides: Provides) -> None:
    undeclared = [f"{kind} {name!r}" for kind, name in staged.names() if not provides.covers(kind, name)]
    if undeclared:
        raise PluginFailedError(
            f"it registers {', '.join(undeclared)}, which [provides] of its {MANIFEST_NAME} does not declare."
        )
