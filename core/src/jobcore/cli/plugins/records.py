"""What metadata and manifests tell of plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jobcore.plugins.records import PluginRecord


def plugin_records() -> tuple[PluginRecord, ...]:
    """Return the records of all installed plugins; imports none of them. Raises `ConfigurationError`."""
    from jobcore.plugins.manager import PluginManager
    from jobcore.settings import Settings

    return PluginManager().list_records(Settings.load())


def plugin_document(record: PluginRecord) -> dict[str, Any]:
    """Return a plugin as `--json` prints it."""
    manifest = record.manifest
    return {
        "name": record.name,
        "distribution": record.distribution,
        "version": record.version,
        "state": record.state,
        "reason": record.reason,
        "edition": record.edition,
        "module": record.module,
        "file_hash": record.file_hash,
        "provides": record.provides.model_dump(),
        "api": None if manifest is None else str(manifest.api),
        "permissions": [] if manifest is None else list(manifest.permissions),
        "settings": None if manifest is None else manifest.settings,
        "migrations": None if manifest is None or manifest.migrations is None else manifest.migrations.component,
    }
