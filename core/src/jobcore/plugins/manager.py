"""The plugin manager: finds plugins, decides which may be imported, loads them one by one, and keeps the reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from jobcore.errors import JobcoreError, PluginError
from jobcore.plugins import _log
from jobcore.plugins.acceptance import Acceptance
from jobcore.plugins.examine import examine, unmatched
from jobcore.plugins.importing import PluginFailedError, import_plugin
from jobcore.plugins.loaded import LoadedPlugins
from jobcore.plugins.records import APPLICATION, Origin, PluginRecord, PluginState
from jobcore.plugins.required import check_required, check_strict
from jobcore.plugins.scan import FoundPlugin, scan
from jobcore.plugins.staging import stage
from jobcore.settings import Settings


class PluginManager:
    """Scans once, when first asked; make a new one to see what was installed since."""

    def __init__(self, find: Callable[[], Iterable[FoundPlugin]] = scan) -> None:
        self._find = find
        self._found: tuple[FoundPlugin, ...] | None = None

    def list_records(self, settings: Settings) -> tuple[PluginRecord, ...]:
        """Return what metadata and manifests tell; imports no plugin. `active` means that it would be loaded."""
        return tuple(examine(plugin, settings) for plugin in self._plugins())

    def load(self, settings: Settings, *, extra: Iterable[Any] = (), required: bool = True) -> LoadedPlugins:
        """Load every plugin that may be loaded; blocks for the imports.

        Args:
            settings: which plugins, runner and storage.
            extra: the application's own plugins: modules or objects with hook implementations.
            required: whether to insist on the configured runner and storage and on `plugins.require`; a program that
                is to report what is wrong (`jobcore doctor`) does not.

        Raises:
            RequiredPluginError, UnknownRunnerError, UnknownStorageError, EditionError: if what is needed is not there.
            ConflictError: if two plugins claim one name, and the settings do not say whose wins.
            ConfigurationError: if a plugin's section of the settings is wrong, or has nearly a known name.
            PluginError: if one of `extra` fails; a `JobcoreError` that it raises passes as it is.
        """
        acceptance = Acceptance(settings.plugins.prefer, settings.edition)
        examined = self.list_records(settings)
        _warn_of_unmatched(settings, examined)
        records = [
            _load_one(plugin, record, settings, acceptance)
            for plugin, record in zip(self._plugins(), examined, strict=True)
        ]
        records += [_load_own(plugin, settings, acceptance) for plugin in extra]
        if settings.plugins.strict:
            check_strict(records)
        loaded = acceptance.finish(records)
        settings.check_sections({*(record.name for record in records), *loaded.runners, *loaded.storages})
        if required:
            check_required(loaded, settings)
        return loaded

    def _plugins(self) -> tuple[FoundPlugin, ...]:
        if self._found is None:
            self._found = tuple(self._find())
        return self._found


def _load_one(plugin: FoundPlugin, record: PluginRecord, settings: Settings, acceptance: Acceptance) -> PluginRecord:
    """Import one plugin, let it register, take over what it registered; return its record as it stands then."""
    if record.state is not PluginState.ACTIVE:
        _log.not_loaded(record)
        return record
    try:
        module = import_plugin(plugin.entry, settings.plugins.import_seconds)
        staged = stage(module, record.origin, settings, record.provides)
    except PluginFailedError as error:
        failed = replace(record, state=PluginState.FAILED, reason=str(error))
        _log.failed(failed, error)
        return failed
    acceptance.take(staged)
    _log.loaded(record)
    return record


def _load_own(plugin: Any, settings: Settings, acceptance: Acceptance) -> PluginRecord:
    name = str(getattr(plugin, "__name__", type(plugin).__name__))
    origin = Origin(name, APPLICATION, "")
    try:
        staged = stage(plugin, origin, settings, None)
    except PluginFailedError as error:
        if isinstance(error.__cause__, JobcoreError):
            raise error.__cause__ from None  # the application's own mistake, told as if it had called us itself
        raise PluginError(f"The application's own plugin {name!r} cannot be used: {error}") from error
    acceptance.take(staged)
    return PluginRecord(name=name, distribution=APPLICATION, version="", module=name, state=PluginState.ACTIVE)


def _warn_of_unmatched(settings: Settings, records: tuple[PluginRecord, ...]) -> None:
    known = {name for record in records for name in (record.name, record.distribution)}
    for pattern in unmatched(settings.plugins.allow or (), records, by_entry_alone=False):
        _log.list_without_effect("allow", pattern, known)
    for pattern in unmatched(settings.plugins.block, records, by_entry_alone=True):
        _log.list_without_effect("block", pattern, known)
