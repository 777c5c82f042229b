"""What the services' answers have in common: their errors, and answers checked against a model."""

from __future__ import annotations

import re
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ValidationError

from jobcore_handlers.calendars.errors import UnexpectedAnswerError

ModelT = TypeVar("ModelT", bound=BaseModel)

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,59}")


def error_code(document: Any) -> str | None:
    """Return the code in an error of OAuth (`error`), Graph (`error.code`) or Google (`error.errors[0].reason`).

    Only what looks like a code: the message beside it may name people.
    """
    error = _field(document, "error")
    reasons = _field(error, "errors")
    reason = _field(cast("list[Any]", reasons)[0], "reason") if isinstance(reasons, list) and reasons else None
    for candidate in (reason, _field(error, "code"), error):
        if isinstance(candidate, str) and _CODE.fullmatch(candidate):
            return candidate
    return None


def parse_answer(service: str, model: type[ModelT], document: Any) -> ModelT:
    """Return an answer as `model`. Raises `UnexpectedAnswerError`, naming the fields and not their values."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        fields = {".".join(map(str, problem["loc"])) or "the whole" for problem in error.errors(include_input=False)}
        raise UnexpectedAnswerError(service, f"wrong or missing: {', '.join(sorted(fields))}") from None


def _field(document: Any, name: str) -> Any:
    return cast("dict[str, Any]", document).get(name) if isinstance(document, dict) else None
