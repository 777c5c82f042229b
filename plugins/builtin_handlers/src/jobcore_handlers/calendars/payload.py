"""What the calendar handlers are told."""

from __future__ import annotations

from pydantic import Field

from jobcore import JobData


class RenewMicrosoftCalendarWebhooks(JobData):
    """Whose subscriptions are to be renewed, and how long before their end."""

    look_ahead_minutes: int = Field(default=180, ge=1, le=10_080)


class VerifyGoogleCalendarPubsub(JobData):
    """Whose channels are to be verified."""
