"""The handler of `generate-invoice` (J01)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from jobcore import JobContext, RetryPolicy, job
from jobcore_handlers import _logs
from jobcore_handlers.errors import BillingError
from jobcore_handlers.invoicing.biller import BilledInvoice, Biller
from jobcore_handlers.invoicing.payload import GenerateInvoice

NO_INVOICE: dict[str, Any] = {"invoiceId": None}
"""The result where there was nothing to bill and no invoice over nothing is wanted."""


@job("generate-invoice", retry=RetryPolicy(max_attempts=3), timeout=timedelta(minutes=5))
async def generate_invoice(ctx: JobContext, data: GenerateInvoice) -> dict[str, Any]:
    """Bill one client for one billing cycle.

    The invoice and the completion of the job commit together: a worker that dies in between leaves neither, and the
    next attempt bills once.

    Raises:
        BillingRefusedError: the kind of it says why the cycle cannot be billed; it is not tried again.
        InvoiceNumberError: if no invoice number is free.
    """
    try:
        invoice = await _bill_and_complete(ctx, data)
    except BillingError as error:
        _logs.billing_failed(ctx.logger, data.billing_cycle_id, error)
        raise
    if invoice is None:
        _logs.invoice_suppressed(ctx.logger, data.billing_cycle_id)
        return NO_INVOICE
    _logs.invoice_written(ctx.logger, invoice.invoice_number, data.client_id, invoice.total, invoice.currency)
    return invoice.as_result()


async def _bill_and_complete(ctx: JobContext, data: GenerateInvoice) -> BilledInvoice | None:
    async with ctx.db.transaction() as connection:
        invoice = await Biller(ctx, connection, data).bill()
        result = NO_INVOICE if invoice is None else invoice.as_result()
        async with ctx.complete_in(connection, result=result):
            pass  # the invoice is written already: its number is part of the result
    return invoice
