"""J03: send invoices to their clients by mail."""

from jobcore_handlers.invoice_mail.links import InvoiceLinks
from jobcore_handlers.invoice_mail.payload import InvoiceEmail
from jobcore_handlers.invoice_mail.request import request_invoice_emails

__all__ = ["InvoiceEmail", "InvoiceLinks", "request_invoice_emails"]
