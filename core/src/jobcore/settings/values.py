"""Types of settings that can be written as text in a variable, and as what they are in TOML."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict


class Section(BaseModel):
    """The base of a group of settings: immutable, strict about keys, silent about values."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def split_names(value: Any) -> Any:
    """Take `a, b` for a list."""
    return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value


def _parse_table(value: Any) -> Any:
    """Take the text of a JSON object for a table."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError as error:
        raise ValueError(f"write a JSON object; this is not JSON at position {error.pos}") from None


def _check_name(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_.-]*", value):
        raise ValueError("a name has lower-case letters, digits, '_', '-' and '.', such as pgboss")
    return value


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


NameList = Annotated[tuple[str, ...], BeforeValidator(split_names)]
"""Names: a list, or text with commas between them."""

PluginName = Annotated[str, AfterValidator(_check_name)]
"""The name of a runner or a storage, as its plugin registers it."""

AsTable = BeforeValidator(_parse_table)
"""Accepts a table also as JSON text."""

AnyCase = BeforeValidator(_lower)
"""Accepts a choice in capitals as well."""
