"""Checks of settings and plugins. Nothing is connected yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobcore.cli.doctor.diagnosis import Finding, fault, well
from jobcore.errors import JobcoreError

if TYPE_CHECKING:
    from jobcore.plugins.loaded import LoadedPlugins
    from jobcore.plugins.records import PluginRecord
    from jobcore.settings import Settings


def check_settings() -> tuple[Finding, Settings | None]:
    """Read the settings."""
    from jobcore.settings import Settings

    try:
        settings = Settings.load()
    except JobcoreError as error:
        return fault("settings", str(error), "docs/reference/settings.md lists what is accepted."), None
    told = f"environment {settings.env}, edition {settings.edition}, storage {settings.storage}"
    return well("settings", told), settings


def check_event_loop(settings: Settings) -> Finding:
    """See that the event loop that is wanted for workers is there."""
    from jobcore.cli.event_loop import INSTALL, choose_event_loop

    wanted = settings.worker.event_loop
    try:
        chosen = choose_event_loop(wanted)
    except JobcoreError as error:
        return fault("event loop", str(error))
    missed = f"; {INSTALL} brings a faster one" if wanted == "auto" and chosen.new is None else ""
    return well("event loop", f"workers run on {chosen.name}{missed}")


def check_plugins(settings: Settings) -> tuple[list[Finding], LoadedPlugins | None]:
    """Load all plugins, tell what became of each, and see that nothing is missing that is needed."""
    from jobcore.app import assembly
    from jobcore.plugins.required import check_required

    try:
        loaded = assembly.load_plugins(settings, assembly.Given(), (), required=False)
    except JobcoreError as error:
        return [fault("plugins", str(error))], None
    findings = [_of_plugin(record) for record in loaded.records if not record.origin.is_application]
    try:
        check_required(loaded, settings)
    except JobcoreError as error:
        return [*findings, fault("required plugins", str(error))], loaded
    return findings, loaded


def _of_plugin(record: PluginRecord) -> Finding:
    from jobcore.plugins.records import PluginState

    name, who = f"plugin {record.name}", f"{record.origin} is {record.state}"
    match record.state:
        case PluginState.ACTIVE:
            return well(name, who)
        case PluginState.DISABLED:
            return well(name, f"{who}: {record.reason}")
        case _:
            return fault(name, f"{who}: {record.reason}", "Fix or update it, or name it in plugins.block.")
