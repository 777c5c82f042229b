"""What a handler may tell this engine beside: `@job(..., engines={"temporal": {...}})`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from jobcore.errors import InputError
from jobcore_temporal.identity import RUNNER_TYPE

Target = Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$")]
"""`module:name` of an object in the handler's own code."""


class TemporalOptions(BaseModel):
    """How a job runs on Temporal."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Literal["workflow", "activity"] = "workflow"
    """`activity`: without a workflow around it. Cheaper and sooner; no signals and no queries."""
    workflow: str | None = Field(default=None, min_length=1)
    """The type of a workflow of one's own, which runs instead of the handler and takes a `JobInput`."""
    code: tuple[Target, ...] = ()
    """That workflow's class, and its activities; the worker registers them."""

    @model_validator(mode="after")
    def _one_or_the_other(self) -> TemporalOptions:
        if self.mode == "activity" and self.workflow is not None:
            raise ValueError("a workflow of one's own cannot run in the mode 'activity'")
        if bool(self.code) != (self.workflow is not None):
            raise ValueError("a workflow of one's own needs both 'workflow', its type, and 'code', its class")
        return self


def read_options(handler: str, told: Mapping[str, Any]) -> TemporalOptions:
    """Return what a handler tells. Raises `InputError` that says what is wrong with it."""
    try:
        return TemporalOptions.model_validate(dict(told))
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'all of it'}: {problem['msg']}" for problem in error.errors()
        )
        raise InputError(f"Job {handler!r}: engines[{RUNNER_TYPE!r}] cannot be used: {wrong}.") from None
