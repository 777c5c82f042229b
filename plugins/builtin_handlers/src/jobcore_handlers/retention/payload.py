"""What the retention jobs are told."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, model_validator

from jobcore_handlers.tenancy.of_the_system import OfTheSystem


class _OfRetention(OfTheSystem):
    refusal: ClassVar[str] = "no tenant decides how long its rows are kept"

    batch: int = Field(default=1000, ge=1, le=100_000)
    """How many rows one transaction takes."""


class AuditRetention(_OfRetention):
    """How old audit logs grow, in days since they were written."""

    archive_after_days: int = Field(default=365, ge=1, le=36_500)
    purge_after_days: int = Field(default=2555, ge=1, le=36_500)

    @model_validator(mode="after")
    def _archives_first(self) -> Self:
        if self.purge_after_days < self.archive_after_days:
            raise ValueError("purgeAfterDays must not be less than archiveAfterDays: nothing is purged unarchived")
        return self


class NotificationCleanup(_OfRetention):
    """How old grows what people and endpoints were told, in days since it was written."""

    keep_days: int = Field(default=90, ge=1, le=36_500)
    """Notifications, read or not."""
    keep_mails_days: int = Field(default=90, ge=1, le=36_500)
    """Mails of the outbox that were sent, or given up."""
    keep_webhooks_days: int = Field(default=90, ge=1, le=36_500)
    """The record of each attempt of a webhook, and the notices to the owners of subscriptions."""
