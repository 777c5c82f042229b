"""Decides of a plugin, from metadata and manifest alone, whether it may be imported."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from jobcore.errors import EditionError
from jobcore.plugins.locate import entry_file_hash, package_folder, read_manifest
from jobcore.plugins.manifest import MANIFEST_NAME, ManifestError, parse_manifest
from jobcore.plugins.records import PluginRecord, PluginState
from jobcore.plugins.scan import FoundPlugin, canonical_name
from jobcore.settings import PluginSettings, Settings, require_edition

CORE = "jobcore-core"
"""The distribution whose own plugins no allow-list leaves out."""


def examine(plugin: FoundPlugin, settings: Settings) -> PluginRecord:
    """Return what is known of a plugin without importing it; `active` means that it may be imported.

    The manifest is read even if the plugin is disabled, so that messages can say what is missing with it.
    """
    record = _read(plugin)
    if reason := _refusal(record, settings.plugins):
        return replace(record, state=PluginState.DISABLED, reason=reason)
    if record.state is PluginState.ACTIVE:
        try:
            require_edition(f"Plugin {plugin.name!r}", record.edition, settings.edition)
        except EditionError as error:
            return replace(record, state=PluginState.DISABLED, reason=str(error))
    return record


def matches(pattern: str, record: PluginRecord, *, by_entry_alone: bool) -> bool:
    """Return whether an entry of an allow-, block- or require-list means this plugin.

    Args:
        pattern: `distribution` or `distribution:entry-point`.
        record: the plugin.
        by_entry_alone: whether a bare entry-point name means it too. Not in an allow-list, where any distribution
            could let itself in by taking an allowed name.
    """
    distribution, _, entry = pattern.partition(":")
    if canonical_name(distribution) == record.distribution:
        return entry in {"", record.name}
    return by_entry_alone and pattern == record.name


def unmatched(patterns: Iterable[str], records: Iterable[PluginRecord], *, by_entry_alone: bool) -> list[str]:
    """Return the entries of a list that mean no installed plugin."""
    known = list(records)
    return [
        pattern
        for pattern in patterns
        if not any(matches(pattern, record, by_entry_alone=by_entry_alone) for record in known)
    ]


def _refusal(record: PluginRecord, settings: PluginSettings) -> str:
    if any(matches(pattern, record, by_entry_alone=True) for pattern in settings.block):
        return "plugins.block names it; take it out of that list to load it."
    if settings.allow is None or record.distribution == CORE:
        return ""
    if any(matches(pattern, record, by_entry_alone=False) for pattern in settings.allow):
        return ""
    return f"plugins.allow does not name it; add {record.distribution!r} to that list to load it."


def _read(plugin: FoundPlugin) -> PluginRecord:
    record = PluginRecord(
        name=plugin.name,
        distribution=plugin.distribution,
        version=plugin.version,
        module=plugin.entry.value,
        state=PluginState.ACTIVE,
        folder=package_folder(plugin),
        file_hash=entry_file_hash(plugin),
    )
    source = f"{MANIFEST_NAME} of {record.origin}"
    try:
        manifest = parse_manifest(read_manifest(plugin), source)
        record = replace(record, manifest=manifest, edition=manifest.edition, provides=manifest.provides)
        manifest.require_api(source)
    except ManifestError as error:
        return replace(record, state=PluginState.INCOMPATIBLE, reason=str(error))
    except (OSError, UnicodeDecodeError) as error:
        return replace(record, state=PluginState.INCOMPATIBLE, reason=f"{source} cannot be read: {error}.")
    return record
