"""Asking for a bundle: who may, for what, and the payload of the job that makes it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from uuid import UUID

from jobcore_handlers.bundles.payload import INVOICE_STEP, ZIP_STEP, ZIP_STEP_NAME, InvoiceZip, invoice_step_name
from jobcore_handlers.errors import NoInvoicesSelectedError
from jobcore_handlers.invoice_jobs import InvoiceStep, chosen_invoices, describe_invoice, describe_request


def request_bundle(
    *,
    tenant: UUID,
    requester: UUID,
    permissions: Collection[str],
    invoice_ids: Sequence[UUID],
    job_service_id: str,
) -> InvoiceZip:
    """Return the payload of an `invoice_zip` job over `invoice_ids`, each once, in their order.

    Args:
        tenant: whose invoices they are.
        requester: the user who asks; the bundle is theirs.
        permissions: what the requester may do.
        invoice_ids: the invoices.
        job_service_id: under which record the requester follows the job.

    Raises:
        PermissionMissingError: unless the requester may read billing data.
        NoInvoicesSelectedError: if there is no invoice.
    """
    invoices = chosen_invoices(invoice_ids, permissions, NoInvoicesSelectedError)
    return InvoiceZip(
        tenant_id=tenant,
        job_service_id=job_service_id,
        requester_id=requester,
        invoice_ids=invoices,
        steps=tuple(_steps(tenant, invoices)),
        metadata=describe_request(tenant, requester, invoices),
    )


def _steps(tenant: UUID, invoices: Sequence[UUID]) -> Iterator[InvoiceStep]:
    for position, invoice in enumerate(invoices):
        metadata = describe_invoice(tenant, invoice)
        yield InvoiceStep(step_name=invoice_step_name(position), type=INVOICE_STEP, metadata=metadata)
    yield InvoiceStep(step_name=ZIP_STEP_NAME, type=ZIP_STEP, metadata={"tenantId": str(tenant)})
