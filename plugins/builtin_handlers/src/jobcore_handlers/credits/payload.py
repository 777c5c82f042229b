"""What `expired-credits` and `credit-reconciliation` are told."""

from __future__ import annotations

from uuid import UUID

from jobcore import JobData


class ClientCredits(JobData):
    """Whose credits are meant."""

    client_id: UUID | None = None
    """One client; without one, all of the tenant's."""
