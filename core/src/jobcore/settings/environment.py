"""Reads settings from environment variables. An empty variable counts as one that is not set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from jobcore.errors import ConfigurationError
from jobcore.settings.layers import Layer
from jobcore.settings.names import FOUNDING_VARIABLES, path_of, variable_of
from jobcore.settings.problems import Path


@dataclass(frozen=True, slots=True)
class VariableNames:
    """Names a path as the variable that set it."""

    names: Mapping[Path, str]

    def __call__(self, path: Path) -> str:
        return self.names.get(path) or variable_of(path)


def read_environment(environment: Mapping[str, str]) -> Layer:
    """Return the values of all variables that are ours.

    Raises:
        ConfigurationError: if two variables contradict each other, or one is written with a name of ours where the
            founding documents have another.
    """
    values: dict[str, Any] = {}
    names: dict[Path, str] = {}
    for variable in sorted(environment):
        path = path_of(variable)
        if path is None or not environment[variable]:
            continue
        _check_spelling(variable, path)
        _check_twin(variable, names.get(path), environment)
        _put(values, path, environment[variable], variable)
        names[path] = variable
    return Layer(values, VariableNames(names))


def _check_spelling(variable: str, path: Path) -> None:
    if variable not in FOUNDING_VARIABLES and path in FOUNDING_VARIABLES.values():
        raise ConfigurationError(f"{variable} is not read: write {variable_of(path)}.")
    if not all(path):
        raise ConfigurationError(f"{variable} is not a name: write JOBCORE_SECTION__KEY, with two underscores.")


def _check_twin(variable: str, other: str | None, environment: Mapping[str, str]) -> None:
    if other is not None and environment[variable] != environment[other]:
        raise ConfigurationError(f"{other} and {variable} mean the same setting and differ: set one of them.")


def _put(values: dict[str, Any], path: Path, value: str, variable: str) -> None:
    table = values
    for depth, step in enumerate(path[:-1], start=1):
        child = table.setdefault(step, {})
        if not isinstance(child, dict):
            raise ConfigurationError(f"{variable} and {variable_of(path[:depth])} contradict each other: set one.")
        table = cast("dict[str, Any]", child)
    if isinstance(table.get(path[-1]), dict):
        raise ConfigurationError(f"{variable} contradicts the variables that begin with {variable}__: set one.")
    table[path[-1]] = value
