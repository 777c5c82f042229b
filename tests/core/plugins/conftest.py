"""Builds real little distributions in a folder on the path, as an installer would have left them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

import pytest

from jobcore.plugins.manager import PluginManager
from jobcore.plugins.scan import FoundPlugin, canonical_name, scan
from jobcore.settings import Settings

MANIFEST = """
api = ">=1,<2"
[provides]
runners = ["acme", "sound", "half", "same"]
handlers = ["*"]
commands = ["own", "lazy"]
"""
IMPORTS = "from jobcore.plugins.hooks import hookimpl\nfrom jobcore.ports.runner import Capabilities\n"


@dataclass
class Site:
    """A folder like site-packages, with what was installed into it."""

    folder: Path
    distributions: set[str] = field(default_factory=set)
    packages: set[str] = field(default_factory=set)

    def install(
        self,
        distribution: str,
        code: str = "",
        *,
        entry: str = "",
        version: str = "1.0",
        manifest: str | None = MANIFEST,
        module: str = "plugin",
        editable: Path | None = None,
    ) -> str:
        """Write a distribution with one plugin; return the name of its package."""
        package = distribution.replace("-", "_").lower()
        root = (editable or self.folder) / package
        root.mkdir(parents=True)
        (root / "__init__.py").write_text("")
        (root / f"{module}.py").write_text(IMPORTS + dedent(code))
        if manifest is not None:
            (root / "jobcore-plugin.toml").write_text(manifest)
        self.add_metadata(distribution, version, {entry or distribution: f"{package}.{module}"})
        self.packages.add(package)
        return package

    def add_metadata(self, distribution: str, version: str, entries: dict[str, str]) -> None:
        info = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        lines = "".join(f"{name} = {target}\n" for name, target in entries.items())
        (info / "entry_points.txt").write_text(f"[jobcore]\n{lines}")
        self.distributions.add(canonical_name(distribution))

    def found(self) -> list[FoundPlugin]:
        """Scan everything, and keep what was installed here: other plugins of the machine do not matter."""
        return [plugin for plugin in scan() if plugin.distribution in self.distributions]

    def manager(self) -> PluginManager:
        return PluginManager(self.found)

    def imported(self) -> set[str]:
        return {name for name in sys.modules if name.partition(".")[0] in self.packages}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    made = Site(folder)
    yield made
    for name in made.imported():
        del sys.modules[name]


@pytest.fixture
def settings(tmp_path: Path):
    """Return a reader of settings that sees nothing of the machine."""

    def read(env: dict[str, str] | None = None, **overrides: object) -> Settings:
        return Settings.load(env=env or {}, folder=tmp_path, **overrides)

    return read
