"""What `generate-invoice` is told."""

from __future__ import annotations

from uuid import UUID

from jobcore import JobData


class GenerateInvoice(JobData):
    """Which cycle of which client is to be billed, and for whom."""

    client_id: UUID
    billing_cycle_id: UUID
    user_id: UUID | None = None
    """Who asked; without one the invoice is the system's."""
