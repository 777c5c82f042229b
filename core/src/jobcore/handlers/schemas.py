"""The JSON schema of a handler's payload, and whether a payload that fitted one schema fits another.

The rule is simple on purpose, and errs towards telling: it looks at which fields there are, which are required, and
which types and choices they have, at any depth. A payload that still fits by it may be refused by a validator.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from pydantic import PydanticUserError

from jobcore.errors import PayloadLimitError
from jobcore.handlers.definition import HandlerDefinition
from jobcore.handlers.payload import adapter_of, decode_json
from jobcore.limits import encode_payload
from jobcore.models import PayloadSchema

Schema = Mapping[str, Any]

_ANYTHING = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """One difference between the payload that was and the payload that is."""

    path: str
    """The field, dotted; empty for the payload itself."""
    text: str
    """What changed, in words."""
    breaks: bool
    """Whether payloads that fitted before may not fit now."""

    def __str__(self) -> str:
        return f"{self.path or '(payload)'}: {self.text}"


def schema_of(handler: HandlerDefinition[Any, Any]) -> PayloadSchema | None:
    """Return the schema of a handler's payload under its version; `None` if its type has none that can be stored."""
    try:
        schema = adapter_of(handler.payload_type).json_schema(by_alias=True, mode="validation")
        storable = decode_json(encode_payload(schema))
    except (PydanticUserError, PayloadLimitError):
        return None
    return PayloadSchema(handler.name, handler.version, storable)


def compare_schemas(old: Schema, new: Schema) -> list[SchemaChange]:
    """Return how `new` differs from `old`, what breaks first; nothing if they are equal."""
    if old == new:
        return []
    changes = sorted(_Comparison(old, new).values(old, new, ""), key=lambda change: (not change.breaks, change.path))
    return changes or [SchemaChange("", "differs in its limits, its defaults or its descriptions", False)]


class _Comparison:
    """Walks two schemas side by side; models that meet again, for they may hold themselves, are compared once."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self._definitions = _mapping(old.get("$defs")), _mapping(new.get("$defs"))
        self._met: set[tuple[int, int]] = set()

    def values(self, old: Any, new: Any, path: str) -> Iterator[SchemaChange]:
        pair = id(old), id(new)
        if pair in self._met:
            return
        self._met.add(pair)
        before, after = _alternatives(old, self._definitions[0]), _alternatives(new, self._definitions[1])
        had, has = _types(before), _types(after)
        if any(kind not in has and not (kind == "integer" and "number" in has) for kind in had):
            yield SchemaChange(path, f"took {_listed(had)}, and takes {_listed(has)}", True)
            return
        if had != has:
            yield SchemaChange(path, f"took {_listed(had)}, and takes {_listed(has)}", False)
        yield from _choices_lost(before, after, path)
        yield from self._fields(_only("object", before), _only("object", after), path)
        yield from self._items(_only("array", before), _only("array", after), path)

    def _fields(self, old: Schema, new: Schema, path: str) -> Iterator[SchemaChange]:
        before, after = _mapping(old.get("properties")), _mapping(new.get("properties"))
        newly_required = set(new.get("required", ())) - set(old.get("required", ()))
        for name in sorted(before.keys() | after.keys()):
            field = f"{path}.{name}" if path else name
            if name in newly_required:
                yield SchemaChange(field, "is required now" if name in before else "is new and required", True)
            elif name not in before:
                yield SchemaChange(field, "is new", False)
            if name in before and name in after:
                yield from self.values(before[name], after[name], field)
            elif name in before:
                refused = new.get("additionalProperties") is False
                yield SchemaChange(field, "is refused now" if refused else "is gone", refused)
        rest = old.get("additionalProperties"), new.get("additionalProperties")
        if all(isinstance(schema, Mapping) for schema in rest):
            yield from self.values(*rest, f"{path}.*" if path else "*")

    def _items(self, old: Schema, new: Schema, path: str) -> Iterator[SchemaChange]:
        if "items" in old and "items" in new:
            yield from self.values(old["items"], new["items"], f"{path}[]")


def _reference(schema: Any) -> str:
    return str(_mapping(schema).get("$ref", "")).rpartition("/")[2]


def _alternatives(schema: Any, definitions: Schema) -> list[Schema]:
    """Return what a value may be, one schema each, without references."""
    given = _mapping(schema)
    if name := _reference(given):
        return _alternatives(definitions.get(name), definitions)
    choice = given.get("anyOf") or given.get("oneOf")
    return [found for part in choice for found in _alternatives(part, definitions)] if choice else [given]


def _types(alternatives: list[Schema]) -> frozenset[str]:
    return frozenset(kind for schema in alternatives for kind in _types_of(schema))


def _types_of(schema: Schema) -> frozenset[str]:
    kind = schema.get("type")
    return frozenset({kind}) if isinstance(kind, str) else _ANYTHING


def _choices_lost(before: list[Schema], after: list[Schema], path: str) -> Iterator[SchemaChange]:
    had, has = _choices(before), _choices(after)
    if has and had is None:
        yield SchemaChange(path, f"takes only {_listed(has)}", True)
    elif has and had and had - has:
        yield SchemaChange(path, f"takes {_listed(had - has)} no more", True)


def _choices(alternatives: list[Schema]) -> frozenset[str] | None:
    """Return the only values that are taken beside null, if they are listed."""
    listed: set[str] = set()
    for schema in alternatives:
        values = [schema["const"]] if "const" in schema else schema.get("enum")
        if values is None and schema.get("type") != "null":
            return None
        listed |= {repr(value) for value in values or ()}
    return frozenset(listed)


def _only(kind: str, alternatives: list[Schema]) -> Schema:
    """Return the one alternative of this type; an empty schema if there are none or several, which nobody can pair."""
    found = [schema for schema in alternatives if schema.get("type") == kind]
    return found[0] if len(found) == 1 else {}


def _mapping(value: Any) -> Schema:
    return cast("Schema", value) if isinstance(value, Mapping) else {}


def _listed(names: Iterable[str]) -> str:
    return "anything" if frozenset(names) == _ANYTHING else " or ".join(sorted(names))
