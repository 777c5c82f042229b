"""Finds the installed plugins: the entry points of one group, read from metadata alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, distributions

from jobcore.plugins.hooks import PROJECT


@dataclass(frozen=True, slots=True)
class FoundPlugin:
    """An entry point of the group `jobcore`, not imported."""

    name: str
    distribution: str
    """In the index's spelling: lower case, with hyphens."""
    version: str
    entry: EntryPoint
    installed: Distribution

    @property
    def module(self) -> str:
        return self.entry.module


def scan() -> tuple[FoundPlugin, ...]:
    """Return all installed plugins, sorted by distribution and name; imports nothing. Blocks for reading metadata.

    Of a distribution that is on the path twice, the first counts, as for imports.
    """
    first: dict[str, Distribution] = {}
    for distribution in distributions():
        first.setdefault(canonical_name(_name_of(distribution)), distribution)
    found = [
        FoundPlugin(entry.name, name, distribution.version, entry, distribution)
        for name, distribution in first.items()
        for entry in distribution.entry_points
        if name and entry.group == PROJECT
    ]
    return tuple(sorted(found, key=lambda plugin: (plugin.distribution, plugin.name)))


def canonical_name(name: str) -> str:
    """Return a distribution's name as the index spells it: `Acme_Jobs` is `acme-jobs`."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _name_of(distribution: Distribution) -> str:
    """Return the name, or nothing for what a broken uninstall left behind."""
    return distribution.metadata["Name"] or "" if "Name" in distribution.metadata else ""
