"""What `sendWebhook` is told (B12)."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from jobcore import JobData

Action = Literal["create", "update", "delete"]


class SendWebhook(JobData):
    """Which subscription is to hear of which change."""

    subscription_id: UUID
    action: Action
    resource_id: str = Field(min_length=1, max_length=200)
    data: dict[str, Any] = Field(default_factory=dict[str, Any])
    message_id: UUID | None = None
    """Of a message that is sent again; by default the job's id."""
