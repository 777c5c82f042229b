"""Checks that what the configuration needs is there, and says what to do where it is not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jobcore.errors import PluginError, RequiredPluginError, UnknownRunnerError, UnknownStorageError
from jobcore.plugins.examine import matches
from jobcore.plugins.known import INSTALL_PAGE, KNOWN_PARTS, install_hints, known_parts
from jobcore.plugins.loaded import LoadedPlugins
from jobcore.plugins.records import PluginRecord, PluginState
from jobcore.settings import Edition, Settings, require_edition
from jobcore.settings.problems import did_you_mean

_VARIABLES = {"runner": "JOB_RUNNER_TYPE", "storage": "JOBCORE_STORAGE"}
_UNKNOWN: dict[str, type[PluginError]] = {"runner": UnknownRunnerError, "storage": UnknownStorageError}


def check_strict(records: Iterable[PluginRecord]) -> None:
    """Raise `RequiredPluginError` if any plugin is broken; for `plugins.strict`."""
    broken = [record for record in records if record.state in {PluginState.FAILED, PluginState.INCOMPATIBLE}]
    if broken:
        lines = "\n  ".join(f"{record.name} of {record.origin} is {record.state}: {record.reason}" for record in broken)
        raise RequiredPluginError(f"plugins.strict is on, and these plugins cannot be used:\n  {lines}")


def check_required(loaded: LoadedPlugins, settings: Settings) -> None:
    """See that the listed plugins, the runner and the storage of this configuration are in use.

    Raises:
        RequiredPluginError: if a plugin is listed in `plugins.require`, or brings the runner or the storage, and is
            not active.
        EditionError: if the edition does not include the runner.
        UnknownRunnerError, UnknownStorageError: if nothing installed brings it.
    """
    for pattern in settings.plugins.require:
        _require_plugin(pattern, loaded.records)
    _require_part("runner", chosen_runner(loaded, settings), loaded.runners, loaded.records, settings.edition)
    _require_part("storage", settings.storage, loaded.storages, loaded.records, settings.edition)


def chosen_runner(loaded: LoadedPlugins, settings: Settings) -> str:
    """Return the runner of this configuration.

    A runner whose plugin is broken counts as installed: to take another one silently would be the worst outcome.
    """
    wanted = [record for record in loaded.records if record.state is not PluginState.DISABLED]
    declared = {name for record in wanted for name in record.provides.runners}
    return settings.chosen_runner(declared | set(loaded.runners))


def require_runner(name: str, loaded: LoadedPlugins, edition: Edition, asked_by: str | None = None) -> None:
    """Raise as `check_required` does unless the runner `name` can be used, which a job, a handler or the setting
    `asked_by` names."""
    _require_part("runner", name, loaded.runners, loaded.records, edition, asked_by=asked_by)


def runners_refused(loaded: LoadedPlugins, edition: Edition) -> dict[str, str]:
    """Return the runners that the edition does not include, whether or not they are loaded, each with the reason."""
    needed = {name: part.edition for name, part in known_parts("runner").items()}
    needed |= {name: runner.edition for name, runner in loaded.runners.items()}
    return {
        name: f"it belongs to the {its} edition, and the edition in force is {edition}: set EDITION={its}."
        for name, its in needed.items()
        if not edition.includes(its)
    }


def runner_hints(loaded: LoadedPlugins) -> dict[str, str]:
    """Return for each runner that is not there, as far as anything is known of it, what to do to have it."""
    hints = {name: f"To install it: {command}." for name, command in install_hints("runner").items()}
    for record in loaded.records:
        for name in record.provides.runners:
            hints[name] = (
                f"Plugin {record.name!r} of {record.origin}, which brings it, is {record.state}: {record.reason}"
            )
    return hints


def _require_plugin(pattern: str, records: Iterable[PluginRecord]) -> None:
    found = [record for record in records if matches(pattern, record, by_entry_alone=True)]
    if not found:
        near = did_you_mean(pattern, {name for record in records for name in (record.name, record.distribution)})
        raise RequiredPluginError(
            f"plugins.require names {pattern!r}, and no installed plugin has this name.{near} "
            f"Install its distribution (see {INSTALL_PAGE}), or take it out of plugins.require."
        )
    for record in found:
        if record.state is not PluginState.ACTIVE:
            raise RequiredPluginError(
                f"plugins.require names {pattern!r}, and this plugin of {record.origin} is {record.state}: "
                f"{record.reason}"
            )


def _require_part(
    kind: str,
    name: str,
    offered: Mapping[str, Any],
    records: Iterable[PluginRecord],
    edition: Edition,
    *,
    asked_by: str | None = None,
) -> None:
    _check_edition(kind, name, offered, edition)
    if name in offered:
        return
    setting = asked_by or _VARIABLES[kind]
    for record in records:
        if record.provides.covers(kind, name):
            raise RequiredPluginError(
                f"The {kind} {name!r} ({setting}) comes with plugin {record.name!r} of {record.origin}, "
                f"which is {record.state}: {record.reason or 'it registered no such ' + kind + '.'}"
            )
    raise _UNKNOWN[kind](_unknown_message(kind, name, offered, setting))


def _check_edition(kind: str, name: str, offered: Mapping[str, Any], edition: Edition) -> None:
    """Hold a part to what it says itself, and a part of ours also to what we know of it."""
    for part in (offered.get(name), KNOWN_PARTS.get(f"{kind}:{name}")):
        needed = getattr(part, "edition", Edition.COMMUNITY)
        require_edition(f"The {kind} {name!r}", needed, edition, f"{_VARIABLES[kind]} to one of the {edition} edition")


def _unknown_message(kind: str, name: str, offered: Mapping[str, Any], setting: str) -> str:
    installed = ", ".join(f"{part} ({item.origin})" for part, item in sorted(offered.items())) or "none"
    hints = install_hints(kind)
    near = "" if name in hints else did_you_mean(name, {*hints, *offered})
    remedy = hints.get(name, f"the distribution that brings it (see {INSTALL_PAGE})")
    return (
        f"No installed plugin brings the {kind} {name!r} ({setting}).{near} "
        f"Installed {kind}s: {installed}. To install it: {remedy}."
    )
