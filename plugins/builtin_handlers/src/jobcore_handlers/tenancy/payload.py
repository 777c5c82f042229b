"""What `for-each-tenant`, and the job that follows it, are told."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from pydantic import Field, field_validator

from jobcore_handlers.tenancy.of_the_system import OfTheSystem

NAME = "for-each-tenant"
FOLLOWER = "for-each-tenant.cancel"


class ForEachTenant(OfTheSystem):
    """Which job each tenant gets."""

    refusal: ClassVar[str] = "only the system may enqueue for other tenants"

    handler: str = Field(min_length=1)
    data: dict[str, Any] = Field(default_factory=dict[str, Any])
    """The payload of every job; `tenantId` is added to it."""
    batch: int = Field(default=200, ge=1, le=1000)
    """How many jobs are enqueued in one transaction."""

    @field_validator("handler")
    @classmethod
    def _is_another(cls, handler: str) -> str:
        if handler == NAME:
            raise ValueError(f"{NAME} is the system's alone: no tenant can have a job of it")
        return handler

    @field_validator("data")
    @classmethod
    def _names_no_tenant(cls, data: dict[str, Any]) -> dict[str, Any]:
        if "tenantId" in data:
            raise ValueError("each job gets its own tenantId: leave it out")
        return data


class CancelTenantsJobs(OfTheSystem):
    """Whose jobs are meant: those of one fan-out."""

    fan_out: UUID
    """The id of the job that enqueued them."""
