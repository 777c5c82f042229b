"""Where settings come from: arguments over variables over a file, each remembering how the user wrote a value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from jobcore.errors import ConfigurationError
from jobcore.settings.database import PARTS
from jobcore.settings.names import variable_of
from jobcore.settings.problems import Path


@dataclass(frozen=True, slots=True)
class Layer:
    """The values from one place, as a tree."""

    values: Mapping[str, Any]
    name_of: Callable[[Path], str]
    """How the user wrote a path here: a variable's name, or a file and a key."""

    def depth(self, path: Path) -> int:
        """Return how many steps of `path` exist here."""
        current: Any = self.values
        for count, step in enumerate(path):
            if not isinstance(current, Mapping) or step not in current:
                return count
            current = cast("Mapping[str, Any]", current)[step]
        return len(path)

    def is_text(self, path: Path) -> bool:
        """Return whether the value at `path`, which exists here, is text: it may hold a whole table as JSON."""
        current: Any = self.values
        for step in path:
            current = cast("Mapping[str, Any]", current)[step]
        return isinstance(current, str)


@dataclass(frozen=True, slots=True)
class Layers:
    """All places, the one that wins first."""

    layers: tuple[Layer, ...]

    @classmethod
    def of(cls, *layers: Layer) -> Layers:
        """Join layers, the one that wins first; a database named in one way hides lower ones that use the other."""
        joined: list[Layer] = []
        ways: set[str] = set()
        for layer in layers:
            table = layer.values.get("database")
            hidden = _hidden_keys(ways, table)
            ways |= _ways(table)
            joined.append(_without(layer, hidden) if hidden else layer)
        return cls(tuple(joined))

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def name_of(self, path: Path) -> str:
        """Return how the user wrote the value at `path`, or how it would be written as a variable."""
        best = max(self.layers, key=lambda layer: layer.depth(path), default=None)
        found = best.depth(path) if best is not None else 0
        if best is None or not found:
            return variable_of(path)
        inside = path[found:] if best.is_text(path[:found]) else ()
        return best.name_of(path[:found]) + (f", at {'.'.join(inside)}," if inside else "")

    def section(self, name: str) -> dict[str, Any]:
        """Return the merged table of this name, empty if there is none. Raises `ConfigurationError` if it is none."""
        merged: dict[str, Any] = {}
        for layer in reversed(self.layers):
            table = layer.values.get(name, {})
            if not isinstance(table, Mapping):
                raise ConfigurationError(f"{layer.name_of((name,))} must be a table, not {type(table).__name__}.")
            merged = _merge(merged, cast("Mapping[str, Any]", table))
        return merged

    def flat(self) -> dict[str, Any]:
        """Return every value that wins, by its key: `worker.concurrency`."""
        merged: dict[str, Any] = {}
        for layer in reversed(self.layers):
            merged = _merge(merged, layer.values)
        return dict(_leaves("", merged))

    def section_names(self) -> set[str]:
        """Return the names of all tables, ours and plugins'."""
        return {name for layer in self.layers for name, value in layer.values.items() if isinstance(value, Mapping)}


def _merge(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(lower)
    for key, value in upper.items():
        below = merged.get(key)
        both = isinstance(value, Mapping) and isinstance(below, Mapping)
        merged[key] = _merge(cast("Mapping[str, Any]", below), cast("Mapping[str, Any]", value)) if both else value
    return merged


def _leaves(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        yield key, value
        return
    for name, inner in cast("Mapping[str, Any]", value).items():
        yield from _leaves(f"{key}.{name}" if key else name, inner)


def _ways(table: object) -> set[str]:
    keys: set[str] = set(cast("Mapping[str, Any]", table)) if isinstance(table, Mapping) else set()
    return {"url"} & keys | ({"parts"} if keys & set(PARTS) else set())


def _hidden_keys(ways: set[str], table: object) -> set[str]:
    if not isinstance(table, Mapping) or not ways:
        return set()
    return set(PARTS) if ways == {"url"} else {"url"}


def _without(layer: Layer, keys: set[str]) -> Layer:
    table = cast("Mapping[str, Any]", layer.values["database"])
    kept = {key: value for key, value in table.items() if key not in keys}
    return Layer({**layer.values, "database": kept}, layer.name_of)
