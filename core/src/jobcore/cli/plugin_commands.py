"""The commands that plugins bring. Only plugins whose manifest names commands are imported for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobcore.plugins.acceptance import Acceptance
    from jobcore.plugins.records import PluginRecord
    from jobcore.plugins.registries import LazyTarget
    from jobcore.plugins.scan import FoundPlugin
    from jobcore.settings import Settings


def plugin_commands() -> Mapping[str, LazyTarget]:
    """Return the commands of all plugins that may be loaded, by name. Blocks for the imports.

    A plugin that fails is told in the log and left out.

    Raises:
        ConfigurationError: if the settings cannot be read.
        ConflictError: if two plugins bring one command, and the settings do not say whose wins.
    """
    from jobcore.plugins.acceptance import Acceptance
    from jobcore.settings import Settings

    settings = Settings.load()
    acceptance = Acceptance(settings.plugins.prefer, settings.edition)
    for plugin, record in _with_commands(settings):
        _take(plugin, record, settings, acceptance)
    return acceptance.finish(()).commands


def why_absent(command: str) -> str | None:
    """Return why an installed plugin's command is not there; `None` if no plugin that is left out brings it.

    Raises:
        ConfigurationError: if the settings cannot be read.
    """
    from jobcore.plugins.records import PluginState
    from jobcore.settings import Settings

    for _, record in _examined(Settings.load()):
        if command in record.provides.commands and record.state is not PluginState.ACTIVE:
            return f"{record.origin} brings it, and is {record.state.value}: {record.reason}"
    return None


def _with_commands(settings: Settings) -> list[tuple[FoundPlugin, PluginRecord]]:
    from jobcore.plugins.records import PluginState

    return [
        (plugin, record)
        for plugin, record in _examined(settings)
        if record.state is PluginState.ACTIVE and record.provides.commands
    ]


def _examined(settings: Settings) -> list[tuple[FoundPlugin, PluginRecord]]:
    from jobcore.plugins.examine import examine
    from jobcore.plugins.scan import scan

    return [(plugin, examine(plugin, settings)) for plugin in scan()]


def _take(plugin: FoundPlugin, record: PluginRecord, settings: Settings, acceptance: Acceptance) -> None:
    from jobcore.cli import log_lines
    from jobcore.plugins.importing import PluginFailedError, import_plugin
    from jobcore.plugins.staging import stage_commands

    try:
        module = import_plugin(plugin.entry, settings.plugins.import_seconds)
        acceptance.take(stage_commands(module, record.origin, record.provides))
    except PluginFailedError as error:
        log_lines.commands_missing(record, error)
