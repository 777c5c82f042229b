"""The names of variables. Those of the founding documents stay as they are; ours begin with `JOBCORE_`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from jobcore.settings.problems import Path

PREFIX = "JOBCORE_"
SEPARATOR = "__"
CONFIG_VARIABLE = "JOBCORE_CONFIG"
"""Names the settings file, instead of looking for one."""

FOUNDING_VARIABLES: Mapping[str, Path] = MappingProxyType(
    {
        "JOB_RUNNER_TYPE": ("runner",),
        "JOB_RUNNER_FALLBACK_TO_PGBOSS": ("fallback_to_pgboss",),
        "EDITION": ("edition",),
        "TEMPORAL_ADDRESS": ("temporal", "address"),
        "TEMPORAL_NAMESPACE": ("temporal", "namespace"),
        "TEMPORAL_JOB_TASK_QUEUE": ("temporal", "task_queue"),
        "DATABASE_URL": ("database", "url"),
        "DB_HOST": ("database", "host"),
        "DB_PORT": ("database", "port"),
        "DB_NAME": ("database", "name"),
        "DB_NAME_SERVER": ("database", "name"),
        "DB_USER": ("database", "user"),
        "DB_PASSWORD": ("database", "password"),
        "BULL_BOARD_USERNAME": ("dashboard", "username"),
        "BULL_BOARD_PASSWORD": ("dashboard", "password"),
    }
)
"""Each variable of the founding documents, and where its value goes. `DB_NAME_SERVER` is another name of `DB_NAME`."""

_FOUNDING_NAMES = {path: name for name, path in FOUNDING_VARIABLES.items() if name != "DB_NAME_SERVER"}


def variable_of(path: Path) -> str:
    """Return the variable that sets the value at `path`."""
    if path in _FOUNDING_NAMES:
        return _FOUNDING_NAMES[path]
    if path and all(founding[: len(path)] != path for founding in _FOUNDING_NAMES):
        return PREFIX + SEPARATOR.join(path).upper()
    names = [name for founding, name in _FOUNDING_NAMES.items() if founding[: len(path)] == path]
    return " / ".join(names)


def path_of(variable: str) -> Path | None:
    """Return where a variable's value goes, or `None` if it is not one of ours."""
    if variable in FOUNDING_VARIABLES:
        return FOUNDING_VARIABLES[variable]
    if variable.startswith(PREFIX) and variable != CONFIG_VARIABLE:
        return tuple(variable.removeprefix(PREFIX).lower().split(SEPARATOR))
    return None
