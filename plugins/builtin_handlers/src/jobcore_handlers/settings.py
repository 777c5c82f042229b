"""The settings of the built-in handlers: `[tool.jobcore.builtin]`, or variables that begin with `JOBCORE_BUILTIN__`."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class HandlerSettings(BaseModel):
    """What the built-in handlers can be told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    files: Path = Field(default=Path("jobcore-files"), description="The folder of the file store; made when needed.")
    webhook_key: Path | None = Field(default=None, description="The RSA key that signs webhooks, a PEM file.")
    webhook_key_id: str = Field(
        default="1", min_length=1, max_length=80, description="By which receivers find the key."
    )
    webhook_allow_http: bool = Field(default=False, description="Send webhooks to plain http addresses too.")
