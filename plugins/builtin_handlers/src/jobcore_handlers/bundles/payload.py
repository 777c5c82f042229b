"""What `invoice_zip` is told."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from jobcore import JobData

INVOICE_STEP = "invoice_processing"
ZIP_STEP = "zip_creation"
ZIP_STEP_NAME = "Create ZIP Archive"


class BundleStep(BaseModel):
    """One step as the requester announced it; its name is that of the job's detail row."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    step_name: str
    type: str
    metadata: dict[str, Any] = Field(default_factory=dict[str, Any])


class InvoiceZip(JobData):
    """Which invoices are to be bundled, and for whom."""

    invoice_ids: tuple[UUID, ...]
    requester_id: UUID
    steps: tuple[BundleStep, ...] = ()
    """One for each invoice, in their order, then one for the archive; those that are absent get the usual names."""
    metadata: dict[str, Any] = Field(default_factory=dict[str, Any])

    def invoice_step(self, position: int) -> str:
        """Return the name of the step of the invoice at `position`, from 0."""
        announced = [step.step_name for step in self.steps if step.type == INVOICE_STEP]
        return announced[position] if position < len(announced) else f"Process Invoice {position + 1}"

    @property
    def zip_step(self) -> str:
        """The name of the archive's step."""
        return next((step.step_name for step in self.steps if step.type == ZIP_STEP), ZIP_STEP_NAME)
