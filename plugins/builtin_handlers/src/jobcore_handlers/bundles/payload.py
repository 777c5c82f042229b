"""What `invoice_zip` is told."""

from __future__ import annotations

from uuid import UUID

from jobcore_handlers.invoice_jobs import InvoiceJobData

INVOICE_STEP = "invoice_processing"
ZIP_STEP = "zip_creation"
ZIP_STEP_NAME = "Create ZIP Archive"


class InvoiceZip(InvoiceJobData):
    """Which invoices are to be bundled, and for whom. Its steps: one for each invoice, then one for the archive."""

    requester_id: UUID

    def invoice_step(self, position: int) -> str:
        """Return the name of the step of the invoice at `position`, from 0."""
        return self.announced(INVOICE_STEP, position) or invoice_step_name(position)

    @property
    def zip_step(self) -> str:
        """The name of the archive's step."""
        return self.announced(ZIP_STEP, 0) or ZIP_STEP_NAME


def invoice_step_name(position: int) -> str:
    return f"Process Invoice {position + 1}"
