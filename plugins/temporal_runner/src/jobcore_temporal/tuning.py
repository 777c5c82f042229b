"""The settings of the SDK's workers: how they ask for work, and how much of it they take."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator

FIRST_POLLS = 5
"""How many questions autoscaling begins with, where its bounds allow."""


class PollerSettings(BaseModel):
    """How many questions for work are out at a time, for each kind of task of each task queue: a small fixed number, or
    as many as the server advises, once `maximum` is set."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    minimum: int = Field(default=1, ge=1, le=1000)
    maximum: int | None = Field(default=None, ge=1, le=1000)
    initial: int | None = Field(default=None, ge=1, le=1000)

    @model_validator(mode="after")
    def _within_the_bounds(self) -> PollerSettings:
        if self.maximum is None:
            if self.model_fields_set & {"minimum", "initial"}:
                raise ValueError("'minimum' and 'initial' are for autoscaling: set 'maximum' too, which switches it on")
            return self
        if self.maximum < self.minimum:
            raise ValueError(f"'maximum' ({self.maximum}) is below 'minimum' ({self.minimum})")
        if self.initial is not None and not self.minimum <= self.initial <= self.maximum:
            raise ValueError(f"'initial' ({self.initial}) is not between {self.minimum} and {self.maximum}")
        return self

    @property
    def begins_with(self) -> int:
        """How many questions are out before the server has advised anything."""
        return self.initial or max(self.minimum, min(FIRST_POLLS, self.maximum or FIRST_POLLS))


class TunerSettings(BaseModel):
    """How many jobs run at a time by what the machine has to spare, instead of by `worker.concurrency`. Both targets
    switch it on: shares of the whole machine's CPU and memory, up to which jobs are taken."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    target_cpu: float | None = Field(default=None, gt=0, le=1)
    target_memory: float | None = Field(default=None, gt=0, le=1)
    minimum_slots: int = Field(default=1, ge=1, le=10_000)
    """Jobs at a time from each task queue that are taken whatever the machine has to spare."""
    maximum_slots: int = Field(default=100, ge=1, le=10_000)
    """Jobs at a time from each task queue that are never exceeded."""
    ramp_seconds: float = Field(default=0.05, ge=0, le=60)
    """How long each further job waits, once there are `minimum_slots`, so that the load of the last one shows."""

    @model_validator(mode="after")
    def _complete(self) -> TunerSettings:
        if (self.target_cpu is None) != (self.target_memory is None):
            raise ValueError("set both 'target_cpu' and 'target_memory', or neither")
        if self.target_cpu is None and self.model_fields_set - {"target_cpu", "target_memory"}:
            raise ValueError("the other keys need 'target_cpu' and 'target_memory', which switch the tuner on")
        if self.maximum_slots < self.minimum_slots:
            raise ValueError(f"'maximum_slots' ({self.maximum_slots}) is below 'minimum_slots' ({self.minimum_slots})")
        return self

    @property
    def targets(self) -> tuple[float, float] | None:
        """The shares of CPU and memory; `None` if the tuner is off."""
        if self.target_cpu is None or self.target_memory is None:
            return None
        return self.target_cpu, self.target_memory
