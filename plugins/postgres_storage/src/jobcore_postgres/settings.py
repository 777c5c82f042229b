"""The storage's own settings: the section `postgres`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class PostgresSettings(BaseModel):
    """`[tool.jobcore.postgres]` and `JOBCORE_POSTGRES__*`: the pool that the application's calls share."""

    model_config = ConfigDict(frozen=True)

    pool_min: int = Field(default=1, ge=0, le=1000)
    """Connections kept open."""
    pool_max: int = Field(default=10, ge=1, le=1000)
    """Connections at most; workers have their own besides."""
    pool_timeout_seconds: float = Field(default=10, gt=0)
    """How long a call waits for a free connection, in seconds."""
    retry_seconds: float = Field(default=5, ge=0)
    """How long a call that is safe to repeat tries to get a lost connection back, in seconds."""
