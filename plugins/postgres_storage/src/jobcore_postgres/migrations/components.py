"""Components: the parts of the database that installed plugins bring, found without importing any of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from jobcore.errors import MigrationError
from jobcore.plugins.manifest import MANIFEST_NAME, parse_manifest
from jobcore_postgres.migrations.files import FunctionFile, Migration, load_functions, load_migrations


@dataclass(frozen=True)
class Component:
    """A named list of migrations, with the functions that belong to it."""

    name: str
    folder: Path
    after: tuple[str, ...] = ()
    """The components that have to be there first."""

    @cached_property
    def migrations(self) -> tuple[Migration, ...]:
        return load_migrations(self.folder)

    @cached_property
    def functions(self) -> tuple[FunctionFile, ...]:
        return load_functions(self.folder)


def installed_components() -> tuple[Component, ...]:
    """Return the components of all installed plugins, each after those that it needs.

    Raises:
        MigrationError: if two have one name, one needs another that is not installed, or they need each other.
    """
    found: dict[str, Component] = {}
    for package in sorted({entry.module.partition(".")[0] for entry in entry_points(group="jobcore")}):
        component = _component_of(package)
        if component is None:
            continue
        if (other := found.get(component.name)) is not None:
            raise MigrationError(
                f"Two plugins bring the schema component {component.name!r}: {other.folder} and {component.folder}. "
                "Uninstall one."
            )
        found[component.name] = component
    return in_order(found)


def in_order(components: Mapping[str, Component]) -> tuple[Component, ...]:
    """Return the components, each after those that it needs. Raises `MigrationError`, as `installed_components`."""
    ordered: dict[str, Component] = {}
    waiting = dict(sorted(components.items()))
    while waiting:
        ready = [name for name, component in waiting.items() if all(need in ordered for need in component.after)]
        if not ready:
            raise MigrationError(_why_stuck(waiting, components))
        for name in ready:
            ordered[name] = waiting.pop(name)
    return tuple(ordered.values())


def _why_stuck(waiting: Mapping[str, Component], components: Mapping[str, Component]) -> str:
    for name, component in waiting.items():
        if missing := [need for need in component.after if need not in components]:
            return (
                f"The schema component {name!r} needs {missing[0]!r}, which no installed plugin brings; "
                f"installed: {_names(list(components))}."
            )
    return f"The schema components {_names(list(waiting))} need each other in a circle."


def _names(names: Sequence[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _component_of(package: str) -> Component | None:
    """Read the manifest of a package; finding a top-level package does not import it."""
    spec = find_spec(package)
    for location in (spec and spec.submodule_search_locations) or ():
        manifest = Path(location) / MANIFEST_NAME
        if manifest.exists() and b"[migrations]" in manifest.read_bytes():
            return _parse_component(manifest)
    return None


def _parse_component(path: Path) -> Component | None:
    migrations = parse_manifest(path.read_text(encoding="utf-8"), str(path)).migrations
    if migrations is None:
        return None
    return Component(migrations.component, path.parent / migrations.folder, migrations.after)
