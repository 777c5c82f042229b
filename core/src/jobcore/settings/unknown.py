"""Finds settings that nobody reads."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from jobcore.errors import ConfigurationError
from jobcore.settings.layers import Layers
from jobcore.settings.names import PREFIX, SEPARATOR, path_of
from jobcore.settings.problems import did_you_mean, unknown_key

_logger = logging.getLogger("jobcore.settings")

_TWO_UNDERSCORES = f" The key of a section is written with two underscores: {PREFIX}SECTION{SEPARATOR}KEY."


def without_unknown(environment: Mapping[str, str], fields: set[str]) -> Mapping[str, str]:
    """Return the variables without those `JOBCORE_*` that name neither a field nor a section's key; warn of each.

    They stop nothing, because an orchestrator writes such names by itself for a service called `jobcore`.
    """
    unknown = [variable for variable in sorted(environment) if _is_unknown(variable, fields)]
    known = {field.upper() for field in fields}
    for variable in unknown:
        hint = did_you_mean(variable.removeprefix(PREFIX), known) or _TWO_UNDERSCORES
        _logger.warning("The variable %s is not known and is ignored.%s", variable, hint)
    return {variable: value for variable, value in environment.items() if variable not in unknown}


def _is_unknown(variable: str, fields: set[str]) -> bool:
    path = path_of(variable)
    return path is not None and len(path) == 1 and path[0] not in fields


def check_sections(layers: Layers, fields: set[str], plugins: set[str]) -> None:
    """See `Settings.check_sections`."""
    for name in sorted(layers.section_names() - fields - plugins):
        where = layers.name_of((name,))
        if did_you_mean(name, fields | plugins):
            raise ConfigurationError(unknown_key(f"The section {where}", name, fields | plugins))
        _logger.warning(
            "The section %s belongs to no installed plugin and is ignored. Variables of it begin with %s.",
            where,
            PREFIX + name.upper() + SEPARATOR,
        )
