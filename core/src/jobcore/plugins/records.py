"""What is known of each plugin: where it comes from, in which state it is, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from jobcore.plugins.manifest import Manifest, Provides

APPLICATION = "application"
"""The distribution's name that stands for plugins which the application passes itself."""


class PluginState(StrEnum):
    """What became of a plugin."""

    ACTIVE = "active"
    """Loaded; what it registered is in use. In a listing, which imports nothing: would be loaded."""
    DISABLED = "disabled"
    """Left out by the settings or the edition; never imported."""
    INCOMPATIBLE = "incompatible"
    """Its manifest is missing, wrong, or asks for another API; never imported."""
    FAILED = "failed"
    """It raised, took too long, or broke its contract; nothing that it registered is kept."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Who registered something, as messages name it."""

    plugin: str
    """The entry point's name."""
    distribution: str
    version: str

    @property
    def is_application(self) -> bool:
        return self.distribution == APPLICATION

    def __str__(self) -> str:
        if self.is_application:
            return f"the application (plugin {self.plugin!r})"
        return f"{self.distribution} {self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginRecord:
    """One plugin. `reason` says why it is not active, and what to do."""

    name: str
    distribution: str
    version: str
    module: str
    state: PluginState
    reason: str = ""
    edition: str = "community"
    provides: Provides = field(default_factory=Provides)
    manifest: Manifest | None = None
    folder: Path | None = None
    """Where the manifest stands, and the migrations beside it; `None` if there is no such package."""
    file_hash: str = ""
    """SHA-256 of the entry module's file, as 64 hexadecimal digits; empty if there is no such file."""

    @property
    def origin(self) -> Origin:
        return Origin(self.name, self.distribution, self.version)
