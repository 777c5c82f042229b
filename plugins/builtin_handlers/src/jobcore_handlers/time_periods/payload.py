"""What `createNextTimePeriods` is told."""

from __future__ import annotations

from uuid import UUID

from pydantic import field_validator

from jobcore import SYSTEM_TENANT, JobData


class CreateNextTimePeriods(JobData):
    """Whose periods are looked at: one tenant's."""

    @field_validator("tenant_id")
    @classmethod
    def _is_a_tenant(cls, tenant: UUID | str | None) -> UUID | str | None:
        if tenant in {"system", SYSTEM_TENANT}:
            raise ValueError("the system records no time: name the tenant whose periods are to be made")
        return tenant
