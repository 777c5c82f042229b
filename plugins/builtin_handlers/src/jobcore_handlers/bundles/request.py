"""Asking for a bundle: who may, for what, and the payload of the job that makes it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from jobcore_handlers.bundles.payload import INVOICE_STEP, ZIP_STEP, ZIP_STEP_NAME, BundleStep, InvoiceZip
from jobcore_handlers.errors import NoInvoicesSelectedError, PermissionMissingError

BILLING_READ = "billing:read"


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
    if BILLING_READ not in permissions:
        raise PermissionMissingError(BILLING_READ)
    invoices = tuple(dict.fromkeys(invoice_ids))
    if not invoices:
        raise NoInvoicesSelectedError
    return InvoiceZip(
        tenant_id=tenant,
        job_service_id=job_service_id,
        requester_id=requester,
        invoice_ids=invoices,
        steps=_steps(tenant, invoices),
        metadata={"user_id": str(requester), "invoice_count": len(invoices), "tenantId": str(tenant)},
    )


def _steps(tenant: UUID, invoices: Sequence[UUID]) -> tuple[BundleStep, ...]:
    per_invoice = [
        BundleStep(
            step_name=f"Process Invoice {number}",
            type=INVOICE_STEP,
            metadata={"invoiceId": str(invoice), "tenantId": str(tenant)},
        )
        for number, invoice in enumerate(invoices, start=1)
    ]
    return (*per_invoice, BundleStep(step_name=ZIP_STEP_NAME, type=ZIP_STEP, metadata={"tenantId": str(tenant)}))
