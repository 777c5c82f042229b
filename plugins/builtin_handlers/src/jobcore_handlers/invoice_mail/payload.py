"""What `invoice_email` is told."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from jobcore_handlers.invoice_jobs import InvoiceJobData

PDF_STEP = "pdf_generation"
MAIL_STEP = "email_sending"


class InvoiceEmail(InvoiceJobData):
    """Which invoices are to be sent. Its steps: two for each invoice, its file and its mail."""

    invoice_ids: tuple[UUID, ...] = Field(min_length=1)
    user_id: UUID | None = None
    """Who asked; the files are theirs. Without one, the system's."""

    @property
    def invoices(self) -> tuple[UUID, ...]:
        """The invoices, each once, in their order."""
        return tuple(dict.fromkeys(self.invoice_ids))

    def pdf_step(self, position: int) -> str:
        """Return the name of the file's step of the invoice at `position`, from 0."""
        return self.announced(PDF_STEP, position) or pdf_step_name(position)

    def mail_step(self, position: int) -> str:
        """Return the name of the mail's step of the invoice at `position`, from 0."""
        return self.announced(MAIL_STEP, position) or mail_step_name(position)


def pdf_step_name(position: int) -> str:
    return f"Generate PDF {position + 1}"


def mail_step_name(position: int) -> str:
    return f"Send Email {position + 1}"
