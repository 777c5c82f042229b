"""J02: put the PDF files of many invoices into one archive."""

from jobcore_handlers.bundles.payload import InvoiceZip
from jobcore_handlers.bundles.request import request_bundle
from jobcore_handlers.invoice_jobs import BILLING_READ, InvoiceStep

__all__ = ["BILLING_READ", "InvoiceStep", "InvoiceZip", "request_bundle"]
