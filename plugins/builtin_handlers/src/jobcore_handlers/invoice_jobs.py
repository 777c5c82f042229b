"""What jobs over chosen invoices have in common: who may ask for one, and the steps that they announce."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from jobcore import JobData
from jobcore_handlers.errors import PermissionMissingError

BILLING_READ = "billing:read"


class InvoiceStep(BaseModel):
    """One step as the requester announced it; its name is that of the job's detail row."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    step_name: str
    type: str
    metadata: dict[str, Any] = Field(default_factory=dict[str, Any])


class InvoiceJobData(JobData):
    """Which invoices a job is about, and what its steps are called."""

    invoice_ids: tuple[UUID, ...]
    steps: tuple[InvoiceStep, ...] = ()
    """In the order of the invoices; those that are absent get the usual names."""
    metadata: dict[str, Any] = Field(default_factory=dict[str, Any])

    def announced(self, kind: str, position: int) -> str | None:
        """Return the name of the step of this kind at `position`, from 0, if it was announced."""
        names = [step.step_name for step in self.steps if step.type == kind]
        return names[position] if position < len(names) else None


def chosen_invoices(
    invoice_ids: Sequence[UUID], permissions: Collection[str], none_chosen: type[Exception]
) -> tuple[UUID, ...]:
    """Return the invoices that somebody asks for, each once, in their order.

    Raises:
        PermissionMissingError: unless whoever asks may read billing data.
        none_chosen: if there is no invoice.
    """
    if BILLING_READ not in permissions:
        raise PermissionMissingError(BILLING_READ)
    if not invoice_ids:
        raise none_chosen
    return tuple(dict.fromkeys(invoice_ids))


def describe_request(tenant: UUID, requester: UUID, invoices: Sequence[UUID]) -> dict[str, Any]:
    """Return the `metadata` of a job's payload."""
    return {"user_id": str(requester), "invoice_count": len(invoices), "tenantId": str(tenant)}


def describe_invoice(tenant: UUID, invoice: UUID) -> dict[str, str]:
    """Return the `metadata` of a step that is about one invoice."""
    return {"invoiceId": str(invoice), "tenantId": str(tenant)}
