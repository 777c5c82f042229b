"""What `email.process-queue` is told."""

from __future__ import annotations

from pydantic import Field

from jobcore import JobData


class ProcessMailQueue(JobData):
    """Whose mails are to be sent: a tenant's, or for the tenant `"system"` those of all."""

    batch_size: int = Field(default=25, ge=1, le=200)
    """How many mails are claimed at a time."""
    limit: int = Field(default=1_000, ge=1, le=100_000)
    """How many are tried before the next run has its turn."""
