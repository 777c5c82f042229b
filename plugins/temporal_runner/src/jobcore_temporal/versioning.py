"""The settings that let Temporal tell the builds of a worker apart."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class DeploymentSettings(BaseModel):
    """Which build this worker is of which deployment: Temporal then gives it what is meant for that version. Off unless
    both are named."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str | None = Field(default=None, min_length=1, max_length=200, pattern=r"^[^.:]+$")
    build_id: str | None = Field(default=None, min_length=1, max_length=200)
    versioning: Literal["auto-upgrade", "pinned"] = "auto-upgrade"
    """What becomes of a job that has begun when another version becomes the current one: it goes on there, or where it
    began."""

    @model_validator(mode="after")
    def _complete(self) -> DeploymentSettings:
        if self.build_id is not None and self.name is None:
            raise ValueError("'build_id' is of a deployment: set its 'name' too")
        if self.name is not None and self.build_id is None:
            raise ValueError("a worker of a deployment needs its 'build_id': set one that each build changes")
        if self.name is None and "versioning" in self.model_fields_set:
            raise ValueError("'versioning' needs 'name' and 'build_id', which switch it on")
        return self

    @property
    def version(self) -> tuple[str, str] | None:
        """The deployment's name and the build; `None` if Temporal is not to tell builds apart."""
        if self.name is None or self.build_id is None:
            return None
        return self.name, self.build_id
