"""From what a handler, a step or a detail returned to JSON text."""

from __future__ import annotations

import logging
from typing import Any

from pydantic import BaseModel

from jobcore.errors import PayloadLimitError
from jobcore.execution import logs
from jobcore.limits import MAX_RESULT_BYTES, PayloadLimits, encode_payload, encode_result
from jobcore.models import Claim
from jobcore.ports.codec import PayloadCodec

_RESULT_LIMITS = PayloadLimits(max_bytes=MAX_RESULT_BYTES)


def encode_outcome(value: Any, claim: Claim, codec: PayloadCodec, logger: logging.Logger) -> bytes | None:
    """Return a handler's result as it is stored; `None` for `None`.

    The work is done, so a result that is too large or is not JSON fails nothing: a note takes its place, and a warning
    is logged.
    """
    if value is None:
        return None
    try:
        encoded = encode_payload(as_json_value(value), _RESULT_LIMITS)
    except PayloadLimitError as error:
        logs.result_replaced(logger, claim, str(error).replace("The payload", "The result"))
        encoded = encode_result(value)
    return codec.encode(encoded, tenant=claim.tenant, job_id=claim.job_id)


def as_json_value(value: Any) -> Any:
    """Return a pydantic model as plain JSON values; anything else as it is.

    Raises:
        PayloadLimitError: if the model cannot be dumped.
    """
    if not isinstance(value, BaseModel):
        return value
    try:
        return value.model_dump(mode="json", by_alias=True)
    except ValueError as error:  # PydanticSerializationError among them
        raise PayloadLimitError(f"The payload cannot be written as JSON: {error}.") from error
