"""Reads settings from a file: `jobcore.toml`, or the table `[tool.jobcore]` of `pyproject.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from jobcore.errors import ConfigurationError
from jobcore.settings.layers import Layer
from jobcore.settings.names import CONFIG_VARIABLE
from jobcore.settings.problems import Path

OWN_FILE = "jobcore.toml"
PROJECT_FILE = "pyproject.toml"


@dataclass(frozen=True, slots=True)
class KeyNames:
    """Names a path as a key of a file."""

    file: str
    tables: Path = ()

    def __call__(self, path: Path) -> str:
        header = ".".join((*self.tables, *path[:-1]))
        return f"{self.file}: {f'[{header}] ' if header else ''}{path[-1]}"


_EMPTY = Layer({}, KeyNames(OWN_FILE))


def read_file(folder: FilePath, environment: Mapping[str, str]) -> Layer:
    """Return the values of the settings file: the one that `JOBCORE_CONFIG` names, else the one in `folder`, if any.

    Folders above are not searched, so that nobody else's file is taken. Blocks for the reading.

    Raises:
        ConfigurationError: if the file cannot be read, is not TOML, or both files of the folder hold settings.
    """
    if named := environment.get(CONFIG_VARIABLE):
        file = folder / named
        if not file.is_file():
            raise ConfigurationError(f"{CONFIG_VARIABLE} names {named}, which is not a file.")
        return _layer(file, _load(file))
    own, project = folder / OWN_FILE, folder / PROJECT_FILE
    has_own, project_document = own.is_file(), _load(project) if project.is_file() else {}
    has_table = "jobcore" in project_document.get("tool", {})
    if has_own and has_table:
        raise ConfigurationError(f"{own} and [tool.jobcore] of {project} both hold settings: keep one of them.")
    if has_own:
        return _layer(own, _load(own))
    return _layer(project, project_document) if has_table else _EMPTY


def _load(file: FilePath) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{file} cannot be read as TOML: {error}.") from None


def _layer(file: FilePath, document: dict[str, Any]) -> Layer:
    in_project = file.name == PROJECT_FILE
    values = document.get("tool", {}).get("jobcore", {}) if in_project else document
    if not isinstance(values, dict):
        raise ConfigurationError(f"{file}: [tool.jobcore] must be a table.")
    tables = ("tool", "jobcore") if in_project else ()

    return Layer(values, KeyNames(file.name, tables))  # pyright: ignore[reportUnknownArgumentType] - TOML's tables have text for keys
