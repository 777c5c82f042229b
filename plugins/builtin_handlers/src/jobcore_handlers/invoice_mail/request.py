"""Asking for invoices to be sent: who may, which, and the payload of the job that does it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from uuid import UUID

from jobcore_handlers.invoice_jobs import InvoiceStep, chosen_invoices, describe_invoice, describe_request
from jobcore_handlers.invoice_mail.errors import NoInvoicesToSendError
from jobcore_handlers.invoice_mail.payload import MAIL_STEP, PDF_STEP, InvoiceEmail, mail_step_name, pdf_step_name


def request_invoice_emails(
    *,
    tenant: UUID,
    requester: UUID,
    permissions: Collection[str],
    invoice_ids: Sequence[UUID],
    job_service_id: str,
) -> InvoiceEmail:
    """Return the payload of an `invoice_email` job over `invoice_ids`, each once, in their order.

    Args:
        tenant: whose invoices they are.
        requester: the user who asks.
        permissions: what the requester may do.
        invoice_ids: the invoices.
        job_service_id: under which record the requester follows the job.

    Raises:
        PermissionMissingError: unless the requester may read billing data.
        NoInvoicesToSendError: if there is no invoice.
    """
    invoices = chosen_invoices(invoice_ids, permissions, NoInvoicesToSendError)
    return InvoiceEmail(
        tenant_id=tenant,
        job_service_id=job_service_id,
        user_id=requester,
        invoice_ids=invoices,
        steps=tuple(_steps(tenant, invoices)),
        metadata=describe_request(tenant, requester, invoices),
    )


def _steps(tenant: UUID, invoices: Sequence[UUID]) -> Iterator[InvoiceStep]:
    for position, invoice in enumerate(invoices):
        metadata = describe_invoice(tenant, invoice)
        yield InvoiceStep(step_name=pdf_step_name(position), type=PDF_STEP, metadata=metadata)
        yield InvoiceStep(step_name=mail_step_name(position), type=MAIL_STEP, metadata=metadata)
