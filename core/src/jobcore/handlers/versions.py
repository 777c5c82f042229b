"""Payload versions: which one a stored payload is of, and how an older one becomes the one that the handler takes.

The version stands in the payload itself, beside its tenant, so that it goes wherever the payload goes: through every
engine, into schedules, and into what Node and SQL send. Version 1 is said by saying nothing.
"""

from __future__ import annotations

from typing import Any, cast

import orjson

from jobcore.errors import FieldProblem, PayloadInvalidError, PayloadVersionError, UpcastError
from jobcore.handlers.definition import HandlerDefinition, location_of
from jobcore.handlers.payload import VERSION_FIELD, decode_json, parse_payload

_MARK = f'"{VERSION_FIELD}"'.encode()

AnyDefinition = HandlerDefinition[Any, Any]


def stamp_version(handler: AnyDefinition | None, document: dict[str, Any]) -> None:
    """Write into a new payload which version it is of, unless its sender says so."""
    stated = document.get(VERSION_FIELD)
    if stated is None and handler is not None and handler.version > 1:
        document[VERSION_FIELD] = handler.version
    elif _is_one(stated):
        del document[VERSION_FIELD]


def read_payload(handler: AnyDefinition, stored: bytes) -> Any:
    """Return stored JSON text of any version as the handler's model.

    Raises:
        PayloadVersionError: if it is of a newer version than this build knows.
        UpcastError: if an upcaster raises, or returns no object.
        PayloadInvalidError: if it does not parse.
    """
    current, version = upcast_payload(handler, stored)
    try:
        return parse_payload(handler.name, handler.payload_type, current)
    except PayloadInvalidError as error:
        if version < handler.version and version not in handler.upcasters:
            raise PayloadInvalidError(handler.name, [*error.problems, _not_upcast(handler, version)]) from None
        raise


def version_told(stored: bytes) -> int | None:
    """Return the version that stored JSON text says it is of; `None` if what it says is no version."""
    document: Any = decode_json(stored) if _MARK in stored else None
    stated = cast("dict[str, Any]", document).get(VERSION_FIELD, 1) if isinstance(document, dict) else 1
    return stated if _is_version(stated) else None


def upcast_payload(handler: AnyDefinition, stored: bytes) -> tuple[bytes, int]:
    """Return stored JSON text as the version that the handler takes, without the version in it, and which it was of.

    A payload whose version has no upcaster is returned as it is. Raises as `read_payload`.
    """
    if handler.version == 1 and _MARK not in stored:
        return stored, 1
    document = decode_json(stored)
    if not isinstance(document, dict):
        return stored, 1
    payload = cast("dict[str, Any]", document)
    version = _version_of(handler, payload.pop(VERSION_FIELD, 1))
    for step in range(version, handler.version):
        if step not in handler.upcasters:
            break
        payload = _upcast(handler, step, payload)
    return orjson.dumps(payload), version


def _version_of(handler: AnyDefinition, stated: Any) -> int:
    if not _is_version(stated):
        raise PayloadInvalidError(
            handler.name,
            [FieldProblem(VERSION_FIELD, "must be a whole number from 1: the payload's version", "version")],
        )
    if stated > handler.version:
        raise PayloadVersionError(handler.name, stated, handler.version)
    return stated


def _upcast(handler: AnyDefinition, step: int, payload: dict[str, Any]) -> dict[str, Any]:
    upcaster = handler.upcasters[step]
    told = f"Job {handler.name!r}: the upcaster from version {step}, {location_of(upcaster)},"
    try:
        answer: Any = upcaster(payload)
        encoded = orjson.dumps(answer)
    except (Exception, SystemExit) as error:
        raise UpcastError(f"{told} raised {type(error).__name__}: {error}. Mend it: the payload is kept.") from error
    if not isinstance(answer, dict):
        raise UpcastError(f"{told} returned {type(answer).__name__}; it must return the payload as a dict.")
    return cast("dict[str, Any]", decode_json(encoded))


def _not_upcast(handler: AnyDefinition, version: int) -> FieldProblem:
    return FieldProblem(
        VERSION_FIELD,
        f"the payload is of version {version}, and this build takes version {handler.version} without an upcaster "
        f"from {version}; write one with @{handler.function.__name__}.upcast(from_version={version})",
        "version",
    )


def _is_version(stated: Any) -> bool:
    return isinstance(stated, int) and not isinstance(stated, bool) and stated >= 1


def _is_one(stated: Any) -> bool:
    return not isinstance(stated, bool) and stated == 1
