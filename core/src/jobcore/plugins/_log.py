"""Every log line of the plugin manager."""

from __future__ import annotations

import logging
from collections.abc import Collection

from jobcore.plugins.importing import describe
from jobcore.plugins.records import Origin, PluginRecord, PluginState
from jobcore.settings.problems import did_you_mean

_logger = logging.getLogger("jobcore.plugins")
_told: set[tuple[Origin, str]] = set()


def loaded(record: PluginRecord) -> None:
    _logger.debug("Plugin %s of %s is active.", record.name, record.origin)


def not_loaded(record: PluginRecord) -> None:
    level = logging.WARNING if record.state is PluginState.INCOMPATIBLE else logging.INFO
    _logger.log(level, "Plugin %s of %s is %s: %s", record.name, record.origin, record.state, record.reason)


def failed(record: PluginRecord, error: Exception) -> None:
    """The traceback is the plugin author's way to the fault."""
    _logger.warning(
        "Plugin %s of %s failed and is left out: %s", record.name, record.origin, record.reason, exc_info=error
    )


def preferred(key: str, winner: Origin, loser: Origin) -> None:
    _logger.info("plugins.prefer gives %s to %s; that of %s is left out.", key, winner, loser)


def list_without_effect(name: str, pattern: str, known: Collection[str]) -> None:
    _logger.warning(
        "plugins.%s names %r, and no installed plugin has this name.%s", name, pattern, did_you_mean(pattern, known)
    )


def selection_raised(origin: Origin, error: Exception) -> None:
    """Told once for each kind of error, because it may happen at every enqueue."""
    if _is_new(origin, type(error).__name__):
        _logger.warning(
            "Plugin %s of %s raised %s in jobcore_select_runner and is skipped.",
            origin.plugin,
            origin,
            describe(error),
            exc_info=error,
        )


def selection_unknown(origin: Origin, chosen: object, offered: Collection[str]) -> None:
    """Told once for each name, because it may happen at every enqueue."""
    if _is_new(origin, f"chose {chosen!r}"):
        _logger.warning(
            "Plugin %s of %s chose the runner %r, which is not registered (%s), and is skipped.",
            origin.plugin,
            origin,
            chosen,
            ", ".join(sorted(offered)) or "none is",
        )


def _is_new(origin: Origin, what: str) -> bool:
    known = (origin, what) in _told
    _told.add((origin, what))
    return not known
