"""All that the active plugins provide, and the two hooks that are called after the start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pluggy

from jobcore.errors import ConfigurationError, PluginError
from jobcore.handlers.registry import JobHandlerRegistry
from jobcore.models import NewJob
from jobcore.plugins import _log
from jobcore.plugins.importing import describe
from jobcore.plugins.records import Origin, PluginRecord
from jobcore.plugins.registries import (
    LazyTarget,
    RegisteredCheck,
    RegisteredReason,
    RegisteredRunner,
    RegisteredStorage,
)
from jobcore.ports.middleware import Middleware
from jobcore.ports.observer import Observer


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedPlugins:
    """What is in use, by name. Runners and storages are factories: nothing is open yet."""

    runners: Mapping[str, RegisteredRunner]
    storages: Mapping[str, RegisteredStorage]
    handlers: JobHandlerRegistry
    middleware: tuple[Middleware, ...]
    """The outermost first."""
    observers: tuple[Observer, ...]
    """In the order in which they are told."""
    commands: Mapping[str, LazyTarget]
    panels: Mapping[str, LazyTarget]
    checks: tuple[RegisteredCheck, ...]
    reasons: tuple[RegisteredReason, ...]
    records: tuple[PluginRecord, ...]
    """Every plugin that was found, loaded or not, sorted by distribution and name; the application's own last."""
    hooks: pluggy.PluginManager
    origins: Mapping[str, Origin]
    """Who each plugin known to `hooks` is, by its name there."""

    @property
    def select_runners(self) -> bool:
        """Whether any plugin wants a say in `select_runner`."""
        return bool(self.hooks.hook.jobcore_select_runner.get_hookimpls())

    def select_runner(self, job: NewJob, runners: Mapping[str, RegisteredRunner] | None = None) -> str | None:
        """Ask the plugins which runner takes `job`; `None` leaves it to the settings. Never raises.

        The application's own plugins are asked first, then the others by distribution and name.
        """
        offered = self.runners if runners is None else runners
        arguments: dict[str, Any] = {"job": job, "runners": offered}
        for implementation in reversed(self.hooks.hook.jobcore_select_runner.get_hookimpls()):
            origin = self.origins[implementation.plugin_name]
            try:
                chosen: Any = implementation.function(*(arguments[name] for name in implementation.argnames))
            except Exception as error:  # noqa: BLE001 - a plugin that raises is skipped, and said so
                _log.selection_raised(origin, error)
                continue
            if chosen in offered:
                return chosen
            if chosen is not None:
                _log.selection_unknown(origin, chosen, offered)
        return None

    def app_configured(self, app: Any) -> None:
        """Tell every plugin that the app is complete.

        Raises:
            PluginError: if a plugin raises; it is named.
            ConfigurationError: if its section of the settings is wrong: the user's fault, not the plugin's.
        """
        for implementation in reversed(self.hooks.hook.jobcore_app_configured.get_hookimpls()):
            try:
                implementation.function(*([app] if implementation.argnames else []))
            except ConfigurationError:
                raise
            except Exception as error:
                origin = self.origins[implementation.plugin_name]
                raise PluginError(
                    f"Plugin {origin.plugin!r} of {origin} failed in jobcore_app_configured: {describe(error)}. "
                    f"Fix it, or name it in plugins.block."
                ) from error
