"""Turns what pydantic found into lines for people: the name they wrote, the shape of the value, what is accepted.

No line quotes a value, because a value may be a secret: it tells the shape, and a near name where that helps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sized
from difflib import get_close_matches
from typing import cast

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Path = tuple[str, ...]
"""Where a value stands: `("worker", "concurrency")`."""

_SECRET_WORDS = ("password", "secret", "token", "url", "dsn", "key", "credential")
_SHAPES: dict[type, str] = {type(None): "nothing", bool: "a truth value", int: "a number", float: "a number"}
_MESSAGES_WITH_VALUES = frozenset({"value_error", "assertion_error"})


def describe_problems(
    error: ValidationError, model: type[BaseModel], name_of: Callable[[Path], str], *, own: bool
) -> list[str]:
    """Return one line for each problem.

    Args:
        error: what pydantic raised.
        model: the model that was to be built, for the names that it knows.
        name_of: says how the user wrote a path: a variable, or a file and a key.
        own: whether the model's validators are ours, and so known to quote no secret.
    """
    return [_describe(details, model, name_of, own=own) for details in error.errors(include_url=False)]


def unknown_key(name: str, key: str, known: Iterable[str]) -> str:
    """Return the line for a key that nobody reads, with near names."""
    return f"{name} is not known.{did_you_mean(key, known)}"


def did_you_mean(key: str, known: Iterable[str]) -> str:
    """Return a hint to near names, with a leading blank; empty if none is near."""
    near = get_close_matches(key, sorted(known), n=3, cutoff=0.7)
    return f" Did you mean {' or '.join(repr(name) for name in near)}?" if near else ""


def shape_of(value: object) -> str:
    """Return what a value looks like without telling it."""
    if isinstance(value, str):
        return f"text of {len(value)} characters" if value else "empty text"
    if isinstance(value, Mapping | list | tuple):
        count = len(cast("Sized", value))
        return f"a table of {count} keys" if isinstance(value, Mapping) else f"a list of {count} entries"
    return _SHAPES.get(type(value), f"a {type(value).__name__}")


def keys_of(model: type[BaseModel]) -> set[str]:
    """Return the keys that a model reads: the names of its fields, and their aliases."""
    aliases = {field.alias for field in model.model_fields.values() if field.alias}
    return set(model.model_fields) | aliases


def model_at(model: type[BaseModel], path: Path) -> type[BaseModel] | None:
    """Return the model that stands at `path` within `model`, if one does."""
    current: type[BaseModel] = model
    for step in path:
        field = current.model_fields.get(step)
        if field is None or not isinstance(field.annotation, type) or not issubclass(field.annotation, BaseModel):
            return None
        current = field.annotation
    return current


def _describe(details: ErrorDetails, model: type[BaseModel], name_of: Callable[[Path], str], *, own: bool) -> str:
    path = tuple(str(step) for step in details["loc"])
    name = name_of(path)
    if details["type"] == "extra_forbidden":
        parent = model_at(model, path[:-1])
        return unknown_key(name, path[-1], keys_of(parent) if parent else ())
    if details["type"] == "missing":
        return f"{name} is missing."
    message = _message(details, path, own=own)
    if details["type"] == "value_error" and isinstance(details["input"], Mapping):
        return f"{name}: {message}."
    return f"{name} is {shape_of(details['input'])}. {message}.{_near_choice(details)}"


def _message(details: ErrorDetails, path: Path, *, own: bool) -> str:
    text = details["msg"].removeprefix("Value error, ").rstrip(".")
    secret = any(word in step.lower() for step in path for word in _SECRET_WORDS)
    if not own and secret and details["type"] in _MESSAGES_WITH_VALUES:
        return "Its plugin does not accept the value"
    text = text.replace("Input should", "It should").replace("String should", "It should")
    return text[:1].upper() + text[1:]


def _near_choice(details: ErrorDetails) -> str:
    """Return a hint if a choice was misspelt; a choice is never a secret."""
    expected = str(details.get("ctx", {}).get("expected", ""))
    value = details["input"]
    if details["type"] not in {"literal_error", "enum"} or not isinstance(value, str):
        return ""
    return did_you_mean(value.lower(), expected.replace(" or ", ", ").replace("'", "").split(", "))
