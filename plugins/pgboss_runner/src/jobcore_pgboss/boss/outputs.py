"""What jobs leave behind, as pg-boss stores it."""

from __future__ import annotations

from typing import Any

from jobcore.redaction import describe_exception


def output_of(value: Any) -> Any:
    """Return what a job's `output` is made of: an exception as its name, message and stack, like an error of Node's,
    without secrets; anything else as it is."""
    if not isinstance(value, BaseException):
        return value
    described = describe_exception(value)
    return {"name": described["type"], "message": described["message"], "stack": described["traceback"]}
