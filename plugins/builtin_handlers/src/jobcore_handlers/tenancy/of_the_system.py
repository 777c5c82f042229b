"""Payloads of jobs that only the system may have."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import field_validator

from jobcore import SYSTEM_TENANT, JobData


class OfTheSystem(JobData):
    """A job of the system tenant, over what all tenants have."""

    refusal: ClassVar[str] = "this is the system's work alone"
    """Why no tenant can have such a job."""

    @field_validator("tenant_id")
    @classmethod
    def _is_the_system(cls, tenant: UUID | str | None) -> UUID | str | None:
        if tenant not in {None, "system", SYSTEM_TENANT}:
            raise ValueError(f"{cls.refusal}: the tenant must be 'system'")
        return tenant
