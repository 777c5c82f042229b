"""Payload models: from what a caller passes to checked JSON, and from stored JSON back to the handler's model."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal, get_args
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Secret, SecretBytes, SecretStr, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from jobcore.errors import FieldProblem, PayloadInvalidError, PayloadLimitError, TenantRequiredError
from jobcore.ids import parse_tenant

TENANT_FIELD = "tenantId"
VERSION_FIELD = "payloadVersion"
"""Where a payload says which version it is of; without it, it is of version 1."""


class JobData(BaseModel):
    """The base of payload models (R12): names its tenant, and reads and writes camelCase JSON.

    `tenant_id` may be left out where the call that enqueues names the tenant.
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    tenant_id: UUID | Literal["system"] | None = None
    job_service_id: str | None = None


def dump_payload(data: Any) -> dict[str, Any]:
    """Return the payload as a mapping of JSON values, whatever form the caller passed: a model or a mapping.

    Raises:
        PayloadInvalidError: if it is neither.
        PayloadLimitError: if a model holds what it cannot write as JSON.
    """
    if isinstance(data, BaseModel):
        return _dump_model(data)
    if data is None:
        return {}
    if isinstance(data, Mapping):
        return dict(data)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType] - keys are checked later
    raise PayloadInvalidError(
        "?", [FieldProblem("", f"a payload is a pydantic model or a mapping, not {type(data).__name__}", "type")]
    )


def _dump_model(data: BaseModel) -> dict[str, Any]:
    """Leave out a `None` only where the model's default is `None` too: elsewhere the handler would get the default."""
    unsaid = {name for name in _optional_fields(type(data)) if getattr(data, name) is None}
    try:
        return data.model_dump(mode="json", by_alias=True, exclude=unsaid)
    except ValueError as error:  # PydanticSerializationError among them
        raise PayloadLimitError(f"The payload cannot be written as JSON: {error}.") from error


@lru_cache(maxsize=1024)
def _optional_fields(model: type[BaseModel]) -> tuple[str, ...]:
    return tuple(name for name, field in model.model_fields.items() if field.default is None)


def secret_field(annotation: Any, seen: frozenset[Any] = frozenset()) -> str | None:
    """Return the path of the first field that pydantic writes as stars (`SecretStr` and its like), or `None`."""
    if isinstance(annotation, type) and issubclass(annotation, SecretStr | SecretBytes | Secret):
        return annotation.__name__
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and annotation not in seen:
        for name, field in annotation.model_fields.items():
            found = secret_field(field.annotation, seen | {annotation})
            if found is not None:
                return f"{name}.{found}"
    return next((found for part in get_args(annotation) if (found := secret_field(part, seen)) is not None), None)


def takes_version_field(annotation: Any) -> bool:
    """Return whether a payload's model has a field of the name that is kept for the payload's version."""
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return False
    fields = annotation.model_fields.items()
    return any(VERSION_FIELD in (name, field.alias, field.validation_alias) for name, field in fields)


def bind_tenant(document: dict[str, Any], tenant: UUID | str | None) -> tuple[UUID, dict[str, Any]]:
    """Settle which tenant a payload belongs to, and write it into the payload.

    Raises:
        TenantRequiredError: if neither the call nor the payload names one.
        InvalidTenantError: if the name is no tenant id.
        PayloadInvalidError: if the two differ.
    """
    named = document.pop("tenant_id", None) or document.get(TENANT_FIELD) or None
    if tenant is None and named is None:
        raise TenantRequiredError
    chosen = parse_tenant(tenant if tenant is not None else named)
    if tenant is not None and named is not None and parse_tenant(named) != chosen:
        raise PayloadInvalidError(
            "?", [FieldProblem(TENANT_FIELD, f"names another tenant than the call ({chosen})", "tenant")]
        )
    document[TENANT_FIELD] = named if named is not None else str(chosen)
    return chosen, document


def validate_payload(job_name: str, model: Any, document: Mapping[str, Any]) -> Any:
    """Return `document` as the handler's model.

    Raises:
        PayloadInvalidError: with one problem for each field that does not fit.
    """
    try:
        return adapter_of(model).validate_python(document)
    except ValidationError as error:
        raise PayloadInvalidError(job_name, problems_of(error)) from None


def parse_payload(job_name: str, model: Any, stored: bytes) -> Any:
    """Return stored JSON text as the handler's model, in one pass.

    Raises:
        PayloadInvalidError: if it no longer parses, for instance after the model changed.
    """
    try:
        return adapter_of(model).validate_json(stored)
    except ValidationError as error:
        raise PayloadInvalidError(job_name, problems_of(error)) from None


def problems_of(error: ValidationError) -> list[FieldProblem]:
    """Return pydantic's errors by field path, without the input values: those may be secret."""
    return [
        FieldProblem(".".join(str(part) for part in item["loc"]), item["msg"], item["type"])
        for item in error.errors(include_input=False, include_url=False, include_context=False)
    ]


_adapters: dict[Any, TypeAdapter[Any]] = {}


def adapter_of(model: Any) -> TypeAdapter[Any]:
    """Return the (cached) pydantic adapter of a payload type; building one costs a millisecond."""
    adapter = _adapters.get(model)
    if adapter is None:
        adapter = _adapters[model] = TypeAdapter(model)
    return adapter


def decode_json(stored: bytes) -> Any:
    """Return the value of stored JSON text."""
    return orjson.loads(stored)
