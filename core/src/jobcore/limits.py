"""How large, deep and strange a payload, a result or a name may be; and their encoding as JSON.

Limits are checked where data enters, so that every runner refuses the same things with the same error. What is
refused, and why:

- NUL characters and lone surrogates: PostgreSQL's `jsonb` and `text` cannot store them;
- NaN and infinities: JSON has no such numbers, and orjson would store `null` for them without a word;
- keys that are not strings: JSON would turn `1` and `"1"` into one key;
- integers outside 64 bits, and types that are not JSON: another reader would get another value back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import Enum
from math import isfinite
from typing import Any, NoReturn, cast
from uuid import UUID

import orjson

from jobcore.errors import InputError, InvalidHandlerError, PayloadLimitError

MAX_RESULT_BYTES = 64 * 1024
MAX_NAME_LENGTH = 200
MAX_KEY_LENGTH = 512

_OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
_NAME = re.compile(r"[A-Za-z0-9_.\-/]+")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_LARGEST_INTEGER = 2**64 - 1
_SMALLEST_INTEGER = -(2**63)


class InvalidNameError(InvalidHandlerError, InputError):
    """A job's or a queue's name has characters or a length that an engine cannot store."""


@dataclass(frozen=True, slots=True)
class PayloadLimits:
    """The bounds of one payload. `max_nodes` counts every value: objects, arrays, strings, numbers, booleans, nulls."""

    max_bytes: int = 1024 * 1024
    max_depth: int = 32
    max_nodes: int = 100_000


DEFAULT_LIMITS = PayloadLimits()


def encode_payload(value: Any, limits: PayloadLimits = DEFAULT_LIMITS) -> bytes:
    """Return `value` as JSON text in UTF-8.

    Beside JSON's own types it takes tuples, UUIDs, enums, dates, times, aware datetimes and pydantic models.

    Raises:
        PayloadLimitError: if it breaks a limit or is not JSON; the message gives the path of the culprit.
    """
    try:
        encoded = orjson.dumps(value, _as_json, _OPTIONS)
    except orjson.JSONEncodeError as error:
        _check_tree(value, limits)
        raise PayloadLimitError(f"The payload cannot be written as JSON: {error}.") from error
    if len(encoded) > limits.max_bytes:
        raise PayloadLimitError(
            f"The payload has {len(encoded):,} bytes as JSON; at most {limits.max_bytes:,} are accepted. "
            "Store large content elsewhere and enqueue its address."
        )
    if _needs_a_look(encoded, limits):
        _check_tree(value, limits)
    return encoded


def json_safe(value: Any, max_bytes: int = MAX_RESULT_BYTES) -> Any:
    """Return what a handler returned as plain JSON values that PostgreSQL can store; never raises for the value's sake.

    A value that is too large or is not JSON becomes an object with `jobcore`, the reason, and `type`.
    """
    return None if value is None else orjson.loads(encode_result(value, max_bytes))


def encode_result(value: Any, max_bytes: int = MAX_RESULT_BYTES) -> bytes:
    """Return what a handler returned as JSON text of at most `max_bytes`; see `json_safe`."""
    try:
        return encode_payload(value, PayloadLimits(max_bytes=max_bytes))
    except PayloadLimitError as error:
        reason = bounded_text(str(error).replace("The payload", "The result"), 500)
        return orjson.dumps({"jobcore": f"not stored: {reason}", "type": type(value).__qualname__})


def bounded_text(text: str, max_chars: int) -> str:
    """Return `text` fit for a PostgreSQL column: at most `max_chars` characters, unstorable ones as U+FFFD."""
    if len(text) > max_chars:
        note = f"… ({len(text) - max_chars:,} more characters)"
        text = text[: max(0, max_chars - len(note))] + note[:max_chars]
    return _UNSTORABLE.sub("\ufffd", text)


def check_job_name(name: Any) -> str:
    """Return `name` if it can name a job. Raises `InvalidNameError` with the reason otherwise."""
    return _check_name("job", name)


def check_queue_name(name: Any) -> str:
    """Return `name` if it can name a queue. Raises `InvalidNameError` with the reason otherwise."""
    return _check_name("queue", name)


def check_key(name: str, value: Any) -> str:
    """Return a dedupe, singleton or schedule key if it can be stored and indexed.

    Args:
        name: what the key is called, for the message (`"dedupe_key"`).

    Raises:
        InputError: if it is empty, too long, or holds what PostgreSQL cannot store.
    """
    if not isinstance(value, str) or not value:
        raise InputError(f"{name} must be a string that is not empty, not {value!r}.")
    if len(value) > MAX_KEY_LENGTH:
        raise InputError(
            f"{name} has {len(value):,} characters; at most {MAX_KEY_LENGTH} are accepted. Hash longer keys."
        )
    if found := _UNSTORABLE.search(value):
        raise InputError(
            f"{name} holds U+{ord(found[0]):04X} at position {found.start()}, which PostgreSQL cannot store."
        )
    return value


def _check_name(kind: str, name: Any) -> str:
    if not isinstance(name, str) or not name:
        raise InvalidNameError(f"The name of a {kind} must be a string that is not empty, not {name!r}.")
    if len(name) > MAX_NAME_LENGTH:
        raise InvalidNameError(
            f"The name of {kind} {name[:40]!r}… has {len(name):,} characters; at most {MAX_NAME_LENGTH} are accepted."
        )
    if not _NAME.fullmatch(name):
        wrong = next(position for position, letter in enumerate(name) if not _NAME.fullmatch(letter))
        raise InvalidNameError(
            f"The name of {kind} {name!r} has {name[wrong]!r} at position {wrong}: "
            "only letters A-Z and a-z, digits, '_', '-', '.' and '/' are accepted."
        )
    return name


def _as_json(value: Any) -> Any:
    """Turn a type that orjson leaves to us into one that it knows."""
    if isinstance(value, datetime):
        if value.utcoffset() is None:
            raise TypeError("a datetime without a time zone, so that nobody can say which instant is meant")
        return value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(cast("Mapping[Any, Any]", value))
    if isinstance(value, tuple):
        return list(cast("tuple[Any, ...]", value))
    if callable(dump := getattr(value, "model_dump", None)):
        return dump(mode="json", by_alias=True)
    raise TypeError(f"of type {type(value).__qualname__}, which JSON does not have")


def _needs_a_look(encoded: bytes, limits: PayloadLimits) -> bool:
    """Whether the text leaves any limit in doubt; most payloads are cleared here without a walk in Python."""
    opened = encoded.count(b"{") + encoded.count(b"[")
    return (
        opened > limits.max_depth
        or opened + encoded.count(b",") + 1 > limits.max_nodes
        or b"\\u0000" in encoded
        or b"null" in encoded  # NaN and the infinities are written as null
    )


def _check_tree(root: Any, limits: PayloadLimits) -> None:
    """Find the first value that breaks a limit, level by level, and name its path."""
    level: list[tuple[str, Any]] = [("", root)]
    nodes, depth = 1, 0
    while level:
        deeper: list[tuple[str, Any]] = []
        for path, raw in level:
            value = _plain(path, raw)
            _check_leaf(path, value)
            if depth >= limits.max_depth and isinstance(value, dict | list | tuple):
                _refuse(path, f"is nested deeper than {limits.max_depth} levels")
            deeper.extend(_children(path, value))
            if nodes + len(deeper) > limits.max_nodes:
                raise PayloadLimitError(f"The payload has more than {limits.max_nodes:,} values.")
        level = deeper
        nodes += len(deeper)
        depth += 1


def _plain(path: str, value: Any) -> Any:
    if value is None or isinstance(value, str | int | float | dict | list | tuple | UUID | Enum):
        return cast("Any", value)
    try:
        return _as_json(value)
    except (TypeError, ValueError) as error:
        _refuse(path, f"is {error}")
    except Exception as error:  # noqa: BLE001 - a foreign type may raise anything when it is asked what it is
        _refuse(path, f"cannot be read: {type(error).__qualname__}")


def _children(path: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        fields = cast("dict[Any, Any]", value)
        for key in fields:
            if not isinstance(key, str):
                _refuse(path, f"has the key {key!r}, which is not a string")
            _check_text(path, key, "has a key with")
        return [(f"{path}.{key}" if path else key, child) for key, child in fields.items()]
    if isinstance(value, list | tuple):
        return [(f"{path}[{index}]", child) for index, child in enumerate(cast("Iterable[Any]", value))]
    return []


def _check_leaf(path: str, value: Any) -> None:
    if isinstance(value, str):
        _check_text(path, value, "holds")
    elif isinstance(value, float) and not isfinite(value):
        _refuse(path, f"is {value}, which JSON cannot express")
    elif isinstance(value, int) and not _SMALLEST_INTEGER <= value <= _LARGEST_INTEGER:
        _refuse(path, "is an integer outside 64 bits; pass it as a string")


def _check_text(path: str, text: str, verb: str) -> None:
    if found := _UNSTORABLE.search(text):
        what = "a NUL character" if found[0] == "\x00" else f"the lone surrogate U+{ord(found[0]):04X}"
        _refuse(path, f"{verb} {what} at position {found.start()}, which PostgreSQL cannot store")


def _refuse(path: str, reason: str) -> NoReturn:
    raise PayloadLimitError(f"The payload at {path or '(payload)'} {reason}.")
