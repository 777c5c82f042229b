"""The storage's own settings: the section `postgres`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class PostgresSettings(BaseModel):
    """`[tool.jobcore.postgres]` and `JOBCORE_POSTGRES__*`: the pool of the application's calls, and what is kept."""

    model_config = ConfigDict(frozen=True)

    pool_min: int = Field(default=1, ge=0, le=1000)
    """Connections kept open."""
    pool_max: int = Field(default=10, ge=1, le=1000)
    """Connections at most; workers have their own besides."""
    pool_timeout_seconds: float = Field(default=10, gt=0)
    """How long a call waits for a free connection, in seconds."""
    retry_seconds: float = Field(default=5, ge=0)
    """How long a call that is safe to repeat tries to get a lost connection back, in seconds."""
    keep_completed_days: float | None = Field(default=None, gt=0)
    """How long completed jobs stay, from their end on; for ever unless set. A tenant may have a rule of its own."""
    keep_failed_days: float | None = Field(default=None, gt=0)
    """The same for failed jobs."""
    keep_cancelled_days: float | None = Field(default=None, gt=0)
    """The same for cancelled jobs."""
    keep_workers_days: float = Field(default=1, gt=0)
    """How long a worker that was not heard of any more stays in `jobcore.workers`."""
    prune_interval_seconds: float = Field(default=60, gt=0)
    """How often one of the workers deletes what need not be kept."""
    prune_share: float = Field(default=0.25, gt=0, le=1)
    """The share of its time that it spends in the database while it deletes; the rest it pauses between batches."""


CHANGEABLE = frozenset(key for key in PostgresSettings.model_fields if key.startswith(("keep_", "prune_")))
"""What may change while a worker works: how long history is kept, and how it is deleted."""
